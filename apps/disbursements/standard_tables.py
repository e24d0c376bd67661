"""Tables to begin with: the city's published education figures, and usual shapes for the other centres. A federation
drafts its own from them; nothing here is in force until two people publish it."""

from __future__ import annotations

from apps.disbursements.operations.ruling import ExampleDraft, RowDraft, TableDraft
from apps.disbursements.states import AidKind, RowKind

_EDUCATION = TableDraft(
    rows=[
        RowDraft(RowKind.LEVEL, "university", "大学", "University", amount=8_000_00),
        RowDraft(RowKind.LEVEL, "senior_high", "高中或中职", "Senior high", amount=3_000_00),
        RowDraft(RowKind.LEVEL, "junior_high", "初中", "Junior high", amount=1_000_00),
    ],
    examples=[
        ExampleDraft("大学一年级新生", "A first-year university student", {"level": "university"}, 8_000_00),
        ExampleDraft("职业中学二年级", "Second year of vocational school", {"level": "senior_high"}, 3_000_00),
        ExampleDraft("初中三年级", "Third year of junior high", {"level": "junior_high"}, 1_000_00),
    ],
    evidence=[(1, "enrolment_proof")],
)  # fmt: skip

_ILLNESS = TableDraft(
    rows=[
        RowDraft(RowKind.BAND, "first", "自付2万元以下", "Up to ¥20,000 out of pocket", floor=0, ceiling=20_000_00,
                 share_bp=3_000),
        RowDraft(RowKind.BAND, "second", "2万元至8万元", "¥20,000 to ¥80,000", floor=20_000_00, ceiling=80_000_00,
                 share_bp=5_000),
        RowDraft(RowKind.BAND, "third", "8万元以上", "Above ¥80,000", floor=80_000_00, share_bp=6_000),
        RowDraft(RowKind.CAP, "year", "每户每年最多", "At most a family a year", amount=30_000_00),
    ],
    examples=[
        ExampleDraft("自付12,000元", "¥12,000 out of pocket",
                     {"total": 50_000_00, "insured": 38_000_00, "other_aid": 0}, 3_600_00),
        ExampleDraft("自付50,000元，分两段", "¥50,000 out of pocket, two bands",
                     {"total": 150_000_00, "insured": 95_000_00, "other_aid": 5_000_00}, 21_000_00),
        ExampleDraft("自付100,000元，到上限", "¥100,000 out of pocket, at the cap",
                     {"total": 300_000_00, "insured": 200_000_00, "other_aid": 0}, 30_000_00),
        ExampleDraft("今年已给25,000元", "¥25,000 given this year",
                     {"total": 150_000_00, "insured": 95_000_00, "other_aid": 5_000_00}, 5_000_00,
                     given_before=25_000_00),
    ],
    evidence=[(1, "diagnosis"), (1, "hospital_bill"), (1, "insurance_settlement")],
)  # fmt: skip

_HOUSING = TableDraft(
    rows=[
        RowDraft(RowKind.GRADE, "c", "C级（局部危险）", "Grade C (parts unsafe)", share_bp=6_000, amount=30_000_00),
        RowDraft(RowKind.GRADE, "d", "D级（整幢危险）", "Grade D (all unsafe)", share_bp=8_000, amount=60_000_00),
        RowDraft(RowKind.STAGE, "start", "开工", "Start", share_bp=3_000),
        RowDraft(RowKind.STAGE, "frame", "主体完成", "Frame done", share_bp=4_000),
        RowDraft(RowKind.STAGE, "accepted", "验收合格", "Accepted", share_bp=3_000),
    ],
    examples=[
        ExampleDraft("C级，修缮费40,000元", "Grade C, repair ¥40,000", {"grade": "c", "repair_cost": 40_000_00},
                     24_000_00),
        ExampleDraft("D级，重建费100,000元，到上限", "Grade D, ¥100,000, at the cap",
                     {"grade": "d", "repair_cost": 100_000_00}, 60_000_00),
    ],
    evidence=[(1, "house_appraisal"), (1, "photo_before"), (2, "photo_during"), (3, "photo_after")],
)  # fmt: skip

_TEMPORARY = TableDraft(
    rows=[
        RowDraft(RowKind.TIER, "tekun", "特困", "Extreme poverty", amount=6_000_00),
        RowDraft(RowKind.TIER, "dibao", "低保", "Minimum living allowance", amount=5_000_00),
        RowDraft(RowKind.TIER, "child", "困境儿童", "Children in hardship", amount=5_000_00),
        RowDraft(RowKind.TIER, "low_income", "低收入", "Low income", amount=4_000_00),
        RowDraft(RowKind.TIER, "expense", "支出型困难", "Hardship by expense", amount=3_000_00),
    ],
    examples=[
        ExampleDraft("低保家庭，安置要用2,600元", "On allowance, ¥2,600 needed", {"tier": "dibao", "need": 2_600_00},
                     2_600_00),
        ExampleDraft("低收入家庭，要用9,000元，到上限", "Low income, ¥9,000 needed, at the cap",
                     {"tier": "low_income", "need": 9_000_00}, 4_000_00),
    ],
    evidence=[(1, "income_proof")],
)  # fmt: skip

STANDARD = {
    AidKind.EDUCATION: _EDUCATION,
    AidKind.ILLNESS: _ILLNESS,
    AidKind.HOUSING: _HOUSING,
    AidKind.TEMPORARY: _TEMPORARY,
}
