"""Files that somebody might send as a picture: honest ones with secrets, and hostile ones."""

import struct
import zipfile
import zlib
from io import BytesIO

from PIL import Image, ImageDraw, PngImagePlugin

SECRETS = (b"<script", b"GPS-SECRET", b"COMMENT-SECRET", b"MZ\x90", b"PK\x03\x04", b"%PDF", b"<?php", b"ICC-SECRET")
"""What may be in no picture of ours."""


def picture(mode: str = "RGB", size: tuple[int, int] = (60, 40)) -> Image.Image:
    """Something to look at."""
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).ellipse((5, 5, size[0] - 5, size[1] - 5), fill="red")
    return image.convert(mode)


def file_of(image: Image.Image, kind: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def with_place() -> Image.Exif:
    """Where a picture was taken, by whom, and which way up it is."""
    exif = Image.Exif()
    exif[0x010E] = "GPS-SECRET"
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[2] = (31.0, 14.0, 3.0)
    return exif


def png(width: int, height: int, data: bytes, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG file that says it is so large, with whatever data."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def zipped(name: str, content: bytes) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, content)
    return file.getvalue()


def noted() -> PngImagePlugin.PngInfo:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "COMMENT-SECRET <script>alert(1)</script>")
    notes.add_itxt("XML:com.adobe.xmp", "GPS-SECRET")
    return notes


def bomb_text() -> PngImagePlugin.PngInfo:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "x" * 30_000_000, zip=True)
    return notes


JPEG, PNG = file_of(picture(), "JPEG"), file_of(picture(), "PNG")

KEPT: dict[str, bytes] = {
    "a JPEG": JPEG,
    "a PNG": PNG,
    "where it was taken": file_of(picture(), "JPEG", exif=with_place()),
    "a PNG and where it was taken": file_of(picture(), "PNG", exif=with_place()),
    "a comment": file_of(picture(), "JPEG", comment=b"COMMENT-SECRET"),
    "notes": file_of(picture(), "PNG", pnginfo=noted()),
    "a colour profile": file_of(picture(), "JPEG", icc_profile=b"ICC-SECRET" * 20),
    "a JPEG and a page behind it": JPEG + b"<html><script>alert(1)</script>",
    "a JPEG and a zip behind it": JPEG + zipped("x.exe", b"MZ\x90"),
    "a PNG and a program behind it": PNG + b"MZ\x90" * 100,
    "a PNG and PHP behind it": PNG + b"<?php system($_GET[0]); ?>",
    "a page within a JPEG's comment": file_of(picture(), "JPEG", comment=b"<script>alert(1)</script>"),
    "16 bits of grey": file_of(Image.new("I;16", (60, 40), 30_000), "PNG"),
    "CMYK": file_of(picture("CMYK"), "JPEG"),
    "grey": file_of(picture("L"), "JPEG"),
    "a palette, partly clear": file_of(picture("P"), "PNG", transparency=0),
    "a signature on nothing": file_of(picture("RGBA"), "PNG"),
    "black and white": file_of(picture("1"), "PNG"),
}

REFUSED: dict[str, bytes] = {
    "nothing": b"",
    "words": b"this is no picture",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "HTML": b"<!doctype html><script>alert(1)</script>",
    "GIF": file_of(picture("P"), "GIF"),
    "BMP": file_of(picture(), "BMP"),
    "TIFF": file_of(picture(), "TIFF"),
    "WEBP": file_of(picture(), "WEBP"),
    "PDF": file_of(picture(), "PDF"),
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n",
    "a program": b"MZ\x90\x00" + bytes(200),
    "a zip that calls itself a picture": zipped("photo.jpg", JPEG),
    "a JPEG cut short": JPEG[: len(JPEG) // 2],
    "a PNG cut short": PNG[: len(PNG) // 2],
    "the head of a JPEG and a program": JPEG[:4] + b"MZ\x90" * 100,
    "the head of a PNG and a page": PNG[:8] + b"<script>alert(1)</script>",
    "25 million pixels": png(5_000, 5_001, zlib.compress(bytes(1000))),
    "a bomb of 400 million pixels": png(20_000, 20_000, zlib.compress(bytes(1_000_000))),
    "a bomb of 4 billion by 1": png(2**31 - 1, 1, zlib.compress(bytes(1000))),
    "one pixel high and far too wide": png(10_001, 1, zlib.compress(bytes(30_004))),
    "no pixel at all": png(0, 0, b""),
    "a note that unpacks to 30 MB": file_of(picture(), "PNG", pnginfo=bomb_text()),
    "a wrong checksum": PNG[:40] + bytes([PNG[40] ^ 1]) + PNG[41:],
    "pictures that move": file_of(picture(), "PNG", save_all=True, append_images=[picture("L").convert("RGB")]),
}
