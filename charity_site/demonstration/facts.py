"""What the fictional city consists of. No person, organization or number here is real."""

from __future__ import annotations

from dataclasses import dataclass

CITY = "澜江市"

TOWNS = [
    ("shiqiao", "石桥镇", "Shiqiao"), ("hengxi", "横溪镇", "Hengxi"), ("anlan", "安澜街道", "Anlan"),
    ("qingpu", "青浦街道", "Qingpu"), ("lianhua", "莲花街道", "Lianhua"), ("dongsheng", "东升镇", "Dongsheng"),
    ("xiawan", "下湾镇", "Xiawan"), ("nanmen", "南门街道", "Nanmen"), ("beitang", "北塘镇", "Beitang"),
    ("yunshan", "云山镇", "Yunshan"), ("fuxing", "复兴街道", "Fuxing"), ("gulou", "鼓楼街道", "Gulou"),
    ("heping", "和平街道", "Heping"), ("jinsha", "金沙镇", "Jinsha"), ("longtan", "龙潭镇", "Longtan"),
    ("meixi", "梅溪镇", "Meixi"), ("pingan", "平安镇", "Ping'an"), ("qiaotou", "桥头镇", "Qiaotou"),
    ("sanhe", "三合镇", "Sanhe"), ("taohua", "桃花镇", "Taohua"), ("wenfeng", "文峰街道", "Wenfeng"),
    ("xihu", "西湖街道", "Xihu"), ("yangliu", "杨柳镇", "Yangliu"), ("zhulin", "竹林镇", "Zhulin"),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Charity:
    code: str
    name: str
    name_en: str
    kind: str
    body: str  # the first 17 characters of its credit code; the check digit is computed
    certificate: str = ""


FEDERATION = Charity("federation", "澜江市慈善总会", "Lanjiang Charity Federation", "association", "51449900MJK614024",
                     "澜民慈募证第0003号")  # fmt: skip
PARTNERS = [
    Charity("anju", "澜江市安居互助服务中心", "Lanjiang Home Repair Service", "service", "52449900MJK614026"),
    Charity(
        "qihang", "澜江市启航助学促进会", "Lanjiang Study Aid Association", "association", "51449900MJK614027"
    ),
]
FIRMS = [
    ("澜江明衡会计师事务所", "Mingheng Accountants", "91449900MAK614028", "澜财会证第011号"),
    ("澜江正平会计师事务所", "Zhengping Accountants", "91449900MAK614029", "澜财会证第012号"),
]


@dataclass(frozen=True, slots=True)
class Fund:
    slug: str
    name: str
    name_en: str
    category: str
    purpose: str
    purpose_en: str
    named_for: str = ""


FUNDS = [
    Fund("raindrop", "小雨点微基金", "Raindrop Fund", "illness",
         "帮助医保报销之后仍付不起自费药和陪护住宿的家庭。",
         "Helps families who still can't pay for medicine and care after insurance."),
    Fund("home", "安居微基金", "Safe Home Fund", "housing", "修缮低保、低收入和特困家庭的危房。",
         "Repairs unsafe homes of families on low income."),
    Fund("study", "启航助学微基金", "Study Aid Fund", "education", "资助困难家庭的学生读完高中和大学。",
         "Supports students of families in need through school and university."),
    Fund("elders", "乐龄微基金", "Elders Fund", "elderly", "为独居和失能老人送餐、装扶手、做陪护。",
         "Meals, handrails and care for elders living alone."),
    Fund("rescue", "澜江应急微基金", "Emergency Fund", "emergency", "水灾、火灾之后的临时安置和生活用品。",
         "Shelter and supplies after floods and fires."),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """A project of the story: months relative to the present month, money in yuan."""

    slug: str
    fund: str
    name: str
    name_en: str
    summary: str
    summary_en: str
    category: str
    start: int
    months: int
    target: int
    end: str  # the state the story leaves it in
    gifts: int = 0
    families: int = 0
    expenses: int = 0
    aid_yuan: tuple[int, int] = (800, 6_000)
    town: str = ""
    partner: str = ""
    emergency: bool = False


PLANS = [
    Plan("child-illness", "raindrop", "“小雨点”儿童大病救助", "Raindrop: children with serious illness",
         "医保报销之后，仍付不起自费药和陪护住宿的家庭。", "For families who can't pay what insurance leaves.",
         "illness", -8, 12, 520_000, "raising", gifts=150, families=42, expenses=2),
    Plan("shiqiao-homes", "home", "石桥镇危房修缮", "Repairing unsafe homes in Shiqiao",
         "换掉渗水的屋面，加固开裂的墙和梁，验收合格才付款。", "New roofs and braced walls, paid after inspection.",
         "housing", -7, 10, 380_000, "raising", gifts=80, expenses=9, town="shiqiao", partner="anju"),
    Plan("autumn-tuition", "study", "秋季助学金", "Autumn tuition",
         "大学每年8,000元，高中3,000元，初中1,000元。", "8,000 yuan a year at university, 3,000 and 1,000 at school.",
         "education", -6, 8, 300_000, "raising", gifts=60, families=24, aid_yuan=(1_000, 8_000), partner="qihang"),
    Plan("elder-meals", "elders", "独居老人送餐", "Meals for elders living alone",
         "为独居老人每天送一顿热饭，顺路看看他们好不好。", "One warm meal a day, and a look at how they are.",
         "elderly", -10, 6, 120_000, "executing", gifts=50, expenses=8),
    Plan("hengxi-flood", "rescue", "横溪镇水灾应急救助", "Hengxi flood relief",
         "两次内涝之后，灶台、被褥和药要重新置办。", "Stoves, bedding and medicine after two floods.",
         "emergency", -3, 9, 200_000, "raising", gifts=60, families=15, expenses=3, town="hengxi", emergency=True),
    Plan("ramps", "elders", "轮椅坡道进家门", "Wheelchair ramps to the door",
         "给失能老人和残疾人家庭装坡道和扶手。", "Ramps and handrails for families who need them.",
         "disability", 0, 9, 90_000, "filed"),
]  # fmt: skip

EPIDEMIC = Plan(
    "epidemic-2020", "rescue", "新型肺炎防控", "Epidemic relief 2020",
    "2020年1月起的疫情防控募捐，线下名单由此记入。", "The campaign of January 2020; offline lists are recorded here.",
    "emergency", 0, 12, 400_000_000, "closed", emergency=True,
)  # fmt: skip

EXPENSES = [
    ("屋面瓦和防水卷材", "materials", (6_000, 18_000)), ("檩条和砂石", "materials", (3_000, 9_000)),
    ("修缮人工", "labour", (4_000, 12_000)), ("建材短途运费", "labour", (600, 1_800)),
    ("热餐食材", "materials", (3_000, 6_500)), ("送餐人工", "labour", (2_000, 4_000)),
    ("被褥和灶具", "materials", (4_000, 9_000)), ("项目走访交通", "management", (300, 900)),
]  # fmt: skip
ALIASES = ["老街坊", "河边的树", "二零一九届", "卖豆腐的", "石桥人", "一家三口", "夜班司机", "图书馆常客"]
MESSAGES = ["愿早日好起来。", "一点心意。", "希望用在该用的地方。", "加油。", "谢谢在一线的人。", ""]
