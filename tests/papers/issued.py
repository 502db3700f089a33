"""Papers as they are asked for over HTTP, and what is kept of them."""

from pathlib import Path
from typing import Any

from httpx2 import Response
from sqlalchemy import text

from tests.bad_input.house import House
from tests.papers.printing import pdf_file, words


def printed(house: House, who: str, path: str) -> bytes:
    """The paper as PDF, which must be handed out."""
    answer = house.get(who, path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["content-disposition"].startswith("attachment; ")
    return answer.content


def said(house: House, who: str, path: str, folder: Path) -> str:
    """The words on the paper."""
    return words(pdf_file(folder, printed(house, who, path)))


def kept(house: House) -> list[Any]:
    """The papers stored, the earliest first."""
    with house.session() as session:
        return list(session.execute(text("SELECT * FROM papers ORDER BY issued_at, xmin::text::bigint")).all())


def checked(house: House, code: str) -> Response:
    """What anybody is told of a code, with no token."""
    return house.client.get(f"/verify/{code}")


def standing(house: House, code: str) -> str:
    answer = checked(house, code)
    assert answer.status_code == 200, answer.text
    state: str = answer.json()["state"]
    return state
