from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Account, Grant, Person
from apps.accounts.operations import SCOPE_OF, scope_choices

SCOPE_KINDS = {"city": _("全市"), "town": _("镇街"), "organization": _("机构"), "audit_firm": _("审计机构"),
               "warehouse": _("仓库")}  # fmt: skip


class InviteForm(forms.Form):
    email = forms.EmailField(
        label=_("工作邮箱"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    display_name = forms.CharField(label=_("姓名"), max_length=80)


class GrantForm(forms.Form):
    role = forms.ChoiceField(label=_("角色"))
    scope = forms.ChoiceField(
        label=_("范围"), help_text=_("社工和镇街审核员选镇街，机构人员选机构，审计师选审计机构，其余选全市。")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scopes = {kind: rows for kind, rows in scope_choices().items() if rows}
        roles = [(role, label) for role, label in Grant.Role.choices if SCOPE_OF[role] in scopes]
        self.fields["role"].choices = [("", _("请选择")), *roles]  # type: ignore[attr-defined]
        self.fields["scope"].choices = [  # type: ignore[attr-defined]
            ("", _("请选择")),
            *((SCOPE_KINDS.get(kind, kind), [(f"{kind}:{pk}", label) for pk, label in rows])
              for kind, rows in scopes.items()),
        ]  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        role, scope = data.get("role"), data.get("scope")
        if role and scope and scope.partition(":")[0] != SCOPE_OF[role]:
            self.add_error(
                "scope", _("这个角色要选另一类范围：%(kind)s。") % {"kind": SCOPE_KINDS[SCOPE_OF[role]]}
            )
        return data

    @property
    def scope_id(self) -> int:
        return int(self.cleaned_data["scope"].partition(":")[2])


class ResetForm(forms.Form):
    account = forms.ModelChoiceField(label=_("账号"), queryset=Account.objects.none(), empty_label=None)
    reason = forms.CharField(
        label=_("怎样核实了是本人"), max_length=200, help_text=_("例如：当面核对身份证；不要写证件号码。")
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = Account.objects.filter(person=person)  # type: ignore[attr-defined]


class JoinForm(forms.Form):
    other = forms.EmailField(label=_("另一个账号的邮箱"), max_length=254)
    reason = forms.CharField(label=_("怎样知道是同一个人"), max_length=180)

    def clean_other(self) -> Person:
        found = (
            Account.objects.filter(email__iexact=self.cleaned_data["other"]).select_related("person").first()
        )
        if found is None:
            raise forms.ValidationError(_("没有这个邮箱的账号。"))
        return found.person
