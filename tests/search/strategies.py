"""Documents, queries and filters for the contract test: punctuation, full width, other scripts, operators, quotes."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

from apps.core.money import Money
from apps.publication.drafts import Facet, RowDraft
from search.contract import FACETS, SearchRequest

PIECES = [
    "危房", "改造", "石桥镇", "助学", "金", "学", "生", "贫困", "退款", "後", "发", "York", "new", "don", "Donation",
    "2026", "年", "1,234.50", "8", "，", "。", "、", " ", "-", "《", "》", ".", "(", ")", "）",
    '"', "”", "'", "\\", "|", "&", "$",
    "#v0", "/", "*", "\x00", "é", "e\u0301", "𠮷", "カ", "한", "ＡＢ", "OR", "NOT", "AND", "\ud800", "\u200b",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=9).map("".join)
stored = texts.map(lambda text: text.replace("\x00", "").replace("\ud800", ""))
"""What a database can hold; the query may hold anything."""

ORGANIZATIONS = [Facet("org1", "澜江市慈善总会", "Lanjiang Federation"), Facet("org2", "启棠促进会")]
FUNDS = [Facet("f1", "安居微基金"), Facet("f2", "助学金"), None]
PROJECTS = [Facet("p1", "石桥镇危房", "Shiqiao houses"), Facet("p2", "york改造"), None]
CATEGORIES = [Facet("housing", "危房", "Housing"), Facet("education", "教育"), None]
TOWNS = [Facet("t1", "石桥镇"), Facet("t2", "横溪镇"), None]
KINDS = [Facet("progress", "实施进展报告"), Facet("closing", "结项报告")]


@st.composite
def rows(draw: st.DrawFn) -> list[RowDraft]:
    made = []
    for number in range(draw(st.integers(1, 14))):
        fund = draw(st.integers(0, 2))
        project = (
            draw(st.sampled_from([0, 2]))
            if fund == 0
            else (draw(st.sampled_from([1, 2])) if fund == 1 else 2)
        )
        # a project belongs to one fund and a fund to one organization, as in the product
        made.append(
            RowDraft(
                view=draw(st.sampled_from(["use", "use", "report"])),
                source=f"test/{number}",
                batch="test",
                public_id=f"test{number}",
                link="/disclosures/test/",
                amount=Money(draw(st.integers(-500, 3_000_00)), draw(st.sampled_from(["CNY", "CNY", "USD"]))),
                household_times=draw(st.integers(0, 40)),
                day=draw(st.dates(dt.date(2025, 11, 1), dt.date(2026, 2, 28))),
                period=draw(st.sampled_from(["month", "month", "quarter", "year"])),
                organization=ORGANIZATIONS[fund % 2] if fund < 2 else draw(st.sampled_from(ORGANIZATIONS)),
                fund=FUNDS[fund],
                project=PROJECTS[project],
                category=draw(st.sampled_from(CATEGORIES)),
                town=draw(st.sampled_from(TOWNS)),
                kind=draw(st.sampled_from(KINDS)),
                opinion=draw(st.sampled_from(["none", "unqualified", "qualified"])),
                heading=draw(stored),
                text=draw(stored),
            )
        )
    return made


queries = st.one_of(
    texts,
    st.lists(
        st.sampled_from(["-", "NOT ", "OR ", "(", ")", "“", "”", " ", " "]) | st.sampled_from(PIECES),
        max_size=12,
    ).map("".join),
    st.sampled_from(
        ["-退款", "石桥镇危房", '"石桥镇危房"', "-(石桥镇危房 OR york改造)", "don*", '危房 OR -"石桥镇"', ""]
    ),
)
KEYS = {"organization": ["org1", "org2", "nobody"], "fund": ["f1", "f2", "nobody"], "project": ["p1", "p2"],
        "category": ["housing", "education"], "town": ["t1", "t2"], "kind": ["progress", "closing"],
        "opinion": ["none", "unqualified", "qualified", "adverse"]}  # fmt: skip


@st.composite
def requests(draw: st.DrawFn) -> SearchRequest:
    narrowed = draw(st.lists(st.sampled_from(FACETS), unique=True, max_size=2)) if draw(st.booleans()) else []
    ranges = draw(st.booleans())
    return SearchRequest(
        view=draw(st.sampled_from(["use", "use", "report"])),
        query=draw(queries),
        facets={
            name: tuple(draw(st.lists(st.sampled_from(KEYS[name]), min_size=1, max_size=2)))
            for name in narrowed
        },
        amount_min=draw(st.none() | st.integers(-100, 2_000_00)) if ranges else None,
        amount_max=draw(st.none() | st.integers(0, 3_000_00)) if ranges else None,
        day_from=draw(st.none() | st.dates(dt.date(2025, 11, 1), dt.date(2026, 1, 31))) if ranges else None,
        day_to=draw(st.none() | st.dates(dt.date(2025, 12, 1), dt.date(2026, 3, 1))) if ranges else None,
        sort=draw(st.sampled_from(["relevance", "relevance", "date", "amount"])),
        limit=draw(st.sampled_from([1, 3, 20])),
    )
