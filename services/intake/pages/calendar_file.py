"""One appointment as an iCalendar file [RFC 5545]."""

from datetime import UTC, datetime

CALENDAR = "text/calendar; charset=utf-8"

LINE_BYTES = 74
"""A line may have 75 with the space that goes on with the one before."""


def calendar_file(
    *, uid: str, start: datetime, end: datetime, made_at: datetime, title: str, place: str, words: str
) -> bytes:
    """The file: whatever stands in the texts is text, and begins no line of its own."""
    lines = [
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Bianmin//owner//ZH", "METHOD:PUBLISH", "BEGIN:VEVENT"),
        f"UID:{_text(uid)}",
        f"DTSTAMP:{_moment(made_at)}",
        f"DTSTART:{_moment(start)}",
        f"DTEND:{_moment(end)}",
        f"SUMMARY:{_text(title)}",
        f"LOCATION:{_text(place)}",
        f"DESCRIPTION:{_text(words)}",
        *("END:VEVENT", "END:VCALENDAR"),
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines).encode()


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(words: str) -> str:
    plain = "".join(letter for letter in words.replace("\r\n", "\n") if letter == "\n" or letter.isprintable())
    for letter in "\\;,":
        plain = plain.replace(letter, f"\\{letter}")
    return plain.replace("\n", "\\n")


def _folded(line: str) -> str:
    parts, size = [""], 0
    for letter in line:
        size += len(letter.encode())
        if size > LINE_BYTES:
            parts.append("")
            size = len(letter.encode())
        parts[-1] += letter
    return "\r\n ".join(parts)
