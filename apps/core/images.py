"""Pictures that strangers send: the type is told by the content, the size is capped, and the file is made anew from its
pixels, so that no EXIF, no place, no script and no second file within it survives."""

from __future__ import annotations

import io
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps, UnidentifiedImageError

from apps.core.errors import BadInput

LARGEST_FILE = 15 * 1024 * 1024
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 1600
FORMATS = ("JPEG", "PNG", "WEBP")


class BadImage(BadInput):
    code = "bad_image"
    message = _("这不是可用的照片。请上传JPEG、PNG或WebP照片，不超过15MB。")
    field = "photo"


@dataclass(frozen=True, slots=True)
class Picture:
    """A clean JPEG."""

    content: bytes
    width: int
    height: int


def remake_picture(content: bytes, *, longest_side: int = LONGEST_SIDE) -> Picture:
    """This will make a clean JPEG of a photo: upright, at most `longest_side` pixels, nothing but pixels.

    Raises BadImage for anything that is no JPEG, PNG or WebP by its content, is broken, or is larger than 15 MB or
    50 million pixels (told before it is unpacked).
    """
    if not content or len(content) > LARGEST_FILE:
        raise BadImage()
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            if not 0 < opened.width * opened.height <= MOST_PIXELS:
                raise BadImage()
            upright = ImageOps.exif_transpose(opened)
            upright.thumbnail((longest_side, longest_side))
            flat = Image.new("RGB", upright.size, "white")
            if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
                clear = upright.convert("RGBA")
                flat.paste(clear, mask=clear.getchannel("A"))
            else:
                flat.paste(upright.convert("RGB"))
    except BadImage:
        raise
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadImage() from error
    out = io.BytesIO()
    flat.save(out, "JPEG", quality=82, optimize=True)
    return Picture(out.getvalue(), flat.width, flat.height)
