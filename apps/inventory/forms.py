"""Forms of the goods' workbench. What is typed stays typed; rules are the operations'."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.money import Money
from apps.funds.models import MicroFund
from apps.inventory.errors import BadQuantity
from apps.inventory.models import Location, Recipe, Unit, Warehouse
from apps.inventory.operations import LotDraft
from apps.inventory.states import Basis, Category, Grade, Kind, ListKind, Place, Shown
from apps.places.models import Town

DAY = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
_ANY = [("", "—")]
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,3})?")


class QuantityField(forms.CharField):
    """A quantity as people type it: full-width digits, thousands by comma."""

    def __init__(self, **more: Any) -> None:
        more.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        super().__init__(max_length=24, **more)

    def clean(self, value: Any) -> Any:
        words = unicodedata.normalize("NFKC", super().clean(value)).replace(",", "").strip()
        if not words:
            return None
        if not _NUMBER.fullmatch(words):
            raise forms.ValidationError(str(BadQuantity.message))
        return Decimal(words)


class YuanField(forms.CharField):
    """An amount in yuan as people type it."""

    def __init__(self, **more: Any) -> None:
        super().__init__(max_length=24, widget=forms.TextInput(attrs={"inputmode": "decimal"}), **more)

    def clean(self, value: Any) -> Any:
        words = super().clean(value)
        if not words:
            return None
        try:
            return Money.parse(words)
        except DomainError as error:
            raise forms.ValidationError(str(error.message)) from error


class ConsignmentForm(forms.Form):
    warehouse = forms.ModelChoiceField(Warehouse.objects.none(), label=_("仓库"), to_field_name="public_id")
    donor_name = forms.CharField(label=_("捐赠人"), max_length=120)
    shown = forms.ChoiceField(label=_("对外怎样显示"), choices=Shown.choices, initial=Shown.ANONYMOUS)
    alias = forms.CharField(label=_("化名"), max_length=40, required=False)
    phone = forms.CharField(label=_("联系电话"), max_length=40, required=False, help_text=_("不公开"))
    received_on = forms.DateField(label=_("收到的日期"), widget=DAY)
    carrier = forms.CharField(label=_("承运人"), max_length=80, required=False)
    wants_receipt = forms.BooleanField(label=_("要开捐赠票据"), required=False)
    payer_code = forms.CharField(label=_("统一社会信用代码"), max_length=18, required=False)
    note = forms.CharField(label=_("备注"), max_length=300, required=False, help_text=_("不公开"))

    def __init__(self, *args: Any, warehouses: QuerySet[Warehouse], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["warehouse"].queryset = warehouses  # type: ignore[attr-defined]


def unit_choices() -> list[tuple[str, str]]:
    """This will list the units for a select."""
    return [*_ANY, *((one.code, str(one)) for one in Unit.objects.order_by("code"))]


class LotForm(forms.Form):
    item = forms.CharField(label=_("品名"), max_length=120, help_text=_("会公开"))
    spec = forms.CharField(label=_("规格"), max_length=160, required=False)
    category = forms.ChoiceField(label=_("类别"), choices=[*_ANY, *Category.choices])
    quantity = QuantityField(label=_("数量"))
    unit = forms.ChoiceField(label=_("单位"))
    per_unit = QuantityField(label=_("每单位内含数量"), required=False)
    inner_unit = forms.ChoiceField(label=_("内含的单位"), required=False)
    unit_value = YuanField(label=_("单价（元）"), required=False)
    basis = forms.ChoiceField(label=_("计价依据"), choices=[*_ANY, *Basis.choices], required=False)
    basis_source = forms.CharField(label=_("依据来源"), max_length=120, required=False)
    expires_on = forms.DateField(label=_("有效期到"), widget=DAY, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = unit_choices()
        for name in ("unit", "inner_unit"):
            self.fields[name].choices = choices  # type: ignore[attr-defined]

    def draft(self) -> LotDraft:
        data = self.cleaned_data
        return LotDraft(**{name: data[name] for name in self.base_fields})


LotForms = forms.formset_factory(LotForm, extra=1, max_num=50, validate_max=True)


class InspectForm(forms.Form):
    passed = QuantityField(label=_("合格"), required=False)
    failed = QuantityField(label=_("不合格"), required=False)
    shelf = forms.ModelChoiceField(Location.objects.none(), label=_("放到库位"))
    grade = forms.ChoiceField(label=_("成色"), choices=[*_ANY, *Grade.choices], required=False)
    note = forms.CharField(label=_("不合格的原因"), max_length=300, required=False, help_text=_("会公开"))

    def __init__(self, *args: Any, warehouse: Warehouse, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["shelf"].queryset = shelves(warehouse)  # type: ignore[attr-defined]


class PhotoForm(forms.Form):
    photo = forms.FileField(
        label=_("照片"),
        help_text=_("不要拍到人脸；位置等信息会自动去掉，照片只给同事看"),
        widget=forms.FileInput(attrs={"accept": "image/*", "capture": "environment"}),
    )


class ValueForm(forms.Form):
    unit_value = YuanField(label=_("单价（元）"))
    basis = forms.ChoiceField(label=_("计价依据"), choices=Basis.choices)
    basis_source = forms.CharField(label=_("依据来源"), max_length=120, required=False)


class _FromForm(forms.Form):
    location = forms.ModelChoiceField(Location.objects.none(), label=_("从哪里"))
    quantity = QuantityField(label=_("数量"))

    def __init__(self, *args: Any, places: QuerySet[Location], warehouse: Warehouse, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["location"].queryset = places  # type: ignore[attr-defined]
        if "shelf" in self.fields:
            self.fields["shelf"].queryset = shelves(warehouse)  # type: ignore[attr-defined]
        if "unit" in self.fields:
            self.fields["unit"].choices = unit_choices()  # type: ignore[attr-defined]


class StoreForm(_FromForm):
    shelf = forms.ModelChoiceField(Location.objects.none(), label=_("放到库位"))


class GiveBackForm(_FromForm):
    reason = forms.CharField(label=_("原因"), max_length=300, help_text=_("会公开"))
    signer = forms.CharField(label=_("签收人"), max_length=40, required=False)


class RemovalForm(_FromForm):
    kind = forms.ChoiceField(
        label=_("怎样处理"),
        choices=[(k.value, k.label) for k in (Kind.WRITE_OFF, Kind.SELL)],
    )
    reason = forms.CharField(label=_("原因"), max_length=300, help_text=_("会公开"))
    proceeds = YuanField(label=_("变卖价款（元）"), required=False)
    fund = forms.ModelChoiceField(
        MicroFund.objects.order_by("name"),
        label=_("价款进哪个微基金"),
        required=False,
        to_field_name="slug",
    )
    buyer = forms.CharField(label=_("买方"), max_length=120, required=False)


class ConvertForm(_FromForm):
    unit = forms.ChoiceField(label=_("换成单位"))
    factor = QuantityField(label=_("每一个换成多少"))
    shelf = forms.ModelChoiceField(Location.objects.none(), label=_("放到库位"))


class DispatchForm(forms.Form):
    town = forms.ModelChoiceField(
        Town.objects.all(), label=_("交给哪个镇街的社工"), required=False, to_field_name="code"
    )
    receiver_name = forms.CharField(
        label=_("或接收单位"), max_length=120, required=False, help_text=_("会公开")
    )
    to_warehouse = forms.ModelChoiceField(
        Warehouse.objects.none(), label=_("或调到本机构的仓库"), required=False, to_field_name="public_id"
    )
    purpose = forms.CharField(
        label=_("用途"), max_length=120, required=False, help_text=_("会公开，不要写姓名、住址")
    )

    def __init__(self, *args: Any, warehouse: Warehouse, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Warehouse.objects.filter(organization=warehouse.organization_id).exclude(pk=warehouse.pk)
        if others.exists():
            self.fields["to_warehouse"].queryset = others.order_by("pk")  # type: ignore[attr-defined]
        else:
            del self.fields["to_warehouse"]


class SendForm(forms.Form):
    carrier = forms.CharField(label=_("承运人"), max_length=80)
    driver = forms.CharField(label=_("驾驶员"), max_length=40, required=False)


class ArrivalForm(forms.Form):
    shelf = forms.ModelChoiceField(Location.objects.none(), label=_("放到库位"))
    signer = forms.CharField(label=_("签收人"), max_length=40, required=False, help_text=_("不公开"))
    reason = forms.CharField(
        label=_("短少或损坏的原因"), max_length=300, required=False, help_text=_("会公开")
    )

    def __init__(self, *args: Any, warehouse: Warehouse, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["shelf"].queryset = shelves(warehouse)  # type: ignore[attr-defined]
        self.fields["shelf"].initial = shelves(warehouse).first()


class HandoverForm(forms.Form):
    file_number = forms.CharField(
        label=_("家庭档案编号"),
        max_length=20,
        required=False,
        help_text=_("交给一户时填；没有登记到户就填户数"),
    )
    households = forms.IntegerField(label=_("户数"), min_value=1, initial=1, required=False)
    signer = forms.CharField(label=_("签收人"), max_length=40, required=False, help_text=_("不公开"))
    slip = forms.CharField(
        label=_("签收单编号"), max_length=60, required=False, help_text=_("有签收单才算受助方确认")
    )


class RecipeForm(forms.Form):
    warehouse = forms.ModelChoiceField(Warehouse.objects.none(), label=_("仓库"), to_field_name="public_id")
    name = forms.CharField(label=_("套装名称"), max_length=80)
    category = forms.ChoiceField(label=_("类别"), choices=Category.choices)
    unit = forms.ChoiceField(label=_("单位"))

    def __init__(self, *args: Any, warehouses: QuerySet[Warehouse], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["warehouse"].queryset = warehouses  # type: ignore[attr-defined]
        self.fields["unit"].choices = unit_choices()  # type: ignore[attr-defined]


class PartForm(forms.Form):
    item = forms.CharField(label=_("品名"), max_length=120)
    category = forms.ChoiceField(label=_("类别"), choices=[*_ANY, *Category.choices])
    unit = forms.ChoiceField(label=_("单位"))
    quantity = QuantityField(label=_("一套里的数量"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].choices = unit_choices()  # type: ignore[attr-defined]


PartForms = forms.formset_factory(PartForm, extra=1, max_num=20, validate_max=True)


class KitForm(forms.Form):
    kits = QuantityField(label=_("做几套"))
    shelf = forms.ModelChoiceField(Location.objects.none(), label=_("放到库位"))

    def __init__(self, *args: Any, recipe: Recipe, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["shelf"].queryset = shelves(recipe.warehouse)  # type: ignore[attr-defined]


class _WantForm(forms.Form):
    town = forms.ChoiceField(label=_("镇街"))
    category = forms.ChoiceField(label=_("类别"), choices=Category.choices)
    until = forms.DateField(label=_("到哪一天为止"), widget=DAY)

    def __init__(self, *args: Any, towns: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["town"].choices = towns  # type: ignore[attr-defined]
        if "unit" in self.fields:
            self.fields["unit"].choices = unit_choices()  # type: ignore[attr-defined]


class DontSendForm(_WantForm):
    reason = forms.CharField(label=_("原因"), max_length=120, help_text=_("会公开"))


class NeedForm(_WantForm):
    item = forms.CharField(label=_("品名"), max_length=80, help_text=_("会公开"))
    quantity = QuantityField(label=_("数量"))
    unit = forms.ChoiceField(label=_("单位"))


class ListForm(forms.Form):
    warehouse = forms.ModelChoiceField(Warehouse.objects.none(), label=_("仓库"), to_field_name="public_id")
    kind = forms.ChoiceField(label=_("名单种类"), choices=ListKind.choices)
    source = forms.CharField(label=_("谁公布的"), max_length=80)
    category = forms.ChoiceField(label=_("物资类别"), choices=[*_ANY, *Category.choices])
    day = forms.DateField(
        label=_("名单的日期"), widget=DAY, required=False, help_text=_("名单里没写日期时填")
    )
    file = forms.FileField(label=_("名单文件"), help_text=_("CSV、XLSX或XLS"))

    def __init__(self, *args: Any, warehouses: QuerySet[Warehouse], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["warehouse"].queryset = warehouses  # type: ignore[attr-defined]


class WarehouseForm(forms.Form):
    code = forms.SlugField(label=_("仓库编号"), max_length=20)
    name = forms.CharField(label=_("名称"), max_length=60)
    name_en = forms.CharField(label=_("英文名称"), max_length=80, required=False)
    address = forms.CharField(label=_("地址"), max_length=160)
    shelves = forms.CharField(label=_("库位"), max_length=300, initial="A-01", help_text=_("用空格隔开"))


def shelves(warehouse: Warehouse) -> QuerySet[Location]:
    """This will list the shelves of a warehouse."""
    return Location.objects.filter(warehouse=warehouse, kind=Place.SHELF).order_by("name")
