"""Lists of other departments: read in any usual form, kept as hashes, matched now and later, replaced with history."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from apps.casework import files, operations, queries, registry_files
from apps.casework.models import DisabilityRow, Household, Member, RegistryEntry, RegistryList, TierRow
from apps.casework.operations.tiers import matches
from apps.core.errors import PermissionRefused
from apps.core.tables.opening import UnreadableTable
from apps.core.tables.writing import xlsx_bytes
from tests import world as w
from tests.casework.people import add_member, number

pytestmark = pytest.mark.django_db
DAY = w.NOW.date()
HEADER = "序号,姓名,公民身份号码,审批日期,有效期至"


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def city() -> w.World:
    world = w.build()
    world.people["city_reviewer"] = w.person("city_reviewer", ("city_reviewer", "city", 0))
    return world


def table(*numbers: str, until: str = "2027-06-30", header: str = HEADER) -> str:
    rows = [f"{n},某某{n},{one},2026-01-01,{until}" for n, one in enumerate(numbers, start=1)]
    return "\r\n".join(["某市某区名单", header, *rows]) + "\r\n"


def upload(
    city: w.World, content: bytes, kind: str = "dibao", as_of: dt.date = DAY, **more: Any
) -> RegistryList:
    item = operations.upload_registry_list(
        actor=city.people["city_reviewer"], kind=kind, source="市民政局", as_of=as_of, content=content,
        file_name="名单.csv", now=w.NOW,
    )  # fmt: skip
    return operations.read_registry_list(pk=item.pk, now=w.NOW)


def live(city: w.World, content: bytes, now: dt.datetime = w.NOW, **more: Any) -> RegistryList:
    item = upload(city, content, **more)
    operations.confirm_registry_list(actor=city.people["city_reviewer"], item=item, now=now)
    return operations.apply_registry_list(pk=item.pk, now=now)


def tier(family: Household) -> str:
    family.refresh_from_db()
    return family.income_tier


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_list_in_any_usual_encoding_fills_the_tier_with_its_source(city: w.World, encoding: str) -> None:
    family = w.household(city, 1)
    other = w.household(city, 2)
    item = live(
        city, table(w.id_number(1), number(dt.date(1950, 1, 1)), header=HEADER).encode(encoding), kind="tekun"
    )
    assert (item.status, item.total, item.bad, item.matched) == ("live", 2, 0, 1)
    assert (tier(family), tier(other)) == ("tekun", "dibao")
    row = TierRow.objects.filter(household=family).latest("id")
    assert (row.source, row.registry_list, row.valid_from, row.valid_until) == (
        "registry", item.pk, dt.date(2026, 1, 1), dt.date(2027, 6, 30),
    )  # fmt: skip


def test_a_workbook_and_a_members_number(city: w.World) -> None:
    family = w.household(city, 1)
    add_member(city, family)
    rows = [["姓名", "身份证号"], ["某某", number(dt.date(2016, 5, 4))]]
    live(city, xlsx_bytes(rows), kind="child")
    assert tier(family) == "child"


def test_nothing_but_hashes_stays(
    city: w.World, data_dir: Path, django_capture_on_commit_callbacks: Any
) -> None:
    secret = number(dt.date(1951, 2, 3))
    item = upload(city, table(secret).encode())
    sealed = [path for path in data_dir.rglob("*") if path.is_file()]
    assert len(sealed) == 1 and secret.encode() not in sealed[0].read_bytes()
    operations.confirm_registry_list(actor=city.people["city_reviewer"], item=item, now=w.NOW)
    with django_capture_on_commit_callbacks(execute=True):
        operations.apply_registry_list(pk=item.pk, now=w.NOW)
    assert [path for path in data_dir.rglob("*") if path.is_file()] == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(e::text, ' ') FROM casework_registryentry e")
        entries = cursor.fetchone()[0]
        cursor.execute("SELECT string_agg(l::text, ' ') FROM casework_registrylist l")
        lists = cursor.fetchone()[0]
    for words in (secret, "某某"):
        assert words not in entries and words not in lists


def test_a_family_registered_later_is_matched_then(city: w.World) -> None:
    live(city, table(w.id_number(3)).encode(), kind="tekun")
    assert tier(w.household(city, 3)) == "tekun"
    family = w.household(city, 4)
    assert tier(family) == "dibao"
    live(city, table(number(dt.date(2016, 5, 4))).encode(), kind="disability")
    child = add_member(city, family)
    child.refresh_from_db()
    assert child.has_disability and tier(family) == "dibao"


def test_bad_lines_are_named_by_number_and_left_out(city: w.World) -> None:
    good = number(dt.date(1952, 1, 1))
    lines = [good, good[:-1] + ("0" if good[-1] != "0" else "1"), "", good, "4.40106195201015E+17"]
    content = table(*lines) + f"6,某某,{number(dt.date(1953, 1, 1))},2026-05-01,2026-04-01\r\n"
    content += f"7,某某,{number(dt.date(1954, 1, 1))},2026-05-01,不知道\r\n"
    item = upload(city, content.encode())
    assert {(fault["row"], fault["code"]) for fault in item.errors} == {
        (4, "bad_id_number"), (5, "id_missing"), (6, "doubled"), (7, "number_mangled"), (8, "period"),
        (9, "date_unreadable"),
    }  # fmt: skip
    assert (item.total, item.bad, RegistryEntry.objects.count()) == (7, 6, 1)
    assert set(registry_files.FAULTS) >= {fault["code"] for fault in item.errors}


def test_the_next_list_replaces_and_lowers_with_history(city: w.World) -> None:
    one, two = w.household(city, 1), w.household(city, 2)
    first = live(city, table(w.id_number(1), w.id_number(2)).encode())
    second = live(city, table(w.id_number(2)).encode(), as_of=DAY)
    first.refresh_from_db()
    assert (first.status, second.status) == ("replaced", "live")
    assert (tier(one), tier(two)) == ("none", "dibao")
    said = list(TierRow.objects.filter(household=one).order_by("id").values_list("tier", "registry_list"))
    assert said == [("dibao", None), ("dibao", first.pk), ("none", second.pk)]
    assert not RegistryEntry.objects.filter(list=first).exists()
    with pytest.raises(DatabaseError), transaction.atomic():
        TierRow.objects.filter(household=one).update(tier="tekun")


def test_who_leaves_one_list_keeps_what_another_says(city: w.World) -> None:
    family = w.household(city, 1)
    live(city, table(w.id_number(1)).encode(), kind="low_income")
    live(city, table(w.id_number(1)).encode(), kind="tekun")
    assert tier(family) == "tekun"
    live(city, table(w.id_number(9)).encode(), kind="tekun")
    assert tier(family) == "low_income"


def test_an_entry_that_ends_lowers_the_tier_by_the_clock(city: w.World) -> None:
    family = w.household(city, 1)
    live(city, table(w.id_number(1), until="2026-12-31").encode(), kind="tekun")
    later = w.NOW + dt.timedelta(days=60)
    assert queries.tier_on(family, dt.date(2026, 12, 31)) == "tekun"
    operations.lower_ended_tiers(now=later)
    # What the caseworker had seen proof of, without an end, counts again.
    assert tier(family) == "dibao"


def test_an_older_list_and_an_empty_one_are_refused(city: w.World) -> None:
    live(city, table(w.id_number(1)).encode())
    older = upload(city, table(w.id_number(2)).encode(), as_of=DAY - dt.timedelta(days=1))
    with pytest.raises(operations.OlderList):
        operations.confirm_registry_list(actor=city.people["city_reviewer"], item=older, now=w.NOW)
    empty = upload(city, table("x").encode(), kind="child")
    with pytest.raises(operations.NothingReadable):
        operations.confirm_registry_list(actor=city.people["city_reviewer"], item=empty, now=w.NOW)


def test_columns_can_be_named_by_hand(city: w.World) -> None:
    family = w.household(city, 1)
    content = f"甲,{w.id_number(1)}\n".encode()
    item = upload(city, content, kind="tekun")
    assert item.status == "uploaded" and item.columns == {}
    item = operations.choose_columns(
        actor=city.people["city_reviewer"], item=item, layout=registry_files.Layout(0, 1), now=w.NOW
    )
    item = operations.read_registry_list(pk=item.pk, now=w.NOW)
    assert (item.status, item.total, item.bad) == ("ready", 1, 0)
    assert tier(family) == "dibao"


@pytest.mark.parametrize(
    "content", [b"", b"<html><table></table></html>", b"PK\x03\x04 broken", b"\x89PNG\r\n\x1a\n"]
)
def test_what_is_no_table_is_refused_and_leaves_nothing(
    city: w.World, content: bytes, data_dir: Path
) -> None:
    with pytest.raises(UnreadableTable):
        upload(city, content)
    assert RegistryList.objects.count() == 0
    assert [path for path in data_dir.rglob("*") if path.is_file()] == []


def test_only_the_citys_reviewer(city: w.World) -> None:
    for who in ("caseworker_shiqiao", "reviewer_shiqiao", "manager", "supervisor"):
        with pytest.raises(PermissionRefused):
            operations.upload_registry_list(
                actor=city.people[who],
                kind="dibao",
                source="x",
                as_of=DAY,
                content=b"x",
                file_name="x",
                now=w.NOW,
            )


def test_the_database_keeps_one_live_list_a_kind(city: w.World) -> None:
    live(city, table(w.id_number(1)).encode())
    second = upload(city, table(w.id_number(2)).encode())
    with pytest.raises(IntegrityError), transaction.atomic():
        RegistryList.objects.filter(pk=second.pk).update(status="live")


def test_reading_goes_on_after_a_crash(city: w.World, monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.casework.operations import sharing

    monkeypatch.setattr(sharing, "STEP", 2)
    numbers = [number(dt.date(1960, 1, 1) + dt.timedelta(days=n)) for n in range(7)]
    item = operations.upload_registry_list(
        actor=city.people["city_reviewer"], kind="dibao", source="市民政局", as_of=DAY,
        content=table(*numbers).encode(), file_name="x.csv", now=w.NOW,
    )  # fmt: skip
    real, calls = sharing._keep, []

    def crash(*args: Any) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("killed")
        real(*args)

    monkeypatch.setattr(sharing, "_keep", crash)
    with pytest.raises(RuntimeError):
        operations.read_registry_list(pk=item.pk, now=w.NOW)
    item.refresh_from_db()
    assert (item.status, item.done) == ("uploaded", 4)
    monkeypatch.setattr(sharing, "_keep", real)
    operations.work_registry_lists(now=w.NOW)
    item.refresh_from_db()
    assert (item.status, item.total, RegistryEntry.objects.filter(list=item).count()) == ("ready", 7, 7)


def test_forgotten_lists_and_stray_files_are_swept(
    city: w.World, django_capture_on_commit_callbacks: Any
) -> None:
    item = upload(city, table(w.id_number(1)).encode())
    files.write("0" * 32, b"stray")
    assert operations.sweep_files(now=w.NOW + dt.timedelta(days=400)) == 1
    with django_capture_on_commit_callbacks(execute=True):
        operations.work_registry_lists(now=w.NOW + dt.timedelta(days=15))
    item.refresh_from_db()
    assert item.status == "refused" and not item.entries.exists()
    assert [path for path in files.folder().rglob("*") if path.is_file()] == []


def test_an_entry_that_has_ended_matches_nobody(city: w.World) -> None:
    live(city, table(w.id_number(1), until="2026-11-22").encode(), kind="tekun")
    assert tier(w.household(city, 1)) == "dibao"


def test_the_last_day_of_an_entry_still_counts_and_the_day_after_does_not(city: w.World) -> None:
    """Nothing is written down of an entry that has ended, and it hides no weaker one that stands."""
    family = w.household(city, 1)
    live(city, table(w.id_number(1), until="2026-11-23").encode(), kind="tekun")
    assert tier(family) == "tekun" and listed(family) == [("tekun", dt.date(2026, 11, 23))]
    after = w.NOW + dt.timedelta(days=1)
    live(city, table(w.id_number(1)).encode(), kind="low_income", now=after)
    assert tier(family) == "low_income", "the stronger list's entry ended the day before"
    other = w.household(city, 2)
    live(city, table(w.id_number(2), until="2026-11-22").encode(), kind="child")
    assert listed(other) == [] and matches([other.pk], DAY) == {}


def listed(family: Household) -> list[tuple[str, dt.date | None]]:
    rows = TierRow.objects.filter(household=family, source="registry").order_by("id")
    return list(rows.values_list("tier", "valid_until"))


def disabled(member: Member) -> bool:
    member.refresh_from_db()
    return member.has_disability


def said_of(member: Member) -> list[tuple[bool, str, int | None]]:
    rows = DisabilityRow.objects.filter(member=member).order_by("id")
    return list(rows.values_list("has_disability", "source", "registry_list"))


def test_who_leaves_the_list_of_the_disabled_loses_the_mark_with_history(city: w.World) -> None:
    family = w.household(city, 1)
    head, child = family.members.get(), add_member(city, family)
    first = live(city, table(w.id_number(1), number(dt.date(2016, 5, 4))).encode(), kind="disability")
    assert disabled(head) and disabled(child)
    second = live(city, table(w.id_number(1)).encode(), kind="disability")
    assert disabled(head) and not disabled(child)
    assert said_of(child) == [(True, "registry", first.pk), (False, "registry", second.pk)]
    assert said_of(head) == [(True, "registry", first.pk)]
    with pytest.raises(DatabaseError), transaction.atomic():
        DisabilityRow.objects.update(has_disability=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        DisabilityRow.objects.create(member=child, has_disability=True, source="registry", recorded_at=w.NOW)


def test_a_list_never_takes_away_what_a_caseworker_saw(city: w.World) -> None:
    family = w.household(city, 1)
    child = add_member(city, family, has_disability=True)
    listed = table(number(dt.date(2016, 5, 4))).encode()
    live(city, listed, kind="disability")
    live(city, table(w.id_number(9)).encode(), kind="disability")
    assert disabled(child) and said_of(child) == []
    actor = city.people["caseworker_shiqiao"]
    for has in (False, True, True):
        operations.change_member(
            actor=actor, member=child, schooling="primary", has_disability=has, now=w.NOW
        )
    assert said_of(child) == [(False, "caseworker", None), (True, "caseworker", None)]
    operations.remove_member(actor=actor, member=child, now=w.NOW)
    with pytest.raises(operations.MemberLeft):
        operations.change_member(actor=actor, member=child, schooling="none", has_disability=False, now=w.NOW)


def test_an_entry_that_ends_lowers_the_mark_by_the_clock(city: w.World) -> None:
    head = w.household(city, 1).members.get()
    live(city, table(w.id_number(1), until="2026-12-31").encode(), kind="disability")
    assert operations.lower_ended_disabilities(now=w.NOW) == 0 and disabled(head)
    assert operations.lower_ended_disabilities(now=w.NOW + dt.timedelta(days=60)) == 1 and not disabled(head)
    assert operations.lower_ended_disabilities(now=w.NOW + dt.timedelta(days=61)) == 0
