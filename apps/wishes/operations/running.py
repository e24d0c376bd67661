"""The shop itself: the filed project that it stands for, and the templates of common wishes."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.errors import BadInput
from apps.core.pages import bump_epoch
from apps.core.policies import authorize
from apps.funds.models import Project
from apps.organizations.models import Organization
from apps.publication.privacy import check_publishable
from apps.wishes import policies
from apps.wishes.models import MOST_CAP, Shop, WishTemplate
from apps.wishes.states import Category


@transaction.atomic
def choose_shop_project(*, actor: Actor, project: Project, now: dt.datetime) -> Shop:
    """This will say under which filed project wishes are met from now on (W4). Claims that stand keep theirs."""
    authorize(policies.can_run_shop, actor, project.fund.organization_id)
    if not project.filing_number:
        raise BadInput(_("只有已备案的项目才能用于博爱商城。"), field="project")
    assert actor.person_id is not None
    bump_epoch()
    return Shop.objects.create(project=project, chosen_by_id=actor.person_id, chosen_at=now)


@transaction.atomic
def add_template(
    *, actor: Actor, organization: Organization, category: str, title: str, item: str, spec: str, item_price: int,
    delivery_price: int = 0, title_en: str = "",
) -> WishTemplate:  # fmt: skip
    """This will add a common wish for caseworkers to start from; prices in fen."""
    authorize(policies.can_run_shop, actor, organization.pk)
    if category not in Category.values:
        raise BadInput(_("请选择一项。"), field="category")
    if item_price <= 0 or delivery_price < 0 or item_price + delivery_price > MOST_CAP:
        raise BadInput(_("价格要大于零，合计不超过5000元。"), field="item_price")
    for field, value in (("title", title), ("item", item), ("spec", spec)):
        if not value.strip():
            raise BadInput(_("这一项必须填写。"), field=field)
        check_publishable(value, field=field)
    return WishTemplate.objects.create(
        category=category, title=title.strip(), title_en=title_en.strip(), item=item.strip(), spec=spec.strip(),
        item_price=item_price, delivery_price=delivery_price,
    )  # fmt: skip


@transaction.atomic
def retire_template(
    *, actor: Actor, organization: Organization, template: WishTemplate, now: dt.datetime
) -> None:
    """This will stop offering a template; wishes made from it stay. Safe to repeat."""
    authorize(policies.can_run_shop, actor, organization.pk)
    WishTemplate.objects.filter(pk=template.pk, retired_at=None).update(retired_at=now)
