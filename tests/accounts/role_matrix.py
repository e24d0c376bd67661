"""The role x action matrix: what every policy says to every role, for its own scope's objects and for another's.

python -m tests.accounts.role_matrix     writes role_matrix.csv anew; read its difference before you commit it.
"""

from __future__ import annotations

import csv
import inspect
import io
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from django.apps import apps

from apps.core.actors import PUBLIC, Actor, Grant, system

FILE = Path(__file__).with_suffix(".csv")
SELF, SOMEBODY = 501, 502
OWN, OTHER = 1, 2
"""Ids of a town, an organization and a firm alike; everybody's roles are held at OWN."""


def load() -> None:
    """This will import every room's policies, so that all of them are registered."""
    for config in apps.get_app_configs():
        if config.name.startswith(("apps.", "cms", "search")) and find_spec(f"{config.name}.policies"):
            import_module(f"{config.name}.policies")


def roles() -> dict[str, Actor]:
    """This will give one actor a role, and those without: the public, a donor, the system, staff without MFA."""
    from apps.accounts.models import Grant as Held
    from apps.accounts.operations import SCOPE_OF

    found = {"public": PUBLIC, "donor": Actor("person", "donor", SELF), "system": system("task")}
    every = frozenset(_grant(role, SCOPE_OF[role]) for role in Held.Role.values)
    found["all roles, no second factor"] = Actor("person", "half", SELF, mfa=False, grants=every)
    for role in Held.Role.values:
        found[role] = Actor("person", role, SELF, mfa=True, grants=frozenset({_grant(role, SCOPE_OF[role])}))
    return found


def _grant(role: str, kind: str) -> Grant:
    return Grant(role, kind, 0 if kind == "city" else OWN)


def project(at: int, **fields: Any) -> SimpleNamespace:
    return SimpleNamespace(
        **{
            "fund": SimpleNamespace(organization_id=at),
            "partner_id": None,
            "drafted_by_id": SOMEBODY,
            "town_id": at,
        }
        | fields
    )


def report(at: int, **fields: Any) -> SimpleNamespace:
    audits = [SimpleNamespace(auditor_id=SOMEBODY, firm_id=at, declined_at=None)]
    return SimpleNamespace(
        **{
            "project": project(at),
            "organization_id": at,
            "drafted_by_id": SOMEBODY,
            "audits": SimpleNamespace(all=lambda: audits),
        }
        | fields
    )


def drawn(at: int) -> SimpleNamespace:
    audits = [SimpleNamespace(auditor_id=SELF, firm_id=at, declined_at=None)]
    return report(at, audits=SimpleNamespace(all=lambda: audits))


def aid(at: int) -> SimpleNamespace:
    return SimpleNamespace(kind="aid", town_id=at, project=project(at))


def expense(at: int, **fields: Any) -> SimpleNamespace:
    return SimpleNamespace(kind="expense", town_id=None, project=project(at, **fields))


def gift(at: int) -> SimpleNamespace:
    return SimpleNamespace(fund=SimpleNamespace(organization_id=at))


def wish(at: int, **fields: Any) -> SimpleNamespace:
    return SimpleNamespace(
        **{"town_id": at, "caseworker_id": SOMEBODY, "town_reviewer_id": SOMEBODY, "city_reviewer_id": None}
        | fields
    )


def errand(**fields: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"town_id": None, "warehouse_id": None, "recorded_by_id": SOMEBODY} | fields)


def refund(at: int, **fields: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"gift": gift(at), "asked_by_id": SOMEBODY, "decided_by_id": SOMEBODY} | fields)


def warehouse(at: int) -> SimpleNamespace:
    return SimpleNamespace(pk=at, organization_id=at)


def dispatch(at: int, **fields: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"town_id": None, "to_warehouse": None, "warehouse": warehouse(at)} | fields)


OBJECTS: dict[str, dict[str, Callable[[int], Any]]] = {
    "Household": {"": lambda at: SimpleNamespace(town_id=at)},
    "MicroFund": {"": lambda at: SimpleNamespace(organization_id=at)},
    "Project": {
        "": project,
        "drafted by oneself": lambda at: project(at, drafted_by_id=SELF),
        "run by a partner": lambda at: project(9, partner_id=at),
    },
    "Disbursement": {
        "aid": aid,
        "expense": expense,
        "expense of a partner": lambda at: SimpleNamespace(
            kind="expense", town_id=None, project=project(9, partner_id=at, town_id=None)
        ),
    },
    "Report": {
        "": report,
        "drawn oneself": drawn,
        "drafted by oneself": lambda at: report(at, drafted_by_id=SELF),
        "of a partner": lambda at: report(at, project=project(9, partner_id=at)),
        "of an organization": lambda at: report(at, project=None),
    },
    "Wish": {
        "": wish,
        "written by oneself": lambda at: wish(at, caseworker_id=SELF),
        "reviewed by oneself": lambda at: wish(at, town_reviewer_id=SELF),
    },
    "Errand": {
        "to a family": lambda at: errand(town_id=at),
        "of a dispatch": lambda at: errand(warehouse_id=at),
        "recorded by oneself": lambda at: errand(town_id=at, recorded_by_id=SELF),
    },
    "Gift": {"": gift},
    "Refund": {
        "": refund,
        "asked by oneself": lambda at: refund(at, asked_by_id=SELF),
        "approved by oneself": lambda at: refund(at, decided_by_id=SELF),
        "asked by the donor": lambda at: refund(at, asked_by_id=None),
    },
    "Warehouse": {"": lambda at: warehouse(at)},
    "Dispatch": {
        "to families": lambda at: dispatch(at, receiver="families", town_id=at),
        "to an institution": lambda at: dispatch(at, receiver="institution"),
        "from one's warehouse": lambda at: dispatch(at, receiver="warehouse", to_warehouse=warehouse(9)),
        "to one's warehouse": lambda at: dispatch(9, receiver="warehouse", to_warehouse=warehouse(at)),
    },
    "Duty": {
        "": lambda at: SimpleNamespace(project=project(at), organization_id=at),
        "of a partner": lambda at: SimpleNamespace(project=project(9, partner_id=at), organization_id=at),
        "of an organization": lambda at: SimpleNamespace(project=None, organization_id=at),
    },
    "int": {"": lambda at: at},
}
"""What the objects of policies look like, by the name of their type; variants matter to some policies."""


def rows() -> Iterator[list[str]]:
    """This will compute the matrix: one row for a policy, an object's variant and its scope."""
    from apps.core.policies import REGISTRY

    actors = roles()
    yield ["policy", "object", *actors]
    for name, rule in sorted(REGISTRY.items()):
        wanted = [one.annotation for one in inspect.signature(rule).parameters.values()][1:]
        if not wanted:
            yield [name, "", *(_say(rule(actor)) for actor in actors.values())]
            continue
        unknown = [kind for kind in wanted if kind not in OBJECTS]
        if unknown or len(wanted) > 1:
            raise AssertionError(f"{name}: say in OBJECTS of {Path(__file__).name} what {wanted} look like")
        for variant, make in OBJECTS[wanted[0]].items():
            for scope, at in (("own", OWN), ("other", OTHER)):
                label = f"{scope}, {variant}" if variant else scope
                yield [name, label, *(_say(rule(actor, make(at))) for actor in actors.values())]


def _say(answer: bool) -> str:
    return "yes" if answer else ""


def text() -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows())
    return out.getvalue()


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    load()
    FILE.write_text(text())
