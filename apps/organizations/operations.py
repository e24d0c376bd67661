from __future__ import annotations

import datetime as dt

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.errors import BadInput
from apps.core.pages import bump_epoch
from apps.core.policies import authorize
from apps.organizations.models import AuditFirm, AuditTie, Organization, check_uscc
from apps.organizations.policies import can_register_organization


class BadCreditCode(BadInput):
    code = "bad_credit_code"
    message = _("统一社会信用代码的校验位不对，请对照登记证书核对18位代码。")
    field = "uscc"


def register_organization(
    *, actor: Actor, name: str, uscc: str, kind: str, address: str, phone: str, name_en: str = "",
    certificate: str = "",
    is_federation: bool = False, query_url: str = "", is_fictional: bool = False, first_report_year: int = 2026,
) -> Organization:  # fmt: skip
    """This will register a charity by its unified social credit code, or correct its facts; safe to repeat by `uscc`.

    Raises BadCreditCode when the check digit is wrong (F4).
    """
    authorize(can_register_organization, actor)
    _check(uscc)
    organization, _created = Organization.objects.update_or_create(
        uscc=uscc,
        defaults={
            "name": name, "name_en": name_en, "kind": kind, "address": address, "phone": phone,
            "certificate": certificate, "is_federation": is_federation, "query_url": query_url,
            "is_fictional": is_fictional, "first_report_year": first_report_year,
        },
    )  # fmt: skip
    bump_epoch()
    return organization


def note_reports(*, organization_id: int, overdue_since: dt.date | None, overdue_count: int) -> None:
    """This will write down what disclosures knows of an organization's own reports, so that funds can refuse a new
    campaign while one is late (F7)."""
    Organization.objects.filter(pk=organization_id).update(
        overdue_since=overdue_since, overdue_count=overdue_count
    )


def register_audit_firm(
    *, actor: Actor, name: str, uscc: str, licence: str, name_en: str = "", is_fictional: bool = False
) -> AuditFirm:
    """This will register an audit firm; safe to repeat by `uscc`."""
    authorize(can_register_organization, actor)
    _check(uscc)
    firm, _created = AuditFirm.objects.update_or_create(
        uscc=uscc,
        defaults={"name": name, "name_en": name_en, "licence": licence, "is_fictional": is_fictional},
    )
    return firm


def declare_audit_tie(*, actor: Actor, firm: AuditFirm, organization: Organization, reason: str) -> AuditTie:
    """This will record that a firm is not independent of an organization, so that it is never drawn for it (D4)."""
    authorize(can_register_organization, actor)
    tie, _created = AuditTie.objects.get_or_create(
        firm=firm, organization=organization, defaults={"reason": reason}
    )
    return tie


def _check(uscc: str) -> None:
    try:
        check_uscc(uscc)
    except ValidationError as error:
        raise BadCreditCode() from error
