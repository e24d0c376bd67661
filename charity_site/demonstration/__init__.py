"""The demonstration city: fictional organizations, people and families, made by the operations, marked everywhere.

The seed governs only the story (who gives what, when); tokens, keys and public ids always come from `secrets`.
"""
