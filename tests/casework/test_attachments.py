"""Evidence: the type is what the bytes say, pictures lose everything but pixels, files lie encrypted."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from PIL import Image

from apps.casework import files, operations
from apps.casework.models import AccessRow, Attachment, Household
from apps.core.errors import NotFound, PermissionRefused
from tests import world as w

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def picture(kind: str = "JPEG", size: tuple[int, int] = (40, 30), **save: Any) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, (180, 40, 30)).save(made, kind, **save)
    return made.getvalue()


def add(city: w.World, family: Household, content: bytes, kind: str = "diagnosis", **more: Any) -> Attachment:
    return operations.add_attachment(
        actor=city.people["caseworker_shiqiao"],
        household=family,
        kind=kind,
        content=content,
        now=w.NOW,
        **more,
    )


def opened(city: w.World, attachment: Attachment, who: str = "reviewer_shiqiao") -> operations.Opened:
    return operations.open_attachment(
        actor=city.people[who], attachment=attachment, reason="核对单据", now=w.NOW
    )


def test_a_file_lies_encrypted_and_opens_only_with_a_row(data_dir: Path) -> None:
    city = w.build()
    family = w.household(city, 1)
    kept = add(city, family, PDF)
    path = files.path_of(kept.stored_name)
    assert data_dir in path.parents and oct(path.stat().st_mode & 0o777) == "0o600"
    assert b"PDF" not in path.read_bytes()
    assert AccessRow.objects.count() == 0
    read = opened(city, kept)
    assert (read.content, read.content_type) == (PDF, "application/pdf")
    assert AccessRow.objects.get().fields == f"attachment.{kept.public_id}"
    for who in ("reviewer_hengxi", "manager", "cashier", "supervisor"):
        with pytest.raises(PermissionRefused):
            opened(city, kept, who)
    assert AccessRow.objects.count() == 1


def test_a_swapped_or_lost_file_is_not_read_as_another(data_dir: Path) -> None:
    city = w.build()
    one, two = add(city, w.household(city, 1), PDF), add(city, w.household(city, 2), PDF)
    os.replace(files.path_of(two.stored_name), files.path_of(one.stored_name))
    with pytest.raises(InvalidTag):
        opened(city, one)
    with pytest.raises(NotFound):
        opened(city, two)
    assert AccessRow.objects.count() == 0


def test_a_picture_keeps_its_pixels_and_nothing_else() -> None:
    city = w.build()
    family = w.household(city, 1)
    exif = Image.Exif()
    exif[0x010E] = "CANARYPLACE"
    exif.get_ifd(0x8825)[2] = (22.0, 30.0, 0.0)
    raw = picture(exif=exif.tobytes(), comment=b"CANARYPLACE") + b"<script>CANARYPLACE</script>"
    read = opened(city, add(city, family, raw, "photo_before"))
    assert b"CANARYPLACE" not in read.content and b"script" not in read.content
    image = Image.open(io.BytesIO(read.content))
    assert image.size == (40, 30) and not image.getexif()


def test_the_content_decides_not_the_name() -> None:
    city = w.build()
    family = w.household(city, 1)
    for content, kind in (
        (PDF, "application/pdf"),
        (picture("PNG"), "image/png"),
        (picture("WEBP"), "image/webp"),
    ):
        assert add(city, family, content).content_type == kind


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"MZ\x90\x00 program",
        b"PK\x03\x04 archive",
        b"GIF89a" + b"\0" * 40,
        b"\x00\x00\x00\x18ftypheic" + b"\0" * 40,
        b"%PDF-1.4 cut short",
        b"\xff\xd8\xff not really",
        b"RIFF\x00\x00\x00\x00WEBPnothing",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 60,
        picture()[:200],
    ],
)
def test_what_is_no_document_is_refused_and_leaves_nothing(content: bytes, data_dir: Path) -> None:
    city = w.build()
    family = w.household(city, 1)
    with pytest.raises(files.BadFile):
        add(city, family, content)
    assert Attachment.objects.count() == 0
    assert [path for path in (data_dir / "casework").rglob("*") if path.is_file()] == []


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    """60,000 x 60,000 pixels in a few hundred bytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )
    with pytest.raises(files.BadFile):
        files.cleaned(bomb)
    with pytest.raises(files.BadFile):
        files.cleaned(PDF + b"\0" * files.LARGEST)


def test_a_failure_after_the_file_was_written_takes_it_back(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = w.build()
    family = w.household(city, 1)

    def full(**_: object) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr(Attachment.objects, "create", full)
    with pytest.raises(RuntimeError):
        add(city, family, PDF)
    assert [path for path in data_dir.rglob("*") if path.is_file()] == []


def test_the_same_paper_in_two_cases_shows() -> None:
    from apps.casework.queries import same_attachments

    city = w.build()
    one, two = w.household(city, 1), w.household(city, 2)
    first = add(city, one, picture())
    add(city, one, picture())
    assert same_attachments(first) == []
    second = add(city, two, picture())
    assert same_attachments(first) == [second.pk]
