"""Files that belong to reports: told by their content, kept on disk under their own SHA-256, never rewritten (D3, D5).

Photos are made anew from their pixels. A PDF is kept as it came, because its hash must be that of the paper the
organization signed; it is only ever served as a download.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from apps.core.images import LARGEST_FILE, BadImage, remake_picture
from apps.disclosures.errors import BadAttachment


@dataclass(frozen=True, slots=True)
class Kept:
    """A file as it was kept."""

    content_type: str
    size: int
    sha256: str


def folder() -> Path:
    """This will give the directory of reports' files."""
    return Path(settings.MEDIA_ROOT) / "reports"


def path_of(sha256: str) -> Path:
    """This will give where the file of a hash lies."""
    return folder() / sha256[:2] / sha256


def keep(content: bytes) -> Kept:
    """This will keep a file and give its type by content, size and hash. Raises BadAttachment for anything that is no
    PDF and no photo, or is larger than 15 MB. Safe to repeat: the same bytes lie once."""
    if not content or len(content) > LARGEST_FILE:
        raise BadAttachment()
    if content.startswith(b"%PDF-") and b"%%EOF" in content[-2048:]:
        kind = "application/pdf"
    else:
        try:
            content, kind = remake_picture(content, longest_side=2400).content, "image/jpeg"
        except (BadImage, KeyError) as error:  # KeyError: Pillow opens no "MPO" by that name
            raise BadAttachment() from error
    digest = hashlib.sha256(content).hexdigest()
    place = path_of(digest)
    if not is_whole(digest):
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(file.name, 0o440)
        os.replace(file.name, place)
    return Kept(kind, len(content), digest)


def read(sha256: str) -> bytes:
    """This will read a file by its hash; raises FileNotFoundError when it is gone."""
    return path_of(sha256).read_bytes()


def is_whole(sha256: str) -> bool:
    """This will tell whether the bytes on disk still hash to their name."""
    try:
        return hashlib.sha256(read(sha256)).hexdigest() == sha256
    except OSError:
        return False
