"""Explanations and risks in the reader's words; what is kept are codes and figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.casework.models import Attachment
from apps.core.money import Money, format_money
from apps.places.queries import town_names


def line_words(line: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """This will write one line of an explanation; `labels` are the table's rows by key."""
    figures = dict(line["figures"])
    key = labels.get(figures.get("key", ""), figures.get("key", ""))
    told: dict[str, Any] = {
        name: _yuan(figures.get(name)) for name in figures if name not in ("key", "n", "share_bp")
    }
    told |= {"key": key, "n": figures.get("n"), "share": _percent(figures.get("share_bp"))}
    if line["code"] == "band" and figures.get("ceiling") is None:
        return _("自付超过%(floor)s的部分%(part)s，救助%(share)s") % told
    return str(_SENTENCES[line["code"]]() % told)


_SENTENCES: Mapping[str, Any] = {
    "level": lambda: _("%(key)s每人每学年%(amount)s"),
    "own_cost": lambda: _("总费用%(total)s，减报销%(insured)s和其他救助%(other_aid)s，自付%(own)s"),
    "band": lambda: _("自付%(floor)s至%(ceiling)s之间的部分%(part)s，救助%(share)s"),
    "cap": lambda: _("每户每年最多%(cap)s，今年已给%(given)s，还可以给%(left)s"),
    "grade": lambda: _("%(key)s：修缮费用%(cost)s，救助%(share)s"),
    "grade_cap": lambda: _("%(key)s最多%(cap)s"),
    "stage": lambda: _("第%(n)s期付%(part)s"),
    "need": lambda: _("需要%(need)s"),
    "tier_cap": lambda: _("%(key)s家庭每次最多%(cap)s"),
}


def risk_words(kind: str, evidence: Mapping[str, Any]) -> str:
    """This will write what a risk flag rests on."""
    if kind == "first":
        return _("这个账户以前没有收到过这一家的救助金。")
    if kind == "above":
        return _("以往%(payments)s次，中位数%(usual)s；这次%(amount)s。") % {
            "payments": evidence["payments"], "usual": _yuan(evidence["usual"]), "amount": _yuan(evidence["amount"]),
        }  # fmt: skip
    if kind == "staff":
        return _("申请时申报：%(declared)s") % evidence
    if kind == "donor":
        return _("这一家有人的身份证号开过%(gifts)s张捐赠票据。") % evidence
    words = _where(evidence)
    if kind == "attachment":
        kinds = "、".join(str(Attachment.Kind(each).label) for each in evidence["kinds"])
        words = _("%(kinds)s：%(where)s") % {"kinds": kinds, "where": words}
        if evidence["again"]:
            words += _("；这一家以前的申请用过%(n)s次") % {"n": evidence["again"]}
    return words


def _where(evidence: Mapping[str, Any]) -> str:
    names = town_names()
    index = 1 if (get_language() or "").startswith("en") else 0
    parts = [str(number) for number in evidence["files"]]
    for town, n in evidence["towns"]:
        parts.append(_("%(town)s的%(n)s份档案") % {"town": names.get(town, ("?", "?"))[index], "n": n})
    return "、".join(parts) or _("只在这一家的档案里")


def _yuan(minor: Any) -> str:
    return format_money(Money(minor)) if isinstance(minor, int) else ""


def _percent(share_bp: Any) -> str:
    return (
        f"{share_bp // 100}.{share_bp % 100:02d}".rstrip("0").rstrip(".") + "%"
        if isinstance(share_bp, int)
        else ""
    )
