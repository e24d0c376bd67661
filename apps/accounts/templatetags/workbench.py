"""The workbench's navigation: what a person's roles open, no entry for what isn't there."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

register = template.Library()

MOST_ON_A_PHONE = 4
"""Entries that a phone shows in a line; more are folded behind the name of where one is."""

ENTRIES = (
    ("workbench", _("待办"), None),
    ("casework_households", _("家庭档案"), {"caseworker", "town_reviewer"}),
    ("casework_alerts", _("重复提醒"), {"caseworker", "town_reviewer"}),
    ("casework_registry", _("部门名单"), {"city_reviewer"}),
    ("casework_erasures", _("档案销毁"), {"caseworker", "town_reviewer", "city_reviewer"}),
    (
        "publication_overrides",
        _("公布前核对"),
        {"caseworker", "town_reviewer", "city_reviewer", "project_officer", "manager", "editor"},
    ),
    (
        "disbursements_list",
        _("拨付"),
        {"caseworker", "town_reviewer", "project_officer", "manager", "cashier"},
    ),
    (
        "wishes_workbench",
        _("微心愿"),
        {"caseworker", "town_reviewer", "city_reviewer", "purchaser", "storekeeper", "manager", "supervisor"},
    ),
    ("wishes_orders", _("心愿采购"), {"purchaser", "project_officer", "manager", "supervisor"}),
    ("wishes_shop", _("商城设置"), {"manager"}),
    ("wishes_errands", _("志愿者跑腿"), {"caseworker", "town_reviewer", "storekeeper", "project_officer"}),
    ("disbursements_batches", _("付款批次"), {"cashier"}),
    (
        "disbursements_rules",
        _("救助标准"),
        {"caseworker", "town_reviewer", "city_reviewer", "project_officer", "manager", "supervisor"},
    ),
    ("donations_refunds", _("退款"), {"project_officer", "manager", "cashier", "supervisor"}),
    ("donations_stopped", _("被拦下的付款"), {"cashier", "manager", "supervisor"}),
    ("donations_teams", _("一起捐"), {"project_officer", "manager", "supervisor"}),
    ("donations_receipts", _("票据"), {"project_officer", "cashier", "supervisor"}),
    ("donations_imports", _("线下捐赠"), {"project_officer", "cashier"}),
    (
        "inventory_home",
        _("物资"),
        {
            "storekeeper",
            "manager",
            "cashier",
            "project_officer",
            "purchaser",
            "supervisor",
            "caseworker",
            "town_reviewer",
        },
    ),
    ("payments_reconciliation", _("对账"), {"cashier", "supervisor"}),
    ("funds_workbench", _("项目"), {"project_officer", "manager", "cashier", "supervisor"}),
    ("disclosures_workbench", _("报告"), {"project_officer", "manager", "auditor", "supervisor"}),
    ("notifications_notices", _("提醒"), {"project_officer", "manager", "auditor"}),
    ("accounts_people", _("人员和角色"), {"administrator"}),
    ("wagtailadmin_home", _("内容编辑"), {"editor"}),
)


@register.inclusion_tag("components/bench_nav.html", takes_context=True)
def bench_nav(context: Context) -> dict[str, Any]:
    """This will list the parts of the workbench that the signed-in person's roles open."""
    request = context["request"]
    roles = {grant.role for grant in request.actor.grants}
    entries = []
    for name, label, wanted in ENTRIES:
        if wanted is not None and not wanted & roles:
            continue
        try:
            href = reverse(name)
        except NoReverseMatch:
            continue
        here = request.path == href if name == "workbench" else request.path.startswith(href)
        entries.append({"href": href, "label": label, "current": here})
    current = next((entry["label"] for entry in entries if entry["current"]), "")
    return {"entries": entries, "here": current, "folded": len(entries) > MOST_ON_A_PHONE}
