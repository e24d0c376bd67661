"""The privacy check on text (C5): nothing that points at a person becomes public through a page or a report.

`find_personal` knows patterns and given words, `find_all` moreover compares the text with the keyed hashes of all
families' names, numbers and addresses and looks for rare combinations. docs/privacy.md says what blocks and what can be
let through by a second person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from django.utils.translation import gettext_lazy as _
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from apps.casework.identity import folded
from apps.casework.queries import Trace, traces_in
from apps.core.crypto import blind_index
from apps.core.errors import BadInput, Text
from apps.places.queries import town_names
from apps.publication.models import PrivacyOverride

log = structlog.get_logger(__name__)

_GAP = r"[\s\-\u2010-\u2015_·.]*"
# Looked for from every digit that begins a number, gaps allowed inside: a house number or a date that stands before a
# number must not hide it.
_ID = re.compile(rf"(?<!\d)(?=(\d(?:{_GAP}\d){{16}}{_GAP}[\dXx])(?![\dXx]))")
_PHONE = re.compile(rf"(?:(?<!\d)|(?<!\d)86)1{_GAP}[3-9](?:{_GAP}\d){{9}}(?!\d)")
_CARD = re.compile(r"(?<!\d)\d{16,19}(?!\d)")
_GAPS = re.compile(rf"(?<=\d){_GAP}(?=[\dXx])")
_LINES = re.compile(r"(?<!\d)\d{4}(?:[\s\-]\d{4}){3}(?:[\s\-]\d{1,3})?(?!\d)")

_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·. ]?"
    r"[A-HJ-NP-Z0-9]{5,6}(?![A-Za-z0-9])"
)
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_ADDRESS = re.compile(
    r"[\u4e00-\u9fff](?:路|街|巷|弄|胡同|大道|村|组|里|小区|苑|花园)\d{1,5}(?:号|栋|幢|座|弄|室)"
)
_AGE = re.compile(r"(?:\d{1,3}|[一二三四五六七八九十]{1,3})(?:周)?岁")
_ILLNESS = re.compile(
    r"白血病|癌|肿瘤|尿毒症|肾衰|透析|再生障碍|地中海贫血|血友病|先天性|心脏病|脑瘫|自闭症|孤独症|唐氏|罕见病|渐冻|"
    r"肌无力|帕金森|精神分裂|艾滋|骨髓移植|换肾|截瘫|烧伤|癫痫|红斑狼疮"
)
_SCHOOL = re.compile(r"[\u4e00-\u9fff]{2,8}(?:小学|中学|高中|初中|幼儿园|大学|学院|职校|中专)")
_VILLAGE = re.compile(r"[\u4e00-\u9fff]{2}(?:村|社区|屯)")
_AFTER_NAME = re.compile(
    r"^[,，、（(]?(?:今年|现年|年仅)?(?:\d{1,3}|[一二三四五六七八九十]{1,3})(?:周)?岁|^(?:同学|小朋友|女士|先生|老人|大爷|大妈|大叔|"
    r"阿姨|叔叔|奶奶|爷爷|婆婆|伯伯|一家|家里|家庭|全家|患|确诊|因病|住院|的(?:妈妈|爸爸|母亲|父亲|女儿|儿子|丈夫|妻子|爷爷|奶奶|孩子|家))"
)
_BEFORE_NAME = re.compile(
    r"(?:儿子|女儿|母亲|父亲|妈妈|爸爸|妻子|丈夫|爷爷|奶奶|户主|患者|受助人|学生|孩子|孤儿|名叫|叫做|姓名[:：]?|村民|居民|"
    r"老人|家长)$"
)

FOR_EVER = frozenset({"id_number", "phone", "bank_card", "case_number", "consent"})
"""Kinds that nobody can let through."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that must not be published. The value itself is not kept, so that logs stay clean."""

    kind: str
    message: Text


class NotPublishable(BadInput):
    """A text holds personal details; the editor is told which kind, never shown somebody else's."""

    code = "privacy_check"

    def __init__(self, hits: Iterable[Hit], field: str | None = None) -> None:
        self.hits = list(hits)
        kinds = "；".join(dict.fromkeys(str(hit.message) for hit in self.hits))
        words = str(_("没有公布。文字里有个人信息：%(kinds)s。请删去后再试。")) % {"kinds": kinds}
        if not any(hit.kind in FOR_EVER for hit in self.hits):
            words += str(_("确实可以公布的，请到工作台“公布前核对”申请，由第二个人放行。"))
        super().__init__(words, field=field)


def find_personal(text: str, private_values: Iterable[str] = ()) -> list[Hit]:
    """This will find ID numbers, mobile numbers, bank cards and given private values in a text (C5).

    Full-width digits and separators between digits are seen through. `private_values` are a case's own
    names and places.
    """
    seen = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    plain = _GAPS.sub("", seen)
    hits: list[Hit] = []
    for match in _ID.finditer(seen):
        if _is_id(re.sub(_GAP, "", match.group(1))):
            hits.append(Hit("id_number", _("身份证号")))
    if _PHONE.search(seen):
        hits.append(Hit("phone", _("手机号")))
    cards = {match.group() for each in (seen, plain) for match in _CARD.finditer(each)}
    cards |= {re.sub(r"\D", "", match.group()) for match in _LINES.finditer(seen)}
    if any(_luhn(card) for card in cards):
        hits.append(Hit("bank_card", _("银行卡号")))
    folded = plain.casefold()
    if any(len(value.strip()) >= 2 and value.strip().casefold() in folded for value in private_values):
        hits.append(Hit("case_value", _("家庭档案里的内容")))
    return hits


def find_patterns(text: str) -> list[Hit]:
    """This will find what often points at a person and is sometimes meant to be public: plates, mail addresses, places
    with a house number, and rare combinations (an age, a place and an illness or school)."""
    plain = unicodedata.normalize("NFKC", text)
    tight = folded(text)
    hits = []
    if _PLATE.search(plain):
        hits.append(Hit("plate", _("车牌号")))
    if _MAIL.search(plain):
        hits.append(Hit("mail", _("邮箱地址")))
    if _ADDRESS.search(tight):
        hits.append(Hit("address", _("带门牌号的地址")))
    return hits


def find_all(text: str, private_values: Iterable[str] = (), *, town_ids: Iterable[int] = ()) -> list[Hit]:
    """This will find everything C5 forbids in a text that is to become public: what `find_personal` and `find_patterns`
    find, what stands in any family's file (one query over keyed hashes, nothing is decrypted), and rare combinations.

    `town_ids`: towns the text is about, where the caller knows them; towns named in the text count as well.
    """
    tight = folded(text)
    named = {
        pk
        for pk, (zh, en) in town_names().items()
        if _names_town(zh, tight) or en.casefold() in text.casefold()
    }
    hits = find_personal(text, private_values) + find_patterns(text) + _rare(tight, bool(named))
    for trace in traces_in(text):
        hit = _judged(trace, tight, named | set(town_ids))
        if hit is not None and hit not in hits:
            hits.append(hit)
    return hits


def check_publishable(
    text: str, private_values: Iterable[str] = (), *, field: str | None = None, town_ids: Iterable[int] = ()
) -> None:
    """This will let a text pass or raise NotPublishable. What a second person has let through (PrivacyOverride) passes,
    as the whole text or line by line; numbers of people never do."""
    values, towns = list(private_values), list(town_ids)
    hits = find_all(text, values, town_ids=towns)
    if hits and not _let_through(text, hits, values, towns):
        log.warning("publication.text_stopped", kinds=sorted({hit.kind for hit in hits}), field=field)
        raise NotPublishable(hits, field)


def check_typed_in_public(text: str, *, field: str | None = None) -> None:
    """This will let a visitor's words pass or raise NotPublishable, by patterns alone: asked of the families' files, a
    public form would tell anyone who tries whether a name or number is in them."""
    hits = find_personal(text)
    if hits:
        raise NotPublishable(hits, field)


def text_digest(text: str) -> str:
    """This will give the keyed hash under which a text is let through; white space makes no difference."""
    return blind_index("privacy-text", folded(text))


def _let_through(text: str, hits: list[Hit], values: list[str], towns: list[int]) -> bool:
    if any(hit.kind in FOR_EVER for hit in hits):
        return False
    lines = [line for line in text.splitlines() if line.strip()]
    digests = {text_digest(part): part for part in (text, *lines)}
    allowed = {
        row.digest: set(row.kinds)
        for row in PrivacyOverride.objects.filter(digest__in=list(digests), allowed=True)
    }
    kinds = {hit.kind for hit in hits}
    if kinds <= allowed.get(text_digest(text), set()):
        return True
    covered: set[str] = set()
    for line in lines:
        own = {hit.kind for hit in find_all(line, values, town_ids=towns)}
        if not own <= allowed.get(text_digest(line), set()):
            return False
        covered |= own
    # What shows only when the lines are read together needs the whole text's own permission.
    return kinds <= covered


def _judged(trace: Trace, tight: str, towns: set[int]) -> Hit | None:
    """A number of a file blocks always, its street and house number too. A name blocks in a combination only, because
    names are also words: beside an age, kin or patient's word, or (3 signs or more) in a text about the family's
    town."""
    if trace.kind == "number":
        return Hit("case_number", _("家庭档案里的证件号、电话或账号"))
    if trace.kind == "address":
        return Hit("case_address", _("家庭档案里的住址"))
    after = tight[trace.place + len(trace.word) : trace.place + len(trace.word) + 12]
    before = tight[max(0, trace.place - 6) : trace.place]
    if (
        _AFTER_NAME.search(after)
        or _BEFORE_NAME.search(before)
        or (len(trace.word) >= 3 and trace.town_id in towns)
    ):
        return Hit("case_name", _("家庭档案里的姓名"))
    return None


def _rare(tight: str, has_town: bool) -> list[Hit]:
    place = has_town or _VILLAGE.search(tight)
    if place and _AGE.search(tight) and (_ILLNESS.search(tight) or _SCHOOL.search(tight)):
        return [Hit("rare_combination", _("年龄、地点和疾病（或学校）写在一起，可能认出是谁"))]
    return []


def _names_town(name: str, tight: str) -> bool:
    return name in tight or (len(name) > 2 and name[:-1] in tight)


def _is_id(number: str) -> bool:
    try:
        ric.validate(number.upper())
    except ValidationError:
        return False
    return True


def _luhn(number: str) -> bool:
    digits = [int(d) for d in reversed(number)]
    doubled = (d * 2 - 9 if d > 4 else d * 2 for d in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
