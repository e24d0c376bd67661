from __future__ import annotations

import hashlib
import secrets
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.forms import AmountField, in_currency
from apps.core.money import Money
from apps.donations.operations import BankDetails, GiftRequest, TeamDraft
from apps.donations.queries import RefundOffer
from apps.donations.states import ShownAs
from apps.organizations.models import check_uscc
from apps.payments.registry import monthly_provider, offered_methods
from apps.payments.states import Method
from apps.publication.privacy import check_typed_in_public

PRESETS = (2_000, 5_000, 10_000, 20_000, 50_000)
"""Amounts offered as buttons, in fen."""

UNUSUAL = 1_000_000
"""Above ¥10,000 the page asks again (F5)."""


CONTENT = (
    "money",
    "method",
    "shown_as",
    "shown_name",
    "payer",
    "payer_code",
    "message",
    "dedication",
    "team",
    "email",
)
"""What makes two submissions of one page the same gift."""


class GiveForm(forms.Form):
    """What a donor fills in, in under a minute (G1-G3). Kept as typed when something is wrong."""

    preset = forms.ChoiceField(label=_("金额"), widget=forms.RadioSelect, required=False)
    amount = forms.CharField(
        label=_("其他金额"), required=False, max_length=24, help_text=_("1元起"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip
    frequency = forms.ChoiceField(
        label=_("捐多久"), widget=forms.RadioSelect, required=False, initial="once",
        choices=[("once", _("捐一次")), ("monthly", _("每月捐"))],
        help_text=_("每月捐只用银行卡，随时可以改金额、暂停或停止"),
    )  # fmt: skip
    method = forms.ChoiceField(label=_("付款方式"), widget=forms.RadioSelect)
    shown_as = forms.ChoiceField(
        label=_("公开显示为"), widget=forms.RadioSelect, choices=ShownAs.choices, initial=ShownAs.ANONYMOUS
    )
    shown_name = forms.CharField(
        label=_("化名或姓名"), required=False, max_length=40, help_text=_("选“匿名”时不用填，也不会公开")
    )
    payer = forms.CharField(
        label=_("票据抬头"), required=False, max_length=120, help_text=_("印在捐赠票据上，不公开"),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )  # fmt: skip
    payer_code = forms.CharField(
        label=_("单位统一社会信用代码"), required=False, max_length=20,
        help_text=_("单位抵税用，18位；个人不用填"), widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    message = forms.CharField(
        label=_("留言"),
        required=False,
        max_length=140,
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": 140}),
    )
    dedication = forms.CharField(
        label=_("题献"), required=False, max_length=60, help_text=_("例如：纪念外婆；祝小宇生日快乐。会公开")
    )
    email = forms.EmailField(
        label=_("邮箱"), required=False, help_text=_("只用来发票据和去向，不公开"),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )  # fmt: skip
    key = forms.CharField(widget=forms.HiddenInput, max_length=64)
    confirmed = forms.CharField(widget=forms.HiddenInput, required=False)
    team = forms.CharField(widget=forms.HiddenInput, required=False, max_length=16)
    trim = forms.CharField(widget=forms.HiddenInput, required=False, max_length=16)

    def __init__(self, *args: Any, currency: str = "CNY", typical: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency, self.typical = currency, typical
        presets = [(str(fen), str(Money(fen, currency)).removesuffix(".00")) for fen in PRESETS]
        self.fields["preset"].choices = [*presets, ("other", _("其他"))]  # type: ignore[attr-defined]
        self.fields["preset"].initial = str(PRESETS[2])
        methods = offered_methods()
        self.fields["method"].choices = [(m, Method(m).label) for m in methods]  # type: ignore[attr-defined]
        self.fields["method"].initial = next(iter(methods), None)
        self.fields["key"].initial = secrets.token_urlsafe(24)
        if monthly_provider() is None:
            del self.fields["frequency"]
        self.needs_confirmation = False

    def clean_payer_code(self) -> str:
        typed = str(self.cleaned_data["payer_code"]).strip().upper()
        if typed:
            check_uscc(typed)
        return typed

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        typed, preset = (data.get("amount") or "").strip(), data.get("preset") or ""
        try:
            if typed:
                data["money"] = Money.parse(typed, self.currency)
            elif preset.isdigit():
                data["money"] = Money(int(preset), self.currency)
            else:
                self.add_error("amount", _("请选一个金额，或填写其他金额。"))
        except DomainError as error:
            self.add_error("amount", str(error.message))
        if data.get("frequency") == "monthly":
            data["method"] = Method.CARD
            self.errors.pop("method", None)
            if not data.get("email") and "email" not in self.errors:
                self.add_error("email", _("月捐要填邮箱：每月到账、扣款失败都靠它告诉您。"))
        # The donor chose to give what still fits the target (F5): never more than was typed.
        trim = data.get("trim") or ""
        if "money" in data and trim.isascii() and trim.isdigit() and 0 < int(trim) < data["money"].minor:
            data["money"] = Money(int(trim), self.currency)
        if (
            data.get("shown_as") not in (None, ShownAs.ANONYMOUS)
            and not (data.get("shown_name") or "").strip()
        ):
            self.add_error("shown_name", _("请填写要公开的名字，或选“匿名”。"))
        for field in ("shown_name", "message", "dedication"):
            try:
                check_typed_in_public(data.get(field) or "")
            except DomainError as error:
                self.add_error(field, str(error.message))
        money = data.get("money")
        if money and not self.errors and data.get("confirmed") != str(money.minor):
            doubt = self._doubt(money)
            if doubt:
                self.needs_confirmation = True
                self.add_error(None, doubt)
        return data

    def _doubt(self, money: Money) -> str:
        """Why the amount is worth a second look (F5); nothing is refused."""
        if money.minor > UNUSUAL:
            return gettext("金额超过¥10,000。请再看一遍，没有写错就再点一次“去付款”。")
        if self.typical and money.minor > 10 * self.typical:
            return gettext(
                "%(sum)s是这个项目常见捐赠额的10倍以上。请再看一遍，没有写错就再点一次“去付款”。"
            ) % {"sum": money}
        return ""

    def request(self, language: str) -> GiftRequest:
        """This will turn the valid form into what the operation takes."""
        data = self.cleaned_data
        # A double click sends the same again and is one gift; somebody who goes back and changes something wants that.
        content = (data["key"], *(str(data.get(name, "")) for name in CONTENT))
        key = hashlib.sha256("\x1f".join(content).encode()).hexdigest()
        return GiftRequest(
            money=data["money"], method=data["method"], key=key, shown_as=data["shown_as"],
            shown_name=data["shown_name"].strip(), payer=data["payer"].strip(), payer_code=data["payer_code"],
            email=data["email"],
            message=data["message"].strip(), dedication=data["dedication"].strip(),
            team=data["team"], language=language,
        )  # fmt: skip


class RefundForm(forms.Form):
    """What is asked back (G8): an amount, why, and where to, if the way it came is closed."""

    amount = AmountField(label=_("退款金额"))
    reason = forms.CharField(
        label=_("原因"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": 300}),
    )
    holder = forms.CharField(label=_("收款人户名"), max_length=60, help_text=_("要与付款人一致"))
    bank = forms.CharField(label=_("开户银行"), max_length=80, help_text=_("写到支行"))
    account = forms.CharField(
        label=_("银行账号"), max_length=40, help_text=_("加密保存，只有付款的出纳能看"),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip

    def __init__(self, *args: Any, offer: RefundOffer, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        in_currency(self, "amount", currency)
        most = Money(offer.amount, currency)
        self.fields["amount"].help_text = _("最多%(most)s") % {"most": str(most)}
        self.fields["amount"].initial = f"{most.major:f}"
        if offer.through_provider:
            for name in ("holder", "bank", "account"):
                del self.fields[name]

    def bank_details(self) -> BankDetails | None:
        """This will give the bank details, or None where the money goes back the way it came."""
        data = self.cleaned_data
        return (
            BankDetails(data["holder"], data["bank"], data["account"]) if "account" in self.fields else None
        )


class FeedForm(forms.Form):
    """Own money set aside for chargebacks (G9)."""

    amount = AmountField(label=_("划入金额"))
    reason = forms.CharField(label=_("理由"), max_length=200)


class MonthlyAmountForm(forms.Form):
    """Another amount for the months to come."""

    amount = AmountField(label=_("每月改成"))

    def __init__(self, *args: Any, currency: str = "CNY", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        in_currency(self, "amount", currency)


class TeamForm(forms.Form):
    """What an organizer of a team types (一起捐); public but for the address."""

    title = forms.CharField(label=_("名称"), max_length=40, help_text=_("例如：石桥中学2008届一起捐"))
    organizer = forms.CharField(label=_("发起人"), max_length=20, help_text=_("会公开，可以用化名"))
    goal = AmountField(label=_("目标"), help_text=_("到了目标也可以继续捐"))
    words = forms.CharField(
        label=_("想说的话"), required=False, max_length=300,
        widget=forms.Textarea(attrs={"rows": 4, "maxlength": 300}),
    )  # fmt: skip
    email = forms.EmailField(
        label=_("邮箱"), required=False, help_text=_("只用来寄管理网址，不公开"),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )  # fmt: skip
    key = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, currency: str = "CNY", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        in_currency(self, "goal", currency)
        self.fields["key"].initial = secrets.token_urlsafe(24)

    def draft(self, language: str) -> TeamDraft:
        """This will turn the valid form into what the operations take."""
        data = self.cleaned_data
        return TeamDraft(
            title=data["title"].strip(), organizer=data["organizer"].strip(), words=data["words"].strip(),
            goal=data["goal"], key=data["key"], email=data["email"], language=language,
        )  # fmt: skip
