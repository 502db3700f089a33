"""The two languages of pages: Chinese, in which they are written, and English, its translation.

Chinese is the msgid, so it can never be missing; the English is in `locale/en.po` of the service and of this package.
"""

from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO
from zoneinfo import ZoneInfo

from babel.core import UnknownLocaleError, negotiate_locale
from babel.dates import format_date
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from starlette.requests import Request
from starlette.responses import Response

from shared.calendar import local

LANGUAGES = {"zh": "中文", "en": "English"}
"""Language -> what it calls itself."""

COOKIE = "bianmin_language"
"""What a browser remembers of the person's choice; hr remembers it for his next sign-in."""

YEAR = 365 * 24 * 3600


def chosen(request: Request) -> str:
    """The language of a request: the one chosen, else the first the browser asks for, else Chinese."""
    held = request.cookies.get(COOKIE)
    if held in LANGUAGES:
        return held
    wanted = [
        part.split(";")[0].strip().replace("-", "_") for part in request.headers.get("accept-language", "").split(",")
    ]
    try:
        return negotiate_locale([word.split("_")[0] for word in wanted], list(LANGUAGES)) or "zh"
    except (UnknownLocaleError, ValueError):
        return "zh"


def remember(answer: Response, wanted: str, *, secure: bool) -> None:
    """His browser keeps the language for a year."""
    answer.set_cookie(COOKIE, wanted, max_age=YEAR, path="/", httponly=True, samesite="lax", secure=secure)


class _Translations(GNUTranslations):
    """Nothing said is nothing: in a compiled catalogue the empty sentence means the facts about the catalogue."""

    def gettext(self, message: str) -> str:
        return super().gettext(message) if message else ""


@cache
def translations(language: str, *packages: str) -> NullTranslations:
    """What says a Chinese sentence in `language`: the catalogues of the packages together."""
    if language == "zh":
        return NullTranslations()
    whole = Catalog(locale=language)
    for package in packages:
        for message in catalogue(language, package):
            if message.id:
                whole[message.id] = message
    compiled = BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return _Translations(compiled)


def catalogue(language: str, package: str) -> Catalog:
    """The catalogue of a package, `services.intake` or `shared.ui`; empty where it has none."""
    file = files(package) / "locale" / f"{language}.po"
    if not file.is_file():
        return Catalog(locale=language)
    return read_po(BytesIO(file.read_bytes()), locale=language)


def money(fen: int | None) -> str:
    """1234567 as '¥12,345.67', in both languages; nothing as a dash."""
    if fen is None:
        return "—"
    sign = "-" if fen < 0 else ""
    return f"{sign}¥{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def moment(at: datetime | None, zone: str) -> str:
    """A moment as the clock on the site's wall shows it, '2026-11-24 14:30'."""
    return "—" if at is None else local(at, zone).strftime("%Y-%m-%d %H:%M")


def clock(at: datetime | None, zone: str) -> str:
    """The time of day of a moment at the site, '14:30'."""
    return "—" if at is None else local(at, zone).strftime("%H:%M")


def span(start: datetime | None, end: datetime | None, zone: str) -> str:
    """A stretch of time; the day is said once when it ends on the same one."""
    if start is None or end is None:
        return moment(start or end, zone)
    same = local(start, zone).date() == local(end, zone).date()
    return f"{moment(start, zone)} – {clock(end, zone) if same else moment(end, zone)}"


def long_day(day: date, language: str) -> str:
    """A day with its weekday: '2026年11月24日星期二', 'Tuesday, November 24, 2026'."""
    return format_date(day, "full", locale=language)


def at_the_wall(day: date, hour: str, zone: str) -> datetime:
    """A day and a time of day ('14:30') at a site, as a moment with its zone."""
    return datetime.fromisoformat(f"{day.isoformat()}T{hour}").replace(tzinfo=ZoneInfo(zone))


Say = Callable[[str], str]
"""Says a Chinese sentence in the reader's language."""
