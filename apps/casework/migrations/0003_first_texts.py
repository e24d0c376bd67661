"""Heads as members of the files there are, and the first consent texts, assessment form and retention rules."""

import datetime as dt

from django.db import migrations

FROM = dt.date(2026, 1, 1)

TEXTS = {
    "registration": (
        "我同意社工登记我和家人的姓名、身份证号、住址、电话、收入和银行账户，用于审核和发放救助。资料加密保存，每次查看都留下记录；"
        "我可以查阅、更正，也可以撤回同意，撤回后不再受理新的申请。",
        "I agree that the caseworker registers names, ID numbers, address, phone, income and bank account of me and my "
        "family to verify and pay aid. They are kept encrypted and every reading leaves a record. I may read and correct "
        "them, and withdraw this; no new application is taken then.",
    ),
    "sharing": (
        "我同意用身份证号的加密摘要与民政、残联等部门的救助名单比对，以确认收入类别、避免重复救助。",
        "I agree that a keyed hash of the ID number is compared with relief lists of other departments, to confirm the "
        "income tier and avoid duplicate aid.",
    ),
    "story": (
        "我同意公布我家的故事，不写姓名、住址、学校和出生日期。我可以随时撤回，撤回后故事立即撤下。",
        "I agree that our story is published, without name, address, school or birth date. I may withdraw this at any "
        "time; the story is then taken down at once.",
    ),
    "photo": (
        "我同意公布不露面部的照片。我可以随时撤回，撤回后照片立即撤下。",
        "I agree that photos without faces are published. I may withdraw this at any time; they are then taken down at "
        "once.",
    ),
}

QUESTIONS = [
    ("income", "人均月收入", "Monthly income per person", [
        ("none", "没有收入", "None", 25), ("below_dibao", "低于低保标准", "Below the dibao line", 20),
        ("below_low", "低于低收入标准", "Below the low-income line", 12), ("above", "高于低收入标准", "Above it", 0)]),
    ("housing", "住房", "Housing", [
        ("none", "无自有住房、借住", "None, lodging", 15), ("unsafe", "鉴定为危房", "Appraised as unsafe", 15),
        ("crowded", "拥挤或漏雨", "Crowded or leaking", 8), ("fair", "可以正常居住", "Fit to live in", 0)]),
    ("health", "重病或残疾", "Serious illness or disability", [
        ("two", "两人以上", "Two people or more", 20), ("one", "一人", "One person", 14), ("none", "没有", "None", 0)]),
    ("labour", "劳动力", "People able to work", [
        ("none", "没有", "None", 15), ("one", "只有一人", "One", 8), ("more", "两人以上", "Two or more", 0)]),
    ("spending", "一年内医疗、教育等必要支出", "Necessary spending in a year (medical, schooling)", [
        ("over", "超过全年收入", "More than the year's income", 15), ("half", "超过全年收入一半", "More than half", 10),
        ("less", "不到一半", "Less than half", 0)]),
    ("care", "需要照料的老人和孩子", "Old people and children in need of care", [
        ("three", "三人以上", "Three or more", 10), ("some", "一到两人", "One or two", 6), ("none", "没有", "None", 0)]),
]  # fmt: skip

RULES = [
    ("aid", 10, "《民间非营利组织会计制度》及会计档案保存期限；《个人信息保护法》第19、47条",
     "Accounting records' term; Personal Information Protection Law 19, 47"),
    ("no_aid", 2, "《个人信息保护法》第19条：为实现目的所必要的最短时间", "Personal Information Protection Law 19: shortest time needed"),
]  # fmt: skip


def fill(apps, schema_editor):
    schema_editor.execute(
        """INSERT INTO casework_member (household_id, relation, schooling, has_disability, added_at)
           SELECT h.id, 'head', 'none', false, h.registered_at FROM casework_household h
           WHERE NOT EXISTS (SELECT 1 FROM casework_member m WHERE m.household_id = h.id AND m.relation = 'head')"""
    )
    for purpose, (zh, en) in TEXTS.items():
        apps.get_model("casework", "ConsentText").objects.create(
            purpose=purpose, version=1, text_zh=zh, text_en=en, effective_from=FROM
        )
    questions = [
        {"key": key, "zh": zh, "en": en,
         "answers": [{"key": k, "zh": z, "en": e, "points": p} for k, z, e, p in answers]}
        for key, zh, en, answers in QUESTIONS
    ]  # fmt: skip
    apps.get_model("casework", "AssessmentForm").objects.create(
        version=1, questions=questions, effective_from=FROM
    )
    for kind, years, zh, en in RULES:
        apps.get_model("casework", "RetentionRule").objects.create(
            kind=kind, years=years, law_zh=zh, law_en=en, effective_from=FROM
        )


class Migration(migrations.Migration):
    dependencies = [("casework", "0002_members_and_attachments")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
