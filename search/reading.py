"""A query said back in words, so that nobody has to guess how it was understood."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from search.language import And, Fragment, Node, Not


def reading(node: Node | None) -> str:
    """This will say a query in the reader's language; "" for none."""
    return "" if node is None else _say(node, inside=False)


def _say(node: Node, *, inside: bool) -> str:
    if isinstance(node, Fragment):
        said = _("“%(words)s”") % {"words": node.said.removesuffix("*")}
        return _("以%(words)s开头的词") % {"words": said} if node.prefix else said
    if isinstance(node, Not):
        return _("不含%(what)s") % {"what": _say(node.part, inside=True)}
    words = [_say(part, inside=True) for part in node.parts]
    joined = (pgettext("search", "，并且") if isinstance(node, And) else pgettext("search", "或")).join(words)
    both_kinds = isinstance(node, And) or any(isinstance(part, Not) for part in node.parts)
    return _("（%(what)s）") % {"what": joined} if inside and both_kinds else joined
