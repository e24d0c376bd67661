from __future__ import annotations

import secrets
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.casework.models import Household
from apps.core.errors import DomainError
from apps.core.money import Money
from apps.donations.forms import GiveForm
from apps.donations.operations import GiftRequest
from apps.funds.models import BudgetLine, Project
from apps.inventory.models import Warehouse
from apps.wishes.models import MOST_UNITS, Wish
from apps.wishes.operations import OrderDraft, Promise, QuoteDraft, WishDraft
from apps.wishes.queries import shop_project
from apps.wishes.states import AgeBand, BringTo, Category, ConsentBy, Urgency

PRICE = {"inputmode": "decimal", "autocomplete": "off"}
QUOTES = (1, 2, 3)


class MoneyField(forms.CharField):
    """An amount as people type it; cleans to fen, None where nothing was typed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=24, widget=forms.TextInput(attrs=PRICE), **kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return Money.parse(text).minor
        except DomainError as error:
            raise forms.ValidationError(str(error.message)) from error


class WishForm(forms.Form):
    """A wish as the public will read it (W1). The family's file number stays on the workbench."""

    file_number = forms.CharField(label=_("家庭档案号"), max_length=20, help_text=_("只在工作台里用，不公开"))
    category = forms.ChoiceField(label=_("类别"), choices=Category.choices)
    title = forms.CharField(
        label=_("心愿"),
        max_length=40,
        help_text=_("一句话，例如：想要一张能写字的桌子。不写姓名、学校、地址"),
    )
    title_en = forms.CharField(label=_("心愿（英文）"), max_length=80, required=False)
    item = forms.CharField(label=_("物品"), max_length=40)
    spec = forms.CharField(label=_("规格"), max_length=80, help_text=_("尺寸、型号、功能，写到采购不会买错"))
    quantity = forms.IntegerField(label=_("件数"), min_value=1, max_value=MOST_UNITS, initial=1)
    item_price = MoneyField(label=_("物品最高价（每件）"))
    delivery_price = MoneyField(
        label=_("配送最高价（每件）"), required=False, help_text=_("志愿者送就填0。两项合计最高5000元")
    )
    why = forms.CharField(
        label=_("为什么需要"), max_length=200, required=False,
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": 200}), help_text=_("一两句，别人认不出是谁"),
    )  # fmt: skip
    age_band = forms.ChoiceField(label=_("年龄段"), choices=AgeBand.choices)
    alias = forms.CharField(label=_("化名"), max_length=12, help_text=_("不能是真名的一部分"))
    urgency = forms.TypedChoiceField(label=_("急不急"), choices=Urgency.choices, coerce=int, initial=0)
    consent_by = forms.ChoiceField(label=_("谁同意公布"), choices=ConsentBy.choices)
    photo_consent = forms.BooleanField(label=_("也同意公布一张没有脸的照片"), required=False)
    consent = forms.BooleanField(
        label=_("家庭看过这些文字，同意公布这个心愿；知道可以随时撤回"),
        error_messages={"required": _("没有家庭的同意不能提交。")},
    )

    def clean_delivery_price(self) -> int:
        return self.cleaned_data["delivery_price"] or 0

    def clean_file_number(self) -> str:
        typed = str(self.cleaned_data["file_number"]).strip().upper()
        self.household = Household.objects.select_related("town").filter(file_number__iexact=typed).first()
        if self.household is None:
            raise forms.ValidationError(_("没有这个档案号。请在家庭档案里核对。"))
        return typed

    def draft(self) -> WishDraft:
        data = self.cleaned_data
        names = (
            "category", "title", "title_en", "item", "spec", "quantity", "item_price", "delivery_price", "why",
            "age_band", "alias", "urgency", "consent_by", "photo_consent",
        )  # fmt: skip
        return WishDraft(**{name: data[name] for name in names})


def shown(wish: Wish) -> dict[str, Any]:
    """This will give a wish's text as the form shows it."""
    names = (
        "category", "title", "title_en", "item", "spec", "quantity", "why", "age_band", "alias", "urgency",
        "consent_by", "photo_consent",
    )  # fmt: skip
    prices = {name: f"{Money(getattr(wish, name)).major:f}" for name in ("item_price", "delivery_price")}
    return {name: getattr(wish, name) for name in names} | prices | {
        "file_number": wish.household.file_number, "consent": True,
    }  # fmt: skip


class PhotoForm(forms.Form):
    """A photo that has to be without a face, said by who adds it."""

    photo = forms.FileField(label=_("照片"), help_text=_("JPEG、PNG或WebP，不超过15MB；位置信息会去掉"))
    no_face = forms.BooleanField(
        label=_("照片里没有脸、校服、门牌和姓名"), required=False,
    )  # fmt: skip


class ThanksForm(forms.Form):
    words = forms.CharField(
        label=_("感谢的话"), max_length=200, widget=forms.Textarea(attrs={"rows": 3, "maxlength": 200})
    )
    photo = forms.FileField(label=_("照片"), required=False, help_text=_("可以不放；不能有脸"))
    no_face = forms.BooleanField(label=_("照片里没有脸、校服、门牌和姓名"), required=False)


class BasketPayForm(GiveForm):
    """Paying for a basket: everything a donor fills in when giving, but for the amount, which the wishes set."""

    def __init__(self, *args: Any, total: Money, **kwargs: Any) -> None:
        super().__init__(*args, currency=total.currency, **kwargs)
        self.total = total
        for name in ("amount", "preset", "frequency", "team", "trim"):
            self.fields.pop(name, None)

    def clean(self) -> dict[str, Any]:
        self.cleaned_data |= {"preset": str(self.total.minor), "amount": "", "team": ""}
        return super().clean()

    def request(self, language: str) -> GiftRequest:
        self.cleaned_data.setdefault("team", "")
        return super().request(language)


class PromiseForm(forms.Form):
    """Who brings goods, and where to. Kept only until they arrived."""

    count = forms.IntegerField(label=_("几件"), min_value=1, max_value=MOST_UNITS, initial=1)
    bring_to = forms.ChoiceField(label=_("送到哪里"), choices=BringTo.choices, widget=forms.RadioSelect)
    warehouse = forms.ModelChoiceField(
        Warehouse.objects.none(), label=_("仓库"), required=False, to_field_name="public_id"
    )
    contact = forms.CharField(
        label=_("称呼"), max_length=40, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    phone = forms.CharField(
        label=_("电话"), max_length=20, help_text=_("只给收货的人约时间用，加密保存，送到后删除"),
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )  # fmt: skip
    email = forms.EmailField(label=_("邮箱"), required=False, help_text=_("用来告诉您收到和圆梦，不公开"))
    key = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = secrets.token_urlsafe(24)
        project = shop_project()
        places = Warehouse.objects.filter(organization=project.fund.organization_id if project else None)
        self.fields["warehouse"].queryset = places.order_by("pk")  # type: ignore[attr-defined]
        if not places.exists():
            self.fields["bring_to"].choices = [(BringTo.CASEWORKER, BringTo.CASEWORKER.label)]  # type: ignore[attr-defined]
            del self.fields["warehouse"]
        self.fields["bring_to"].initial = BringTo.CASEWORKER

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if (
            data.get("bring_to") == BringTo.WAREHOUSE
            and not data.get("warehouse")
            and "warehouse" in self.fields
        ):
            self.add_error("warehouse", _("请选一个仓库。"))
        return data

    def promise(self, language: str) -> Promise:
        data = self.cleaned_data
        to = data["bring_to"]
        return Promise(
            bring_to=to, warehouse=data.get("warehouse") if to == BringTo.WAREHOUSE else None, contact=data["contact"],
            phone=data["phone"], email=data["email"], key=data["key"], language=language,
        )  # fmt: skip


class OrderForm(forms.Form):
    """An order with its quotes (W4); prices for all pieces together."""

    supplier = forms.CharField(label=_("下单的供应商"), max_length=80)
    item_price = MoneyField(label=_("物品合计"))
    delivery_price = MoneyField(label=_("配送合计"), required=False)
    single_reason = forms.CharField(
        label=_("只有一家报价的原因"), max_length=200, required=False, help_text=_("有两家以上报价就不用填")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for n in QUOTES:
            self.fields[f"supplier_{n}"] = forms.CharField(
                label=_("报价%(n)s：供应商") % {"n": n}, max_length=80, required=False
            )
            self.fields[f"price_{n}"] = MoneyField(label=_("报价%(n)s：总价") % {"n": n}, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for n in QUOTES:
            if (
                bool(data.get(f"supplier_{n}")) != bool(data.get(f"price_{n}"))
                and f"price_{n}" not in self.errors
            ):
                self.add_error(f"price_{n}", _("报价要有供应商和价格。"))
        return data

    def order(self) -> OrderDraft:
        data = self.cleaned_data
        return OrderDraft(
            supplier=data["supplier"], item_price=data["item_price"], delivery_price=data["delivery_price"] or 0,
            single_reason=data["single_reason"],
            quotes=[
                QuoteDraft(data[f"supplier_{n}"], data[f"price_{n}"]) for n in QUOTES if data[f"supplier_{n}"]
            ],
        )  # fmt: skip


class PurchaseExpenseForm(forms.Form):
    """The invoice of an order: the first of the expense's four steps (P8)."""

    budget_line = forms.ModelChoiceField(BudgetLine.objects.none(), label=_("预算科目"))
    payee_bank = forms.CharField(label=_("开户行"), max_length=120)
    payee_account = forms.CharField(label=_("收款账号"), max_length=40)
    invoice_number = forms.CharField(label=_("发票号码"), max_length=40)

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = project.budget_lines.filter(is_aid_line=False, is_fee_line=False)
        self.fields["budget_line"].queryset = rows  # type: ignore[attr-defined]


class TemplateForm(forms.Form):
    """A common wish to start from."""

    category = forms.ChoiceField(label=_("类别"), choices=Category.choices)
    title = forms.CharField(label=_("心愿"), max_length=40)
    title_en = forms.CharField(label=_("心愿（英文）"), max_length=80, required=False)
    item = forms.CharField(label=_("物品"), max_length=40)
    spec = forms.CharField(label=_("规格"), max_length=80)
    item_price = MoneyField(label=_("物品最高价（每件）"))
    delivery_price = MoneyField(label=_("配送最高价（每件）"), required=False)


class VolunteerForm(forms.Form):
    """A volunteer by name and phone, with their own word on being named."""

    name = forms.CharField(label=_("姓名"), max_length=40, help_text=_("加密保存，只印在本人的证明上"))
    phone = forms.CharField(
        label=_("手机号"),
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    named = forms.BooleanField(label=_("本人同意在核对证明时公开姓名"), required=False)


class ErrandForm(forms.Form):
    """Who carries which wish or dispatch, and when."""

    volunteer = forms.CharField(label=_("志愿者编号"), max_length=16)
    what = forms.CharField(label=_("心愿网址末尾的编号，或出库单号"), max_length=20)
    on = forms.DateField(label=_("哪一天"), widget=forms.DateInput(attrs={"type": "date"}))


class HoursForm(forms.Form):
    """How long an errand took: hours, with a half or a quarter as decimals."""

    hours = forms.DecimalField(label=_("时长（小时）"), max_digits=4, decimal_places=2, min_value=0,
                               help_text=_("例如1.5"))  # fmt: skip
    on = forms.DateField(label=_("哪一天"), widget=forms.DateInput(attrs={"type": "date"}))

    def minutes(self) -> int:
        return int(self.cleaned_data["hours"] * 60)


class PeriodForm(forms.Form):
    first_on = forms.DateField(label=_("从"), widget=forms.DateInput(attrs={"type": "date"}))
    last_on = forms.DateField(label=_("到"), widget=forms.DateInput(attrs={"type": "date"}))


class HoursCheckForm(forms.Form):
    number = forms.CharField(
        label=_("证明编号"), max_length=20, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    check = forms.CharField(
        label=_("校验码"), max_length=12, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
