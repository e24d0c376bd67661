"""The fictional city's staff: accounts with MFA, roles asked for by one administrator and confirmed by the other."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.hashers import make_password

from apps.accounts.models import Account
from apps.accounts.operations import ask_grant, bootstrap_administrators, confirm_grant, invite_staff
from apps.accounts.queries import actor_for
from apps.core.actors import CITY, Actor, system
from apps.organizations.models import AuditFirm, Organization
from apps.places.models import Town

DOMAIN = "demo.example"
PASSWORD = "demonstration-only"  # noqa: S105
"""Of all demonstration accounts, on loopback only; each has a second factor besides (manage.py demo_code)."""

LABELS = {
    "administrator": "系统管理员", "project_officer": "项目专员", "manager": "机构负责人", "cashier": "出纳",
    "caseworker": "社工", "town_reviewer": "镇街审核员", "auditor": "审计师", "supervisor": "民政局监管",
    "editor": "编辑", "city_reviewer": "市级审核员", "purchaser": "采购员",
}  # fmt: skip
SHORT = {"administrator": "admin", "project_officer": "officer", "town_reviewer": "reviewer"}
NUMERALS = "甲乙丙丁"


@dataclass
class Staff:
    """Actors by e-mail name: officer1, caseworker2.shiqiao ..."""

    actors: dict[str, Actor] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Actor:
        return self.actors[name]


def make_staff(federation: Organization, partners: list[Organization], towns: list[Town], firms: list[AuditFirm],
               now: dt.datetime) -> Staff:  # fmt: skip
    """This will make everybody, so that four different people exist for every payment in every town."""
    staff = Staff()
    first = bootstrap_administrators(
        actor=system("demo"), emails=(f"admin1@{DOMAIN}", f"admin2@{DOMAIN}"), now=now
    )
    password = make_password(PASSWORD)
    for number, account in enumerate(first):
        _finish(staff, account, f"admin{number + 1}", LABELS["administrator"] + NUMERALS[number], password)
    wanted: list[tuple[str, str, int, str]] = []
    for role in ("project_officer", "manager", "cashier"):
        wanted += [(f"{SHORT.get(role, role)}{n}", role, federation.pk, "") for n in (1, 2)]
    for partner in partners:
        wanted += [
            (f"officer{n}.partner{partner.pk}", "project_officer", partner.pk, partner.name) for n in (1, 2)
        ]
        wanted += [(f"manager1.partner{partner.pk}", "manager", partner.pk, partner.name)]
    for town in towns:
        wanted += [(f"caseworker{n}.{town.code}", "caseworker", town.pk, town.name_zh) for n in (1, 2)]
        wanted += [(f"reviewer{n}.{town.code}", "town_reviewer", town.pk, town.name_zh) for n in (1, 2)]
    for number, firm in enumerate(firms, start=1):
        wanted += [(f"auditor{number}", "auditor", firm.pk, firm.name)]
    wanted += [(f"purchaser{n}", "purchaser", federation.pk, "") for n in (1, 2)]
    wanted += [(f"cityreviewer{n}", "city_reviewer", CITY, "") for n in (1, 2)]
    wanted += [("supervisor", "supervisor", CITY, ""), ("editor", "editor", CITY, "")]
    for name, role, scope, where in wanted:
        digit = next((int(c) for c in name if c.isdigit()), 0)
        label = (f"{where} " if where else "") + LABELS[role] + (NUMERALS[digit - 1] if digit else "")
        account = invite_staff(actor=staff["admin1"], email=f"{name}@{DOMAIN}", display_name=label, now=now)
        grant = ask_grant(actor=staff["admin1"], person=account.person, role=role, scope_id=scope, now=now)
        confirm_grant(actor=staff["admin2"], grant=grant, now=now)
        _finish(staff, account, name, label, password)
    return staff


def make_account(staff: Staff, name: str, label: str, now: dt.datetime) -> Account:
    """This will make one more account of the staff, ready to sign in; its roles are asked for by who calls."""
    account = invite_staff(actor=staff["admin1"], email=f"{name}@{DOMAIN}", display_name=label, now=now)
    _finish(staff, account, name, label, make_password(PASSWORD))
    return account


def _finish(staff: Staff, account: Account, name: str, label: str, password: str) -> None:
    account.password = password
    account.save(update_fields=["password"])
    account.person.display_name = label
    account.person.save(update_fields=["display_name"])
    EmailAddress.objects.get_or_create(
        user=account, email=account.email, defaults={"verified": True, "primary": True}
    )
    TOTP.activate(account, generate_totp_secret())
    staff.actors[name] = actor_for(account, mfa=True)
