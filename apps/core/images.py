"""Pictures that strangers send: the type is told by the content, the size is capped, and the file is made anew from its
pixels, so that no EXIF, no place, no script and no second file within it survives."""

from __future__ import annotations

import io
import warnings
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


class TooManyPixels(BadImage):
    """More pixels than a room takes, told before they are unpacked."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A clean JPEG."""

    content: bytes
    width: int
    height: int


def open_upright(
    content: bytes, *, formats: tuple[str, ...] = FORMATS, most_pixels: int = MOST_PIXELS
) -> Image.Image:
    """This will open a picture of one of the formats, by its content, and turn it upright; of the file nothing is left
    but pixels and what its mode needs. Raises TooManyPixels, BadImage."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=formats) as opened:
                if not 0 < opened.width * opened.height <= most_pixels:
                    raise TooManyPixels()
                return ImageOps.exif_transpose(opened)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooManyPixels() from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise BadImage() from error


def remake_picture(content: bytes, *, longest_side: int = LONGEST_SIDE) -> Picture:
    """This will make a clean JPEG of a photo: upright, at most `longest_side` pixels, nothing but pixels.

    Raises BadImage for anything that is no JPEG, PNG or WebP by its content, is broken, or is larger than 15 MB or
    50 million pixels (told before it is unpacked).
    """
    if not content or len(content) > LARGEST_FILE:
        raise BadImage()
    upright = open_upright(content)
    upright.thumbnail((longest_side, longest_side))
    flat = Image.new("RGB", upright.size, "white")
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        clear = upright.convert("RGBA")
        flat.paste(clear, mask=clear.getchannel("A"))
    else:
        flat.paste(upright.convert("RGB"))
    out = io.BytesIO()
    flat.save(out, "JPEG", quality=82, optimize=True)
    return Picture(out.getvalue(), flat.width, flat.height)
