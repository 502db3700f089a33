"""Issuing a paper: drawn once, stored under the hash of its PDF, and the same bytes at every later print [R28, R34].

A paper says which facts it states. As long as they are the same, so is the paper, whoever prints it; when they change,
the next print is another paper, and the code on the earlier one tells so.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.errors import RuleBroken
from shared.people import Actor, Site
from shared.settings import settings
from shared.ui.papers.engine import Pages, preview, qr, render

Kind = Literal[
    "registration_form",
    "service_notice",
    "owner_slip",
    "settlement_list",
    "receipt",
    "hand_over_slip",
    "price_list",
    "month_report",
    "reserve_statement",
    "pay_statement",
    "decision_letter",
]
"""Each paper, by the name of its template."""

NAMES: Mapping[Kind, str] = {
    "registration_form": "有偿服务登记表",
    "service_notice": "有偿服务通知单",
    "owner_slip": "有偿服务预约单",
    "settlement_list": "有偿服务结算清单",
    "receipt": "收款收据",
    "hand_over_slip": "现金交接单",
    "price_list": "便民有偿服务收费标准",
    "month_report": "便民有偿服务月度报表",
    "reserve_statement": "公积金对账单",
    "pay_statement": "有偿服务报酬单",
    "decision_letter": "违规处理决定书",
}
"""What each is called at its head."""


@dataclass(frozen=True)
class Paper:
    """What a paper states, before it is drawn.

    `thing` is what it is a paper of; `facts`, as plain values, are what must still hold for it to be valid; `stage`
    tells apart papers of the same facts before and after something was added to them, as a signature. `data` is what
    its template prints. A draft is never issued; one that is `cancelled` has 作废 across it. `at` is the moment of the
    facts, which the document bears as its date. One whose code `leads_to` a secret address, and not to its check, is
    drawn each time and kept nowhere.
    """

    kind: Kind
    thing: str
    site: Site | None
    number: str
    day: date
    at: datetime
    facts: Any
    data: Mapping[str, Any] = field(repr=False)
    amount_fen: int | None = None
    stage: str = ""
    draft: bool = False
    cancelled: bool = False
    leads_to: str = field(default="", repr=False)

    @property
    def title(self) -> str:
        """Its name and number: the title of the document and the name of the file."""
        return f"{NAMES[self.kind]} {self.number}"

    def facts_hash(self) -> str:
        """The SHA-256 of what it states: equal for equal facts, however they are printed."""
        stated = to_jsonable_python([self.facts, self.cancelled])
        return sha256(json.dumps(stated, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


Rebuild = Callable[[Session, Actor, str], Paper]
"""Makes the paper of a thing as it would be issued now."""


@dataclass(frozen=True)
class Issued:
    """A paper as it was issued: its code and its PDF, which an erased paper has no more."""

    code: str
    content: bytes
    sha256: str


_FIND = text("""
    SELECT code, content, sha256 FROM papers
    WHERE kind = :kind AND thing = :thing AND size = :size AND facts_hash = :facts_hash
""")

_KEEP = text("""
    INSERT INTO papers (code, kind, size, thing, facts_hash, site_id, number, day, amount_fen, sha256, content,
                        issued_by, issued_at)
    VALUES (:code, :kind, :size, :thing, :facts_hash, :site_id, :number, :day, :amount_fen, :sha256, :content,
            :issued_by, :issued_at)
    ON CONFLICT (thing, kind, size, facts_hash) DO NOTHING
    RETURNING 1
""")


def issue(session: Session, service: str, paper: Paper, *, size: str, actor: Actor, now: datetime) -> Issued:
    """The paper as it was issued first, or is issued now.

    Drawing takes its time: call it from what only reads, so that no row of money is locked meanwhile.
    """
    key = {
        "kind": paper.kind,
        "thing": paper.thing,
        "size": f"{size} {paper.stage}".rstrip(),
        "facts_hash": paper.facts_hash(),
    }
    found = session.execute(_FIND, key).one_or_none()
    if found is None:
        code = secrets.token_urlsafe(16)
        content = render(paper.kind, printed(paper, service, size=size, code=code), at=paper.at, title=paper.title)
        kept = session.execute(
            _KEEP,
            key
            | {
                "code": code,
                "site_id": paper.site.id if paper.site else None,
                "number": paper.number,
                "day": paper.day,
                "amount_fen": paper.amount_fen,
                "sha256": sha256(content).hexdigest(),
                "content": content,
                "issued_by": actor.person_id,
                "issued_at": now,
            },
        ).one_or_none()
        if kept is not None:
            return Issued(code, content, sha256(content).hexdigest())
        found = session.execute(_FIND, key).one()  # somebody else issued it meanwhile
    return Issued(found.code, found.content, found.sha256)


def draft(paper: Paper, service: str, *, size: str) -> bytes:
    """A paper that is not issued: nothing is stored, and it has no code to check it by."""
    return render(paper.kind, printed(paper, service, size=size, code=""), at=paper.at, title=paper.title)


def page_of(paper: Paper, service: str, *, size: str, code: str, page: int) -> Pages | None:
    """One page of a paper as SVG, for the screen; None when it has not so many."""
    data = printed(paper, service, size=size, code=code)
    return preview(paper.kind, data, at=paper.at, title=paper.title, page=page)


def printed(paper: Paper, service: str, *, size: str, code: str) -> dict[str, Any]:
    """What every template is told besides the paper's own data: its head, its number and its code."""
    check = f"{settings().public_url.rstrip('/')}/{service}/verify/{code}" if code else ""
    link = paper.leads_to or check
    return {
        **paper.data,
        "company": settings().letterhead,
        "site": paper.site.name if paper.site else "",
        "name": NAMES[paper.kind],
        "number": paper.number,
        "size": size,
        "code": code,
        "link": link,
        "qr": qr(link) if link else [],
        "draft": paper.draft,
        "cancelled": paper.cancelled,
    }


class Standing(StrEnum):
    """What whoever checks a paper is told of it: 有效, 已作废, 已变更, 个人信息已删除."""

    VALID = "valid"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    ERASED = "erased"


_ISSUED = text("""
    SELECT p.code, p.kind, p.thing, p.facts_hash, p.number, p.day, p.amount_fen, p.content IS NULL AS erased,
           p.issued_at, s.name AS site_name, s.zone
    FROM papers p LEFT JOIN sites s ON s.id = p.site_id WHERE p.code = :code
""")

NOBODY = Actor(UUID(int=0), "", "auditor", "administration", None)
"""Whoever checks a paper: it is made again as an auditor would read it, and he is told what it is, not what it says."""


def standing(session: Session, code: str, rebuild: Mapping[str, Rebuild]) -> tuple[Any, Standing] | None:
    """The row of the paper with this code, and whether it holds now; None when no paper of ours has it."""
    row = session.execute(_ISSUED, {"code": code}).one_or_none()
    if row is None:
        return None
    try:
        paper = rebuild[row.kind](session, NOBODY, row.thing)
    except RuleBroken:  # nothing is written there any more, as on a receipt that was brought back
        return row, Standing.SUPERSEDED
    if paper.cancelled:
        return row, Standing.CANCELLED
    if row.erased:
        return row, Standing.ERASED
    return row, Standing.VALID if paper.facts_hash() == row.facts_hash else Standing.SUPERSEDED
