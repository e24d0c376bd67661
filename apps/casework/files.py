"""Attachments as files: what they are by content, a picture made anew, and where the encrypted bytes lie."""

from __future__ import annotations

import io
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from PIL import Image

from apps.casework.models import Attachment
from apps.core.errors import BadInput
from apps.core.images import BadImage, TooManyPixels, open_upright

LARGEST = 12 * 1024 * 1024
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 3000
"""Pixels; a phone's photo of a paper stays readable."""

SUFFIX = {"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}
_TYPES = Attachment.ContentType
_MAGIC = ((b"%PDF-", _TYPES.PDF), (b"\xff\xd8\xff", _TYPES.JPEG), (b"\x89PNG\r\n\x1a\n", _TYPES.PNG))
_HEIC = re.compile(rb"^.{4}ftyp(heic|heix|hevc|mif1|msf1|heim|heis|avif)", re.DOTALL)
_FORMAT = {_TYPES.JPEG: "JPEG", _TYPES.PNG: "PNG", _TYPES.WEBP: "WEBP"}
_NAME = re.compile(r"^[0-9a-f]{32}$")


class BadFile(BadInput):
    code = "bad_file"
    field = "file"


@dataclass(frozen=True, slots=True)
class Clean:
    content: bytes
    content_type: str


def cleaned(content: bytes) -> Clean:
    """This will tell a file's type by its content and give the bytes that may be kept: a PDF as it is, a picture made
    anew (pixels only, no EXIF, no hidden tail). Raises BadFile with what to do."""
    if not content:
        raise BadFile(_("文件是空的。请重新选择。"))
    if len(content) > LARGEST:
        raise BadFile(_("文件太大：最多12 MB。请压缩或分开上传。"))
    kind = _kind(content)
    if kind == _TYPES.PDF:
        if b"%%EOF" not in content[-2048:]:
            raise BadFile(_("这个PDF不完整。请重新扫描或导出后再上传。"))
        return Clean(content, kind)
    return Clean(_picture(content, _FORMAT[kind]), kind)


def _kind(content: bytes) -> _TYPES:
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _TYPES.WEBP
    if _HEIC.match(content[:32]):
        raise BadFile(
            _("这是HEIC照片，这里打不开。请在手机上改成“兼容性最佳”（JPEG）后再拍，或转成JPEG上传。")
        )
    raise BadFile(_("只收PDF、JPEG、PNG和WebP。文件内容不是其中之一，和文件名无关。"))


def _picture(content: bytes, wanted: str) -> bytes:
    try:
        upright = open_upright(content, formats=(wanted,), most_pixels=MOST_PIXELS)
    except TooManyPixels as error:
        raise BadFile(_("照片的像素太多：最多4000万。请缩小后再上传。")) from error
    except BadImage as error:
        raise BadFile(_("照片打不开，可能没有传完整。请重新拍照或导出后再上传。")) from error
    pixels = upright.convert("RGBA" if wanted != "JPEG" and "A" in upright.getbands() else "RGB")
    pixels.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    bare = Image.new(pixels.mode, pixels.size)
    bare.paste(pixels)
    made = io.BytesIO()
    bare.save(made, wanted, **({"quality": 88} if wanted != "PNG" else {}))
    return made.getvalue()


def new_name() -> str:
    return secrets.token_hex(16)


def folder() -> Path:
    """This will give where the encrypted files lie; web and worker share it."""
    return Path(settings.DATA_DIR) / "casework"


def path_of(name: str) -> Path:
    if not _NAME.match(name):
        raise ValueError("not a name this room gave")
    return folder() / name[:2] / name


def write(name: str, sealed: bytes) -> None:
    """This will write a file that only the site's own user reads, whole or not at all."""
    path = path_of(name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(sealed)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def replace(name: str, sealed: bytes) -> None:
    """This will put other bytes in a file's place, whole or not at all."""
    path_of(name).with_suffix(".part").unlink(missing_ok=True)
    write(name, sealed)


def read(name: str) -> bytes | None:
    """This will give a file's encrypted bytes, or None where it is gone."""
    try:
        return path_of(name).read_bytes()
    except FileNotFoundError:
        return None


def remove_all(names: Iterable[str]) -> None:
    """This will remove files; safe to repeat."""
    for name in names:
        remove(name)


def remove(name: str) -> None:
    """This will remove a file; safe to repeat."""
    path_of(name).unlink(missing_ok=True)
