"""A query tree for PostgreSQL: a *cover* (a tsquery that GIN answers, a superset) and an SQL condition that makes it
exact where fragments of three or more units or negations of such ask for adjacency (search.md, Translation)."""

from __future__ import annotations

from typing import Any

from apps.core.text import lexeme, marked, pairs
from search.language import And, Fragment, Node, Not

Sql = tuple[str, list[Any]]


def exact(node: Node) -> bool:
    """This will tell whether the cover alone answers a node."""
    if isinstance(node, Fragment):
        return len(node.units) <= 2
    if isinstance(node, Not):
        return exact(node.part)
    return all(map(exact, node.parts))


def cover(node: Node) -> str | None:
    """This will give a tsquery that every match of the node satisfies, or None when only the text can tell."""
    if isinstance(node, Fragment):
        line = [marked(unit) for unit in node.units]
        if len(line) == 1:
            return lexeme(node.units[0] if node.prefix else line[0]) + ":*"
        return "(" + " & ".join(dict.fromkeys(lexeme(pair) for pair in pairs(line)[:-1])) + ")"
    if isinstance(node, Not):
        inner = cover(node.part) if exact(node.part) else None
        return None if inner is None else f"!({inner})"
    covers = [cover(part) for part in node.parts]
    if isinstance(node, And):
        known = [part for part in covers if part is not None]
        return "(" + " & ".join(known) + ")" if known else None
    return None if None in covers else "(" + " | ".join(part for part in covers if part is not None) + ")"


def in_line(fragment: Fragment, column: str) -> Sql:
    """This will test a line of units for a fragment."""
    if fragment.prefix:
        return f"strpos(' ' || {column}, %s) > 0", [" " + fragment.units[0]]
    return f"strpos(' ' || {column} || ' ', %s) > 0", [f" {fragment.line} "]


def condition(node: Node, column: str = "units") -> Sql:
    """This will give the exact SQL condition of a node, whatever the cover does."""
    if isinstance(node, Fragment):
        return in_line(node, column)
    if isinstance(node, Not):
        sql, values = condition(node.part, column)
        return f"NOT ({sql})", values
    word = " AND " if isinstance(node, And) else " OR "
    parts = [condition(part, column) for part in node.parts]
    return "(" + word.join(sql for sql, _ in parts) + ")", [value for _, values in parts for value in values]


def checks(node: Node) -> list[Sql]:
    """This will give the conditions that must stand beside the cover."""
    if exact(node):
        return []
    if isinstance(node, And):
        return [check for part in node.parts for check in checks(part)]
    return [condition(node)]


def is_positive(node: Node | None) -> bool:
    """This will tell whether a node's cover names something that must be there, so that GIN need not walk
    everything."""
    if node is None or isinstance(node, Not):
        return False
    if isinstance(node, Fragment):
        return True
    quantified = map(is_positive, node.parts)
    return any(quantified) if isinstance(node, And) else all(quantified)
