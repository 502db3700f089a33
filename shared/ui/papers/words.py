"""Words and figures as papers have them: Chinese, yuan, the clock on the site's wall."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from shared.calendar import local
from shared.messages import Department, FeeItem
from shared.money import capital, format_fen

DEPARTMENTS: Mapping[Department, str] = {
    "front_desk": "客服部",
    "engineering": "工程部",
    "environment": "环境部",
    "finance": "财务部",
    "management": "公司领导",
    "hr": "人事部",
    "administration": "行政部",
}
"""What each department is called."""


def department(code: str | None) -> str:
    """A department's name; of none, nothing."""
    return DEPARTMENTS[code] if code else ""  # type: ignore[index]  # the columns hold departments alone


def when(at: datetime | None, zone: str) -> str:
    """A moment as the clock on the site's wall shows it: '2026-04-01 10:00'; of none, nothing."""
    return f"{local(at, zone):%Y-%m-%d %H:%M}" if at is not None else ""


def between(start: datetime | None, end: datetime | None, zone: str) -> str:
    """A stretch of time: '2026-04-01 10:00 至 11:00', the second day only when it is another."""
    if start is None or end is None:
        return ""
    here, there = local(start, zone), local(end, zone)
    return f"{here:%Y-%m-%d %H:%M} 至 {there:{'%H:%M' if here.date() == there.date() else '%Y-%m-%d %H:%M'}}"


def long_day(day: date) -> str:
    """A day as letters have it: '2026年4月1日'."""
    return f"{day.year}年{day.month}月{day.day}日"


def long_month(month: str) -> str:
    """A month as letters have it: '2026年4月'."""
    return f"{month[:4]}年{int(month[5:])}月"


def money(fen: int | None) -> str:
    """An amount in yuan; of none, nothing."""
    return "" if fen is None else format_fen(fen)


def in_capitals(fen: int | None) -> str:
    """An amount in capital numerals 大写; of none, nothing."""
    return "" if fen is None else capital(fen)


def fee_lines(items: Sequence[FeeItem]) -> list[dict[str, Any]]:
    """The lines of a fee: what, how many of which unit, the price of one, the amount."""
    return [
        {
            "name": item.name,
            "unit": item.unit,
            "quantity": str(item.quantity),
            "price": format_fen(item.unit_fen),
            "amount": format_fen(item.amount_fen),
        }
        for item in items
    ]


def plain(code_name: str) -> str:
    """The Chinese of a name that is Chinese and English, as '水 water'."""
    words = [word for word in code_name.split() if not word.isascii()]
    return " ".join(words) or code_name
