"""The official chart's codes, the channels and the first allocation rule, as data that officers can correct."""

import datetime

from django.db import migrations

SOURCE = "民间非营利组织会计制度，财会〔2024〕25号，2026年1月1日起"
FROM = datetime.date(2026, 1, 1)
CODES = [
    ("cash", "1001", "库存现金", "Cash on hand"),
    ("bank", "1002", "银行存款", "Cash at bank"),
    ("clearing", "1009", "其他货币资金", "Other monetary funds"),
    ("receivable", "1122", "其他应收款", "Other receivables"),
    ("inventory", "1201", "存货", "Inventory"),
    ("net_assets", "3102", "限定性净资产", "Restricted net assets"),
    ("gift_income", "4101", "捐赠收入", "Gift income"),
    ("gift_in_kind", "4101", "捐赠收入", "Gift income"),
    ("other_income", "4901", "其他收入", "Other income"),
    ("programme", "5101", "业务活动成本", "Programme cost"),
    ("management", "5301", "管理费用", "Management cost"),
    ("fundraising", "5401", "筹资费用", "Fundraising cost"),
]
CHANNELS = [
    ("wechat_pay", "微信支付", "WeChat Pay"),
    ("alipay", "支付宝", "Alipay"),
    ("card", "银行卡", "Card"),
    ("bank", "银行转账", "Bank transfer"),
    ("cash", "现金", "Cash"),
    ("goods", "实物", "Goods"),
    ("other", "其他", "Other"),
]
RULE_ZH = "每笔资金内先到先用：捐赠按到账先后排队，支出从最早还有余额的捐赠扣起；退款、手续费和改投只动用该笔捐赠自己的钱。"
RULE_EN = (
    "First in, first out within each earmark: gifts queue by the time they settled and spending takes from the oldest "
    "gift that still has money; refunds, fees and redirections touch only the gift's own money."
)


def load(apps, schema_editor):
    code, channel = apps.get_model("ledger", "AccountCode"), apps.get_model("ledger", "Channel")
    for role, number, zh, en in CODES:
        code.objects.get_or_create(
            role=role,
            effective_from=FROM,
            defaults={"code": number, "name_zh": zh, "name_en": en, "source": SOURCE},
        )
    for key, zh, en in CHANNELS:
        channel.objects.get_or_create(code=key, defaults={"name_zh": zh, "name_en": en})
    rule = apps.get_model("ledger", "AllocationRule")
    rule.objects.get_or_create(
        version=1, defaults={"text_zh": RULE_ZH, "text_en": RULE_EN, "effective_from": FROM}
    )


def unload(apps, schema_editor):
    for name in ("AccountCode", "Channel"):
        apps.get_model("ledger", name).objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_constraints")]
    operations = [migrations.RunPython(load, unload)]
