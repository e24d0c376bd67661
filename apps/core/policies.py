"""One gate. Policies are pure functions `(actor, *objects) -> bool`, registered by name; operations enforce them
with `authorize`, templates ask the same function through `allowed`. tests/accounts holds the role x action matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.core.actors import Actor
from apps.core.errors import PermissionRefused

Policy = Callable[..., bool]

REGISTRY: dict[str, Policy] = {}


def policy(name: str) -> Callable[[Policy], Policy]:
    """This will register a policy under `<room>.<verb>_<noun>`; two under one name are refused at start."""

    def register(function: Policy) -> Policy:
        known = REGISTRY.get(name)
        if known is not None and known.__qualname__ != function.__qualname__:
            raise RuntimeError(f"policy {name} is defined twice")
        REGISTRY[name] = function
        function.policy_name = name  # type: ignore[attr-defined]
        return function

    return register


def allowed(rule: Policy, actor: Actor, *objects: Any) -> bool:
    """This will tell whether the actor may do this, without raising."""
    return bool(rule(actor, *objects))


def authorize(rule: Policy, actor: Actor, *objects: Any) -> None:
    """This will let the actor pass or raise PermissionRefused."""
    if not rule(actor, *objects):
        raise PermissionRefused()
