"""The embedded servers: PostgreSQL and Valkey from wheels, started, watched and stopped by us.

`addresses` where they listen and keep things · `keys` passwords and keys of a demonstration · `placement` which system
user and folder they need · `postgres`, `valkey` one server each · `processes` starting and stopping anything ·
`watchdog` ends everything when its parent is gone · `run` the whole of `make run`.
Only the standard library and psutil are imported here, so that `make stack` and `make stop` answer at once.
"""
