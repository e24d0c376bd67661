from __future__ import annotations

import pytest

from apps.funds.operations import NotTheFederation, open_fund
from apps.organizations.operations import register_organization
from tests import world as w

pytestmark = pytest.mark.django_db


def test_a_partner_opens_no_fund_in_the_federations_book() -> None:
    """F1, P9: its manager would approve, and its cashier pay, from money that isn't theirs."""
    w.build()
    partner = register_organization(
        actor=w.SETUP, name="澜江互助服务中心", uscc="51440000MJK614025" + w._check("51440000MJK614025"),
        kind="service", address="澜江市1号", phone="0799-88661201", certificate="", is_fictional=True,
    )  # fmt: skip
    manager = w.person("manager", ("manager", "organization", partner.pk))
    with pytest.raises(NotTheFederation):
        open_fund(
            actor=manager, organization=partner, now=w.NOW, slug="own", name="自设基金", category="housing",
            purpose="x",
        )  # fmt: skip
