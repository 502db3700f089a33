"""Pictures that somebody sends: nothing of the file is kept but what is to be seen [promise 24].

What a file is, its content says, and neither its name nor its Content-Type; only JPEG and PNG are opened at all. The
picture is drawn anew from its pixels, so that what else was in the file (where it was taken, a second file behind it,
a program) is not in ours.
"""

from dataclasses import dataclass
from io import BytesIO
from threading import Lock
from typing import Literal

from PIL import Image, ImageOps, UnidentifiedImageError

from shared.errors import Malformed

MAX_PIXELS = 24_000_000
"""A picture of a telephone's camera has 12 to 24 million."""

MAX_SIDE = 10_000

ALLOWED = ("JPEG", "PNG")

_NO_PICTURE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError, Image.DecompressionBombWarning)
"""What Pillow raises for a file that is none, or is damaged."""

_one_at_a_time = Lock()
"""A picture takes up to a hundred MB while it is drawn."""


@dataclass(frozen=True)
class Picture:
    """A picture as we drew it: JPEG or PNG without anything but pixels."""

    content: bytes
    media_type: Literal["image/jpeg", "image/png"]
    width: int
    height: int


def redrawn(content: bytes) -> Picture:
    """The picture in a file that somebody sent, drawn anew. Raises Malformed for anything else."""
    with _one_at_a_time:
        try:
            with Image.open(BytesIO(content), formats=ALLOWED) as sent:
                _check_size(sent)
                png = sent.format == "PNG"
                return _drawn(_upright(sent), png=png)
        except UnidentifiedImageError:
            raise Malformed("no_picture", "only a JPEG or PNG picture is taken", allowed=ALLOWED) from None
        except _NO_PICTURE as error:
            raise Malformed("no_picture", f"the picture cannot be read ({type(error).__name__})") from None


def _check_size(sent: Image.Image) -> None:
    """By what its head says, before any pixel is unpacked."""
    if sent.width * sent.height > MAX_PIXELS or max(sent.size) > MAX_SIDE:
        raise Malformed(
            "picture_too_large", f"a picture may have {MAX_PIXELS // 1_000_000} million pixels, {MAX_SIDE} a side"
        )
    if getattr(sent, "n_frames", 1) != 1:
        raise Malformed("no_picture", "a picture that moves is not taken")


def _upright(sent: Image.Image) -> Image.Image:
    """Its pixels in 8 bits a colour, turned as it is meant to be seen."""
    turned = ImageOps.exif_transpose(sent)
    if turned.mode.startswith("I"):  # 16 bits of grey
        turned = turned.point(lambda grey: grey / 256).convert("L")
    see_through = "A" in turned.getbands() or "transparency" in turned.info
    return turned.convert("RGBA" if see_through else "RGB")


def _drawn(pixels: Image.Image, *, png: bool) -> Picture:
    pixels.info.clear()  # comments and colour profiles would be written otherwise
    file = BytesIO()
    if png:
        pixels.save(file, "PNG")
    else:
        pixels.convert("RGB").save(file, "JPEG", quality=85)
    return Picture(file.getvalue(), "image/png" if png else "image/jpeg", pixels.width, pixels.height)
