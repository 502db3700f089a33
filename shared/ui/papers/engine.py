"""Drawing a paper: `render("receipt", data, …)` is the bytes of a PDF, or of one page as SVG or PNG.

What people wrote reaches a template as JSON in `sys.inputs` and is set as text, so nothing in it is ever markup. A
template reads its own folder and nothing else; no package, no system font and no clock is asked, so the same data are
the same bytes.
"""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, cast

import segno
import typst

from shared.settings import settings

TEMPLATES = Path(str(files("shared.ui.papers") / "templates"))
"""A file for each paper, and `form.typ`, which they share."""

FAMILIES = ("Noto Sans CJK SC", "Source Han Sans SC", "Noto Sans SC", "Source Han Sans CN")
"""Fonts a paper may be set in, the best first: each has the Chinese of the mainland."""

_at_a_time = BoundedSemaphore(2)
"""A paper takes up to a hundred MB while it is drawn."""

_UNSEEN_BUT_MEANT = "\n\u200c\u200d\ufe0f"  # a line end; what joins or parts letters and emoji


class NoFont(RuntimeError):
    """There is no font with Chinese in it; the message says where one was looked for."""


@dataclass(frozen=True)
class Pages:
    """A paper as drawn: the whole PDF, or one page of it, and how many pages it has."""

    content: bytes
    pages: int


def font_folders() -> list[Path]:
    """Where fonts are looked for: BIANMIN_FONT_DIR alone if it is set, else the packages that bring them."""
    folder = settings().font_dir
    if folder is not None:
        return [folder]
    return [Path(str(files(package))) for package in ("manimgx_fonts_cjk", "manimgx_fonts")]


@cache
def fonts() -> tuple[typst.Fonts, str]:
    """The fonts of this process, read once, and the family papers are set in. Raises NoFont."""
    folders = font_folders()
    found = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder) for folder in folders]
    )
    families = found.families()
    for family in FAMILIES:
        if family in families:
            return found, family
    raise NoFont(
        f"no Chinese font in {', '.join(map(str, folders))}: papers need one of {', '.join(FAMILIES)};"
        " set BIANMIN_FONT_DIR to a folder with one of them"
    )


def render(template: str, data: Mapping[str, Any], *, at: datetime, title: str) -> bytes:
    """A paper as PDF. `at` is the moment the document says it was made, so that the same data are the same bytes.

    Raises NoFont, and typst.TypstError for data that are not the template's.
    """
    return cast("bytes", _drawn(template, data, "pdf", at=at, title=title))


def preview(
    template: str, data: Mapping[str, Any], *, at: datetime, title: str, page: int, file_type: str = "svg"
) -> Pages | None:
    """One page (from 1) of a paper as SVG or PNG for the screen; None when there is no such page."""
    drawn = _drawn(template, data, file_type, at=at, title=title)
    pages = [drawn] if isinstance(drawn, bytes) else drawn
    return Pages(pages[page - 1], len(pages)) if page <= len(pages) else None


def _drawn(template: str, data: Mapping[str, Any], file_type: str, *, at: datetime, title: str) -> bytes | list[bytes]:
    known, family = fonts()
    said = {**data, "title": title, "font": family}
    compiler = typst.Compiler(
        input=str(TEMPLATES / f"{template}.typ"),
        root=str(TEMPLATES),
        font_paths=known,
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(_seen(said), ensure_ascii=False)},
    )
    with _at_a_time:
        made = compiler.compile(format=cast("Any", file_type), timestamp=int(at.timestamp()))
    assert made is not None  # noqa: S101  # nothing is written to a file
    return made


def _seen(part: Any) -> Any:
    """The same without letters nobody sees, which print nothing or turn the direction of others."""
    if isinstance(part, str):
        return "".join(c for c in part if c in _UNSEEN_BUT_MEANT or unicodedata.category(c) not in {"Cc", "Cf", "Cs"})
    if isinstance(part, dict):
        return {key: _seen(value) for key, value in part.items()}
    return [_seen(one) for one in part] if isinstance(part, list | tuple) else part


def qr(text: str) -> list[str]:
    """A QR code as rows of 1 (dark) and 0, without its margin, which the paper leaves."""
    return ["".join("1" if dark else "0" for dark in row) for row in segno.make(text, error="m", micro=False).matrix]
