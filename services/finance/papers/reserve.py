"""The statement of a site's reserve fund 公积金对账单, from the ledger [R72-R77]."""

from uuid import UUID

from sqlalchemy.orm import Session

from services.finance.queries.reserves import reserve_statement
from services.finance.rules.ledger import JournalKind
from shared.calendar import last_day, moment
from shared.people import Actor, site_for
from shared.ui.papers.archive import Paper
from shared.ui.papers.words import in_capitals, long_month, money

KINDS = {
    JournalKind.RECEIPT: "收入计提",
    JournalKind.REFUND: "退款冲回",
    JournalKind.REWARD: "奖励",
    JournalKind.LOSS: "报损",
    JournalKind.REWORK: "返修费用",
}
"""How the fund moves, as the statement has it."""


def reserve_statement_paper(session: Session, actor: Actor, *, month: str, site_id: UUID) -> Paper:
    """A month of the fund, as the ledger has it. Raises NotFound."""
    found = reserve_statement(session, actor, site_id=site_id, month=month)
    site = site_for(session, actor, site_id)
    balance, movements = found.opening_fen, []
    for one in found.movements:
        balance += one.amount_fen
        movements.append(
            {
                "day": one.day.isoformat(),
                "kind": KINDS[JournalKind(one.kind)],
                "reason": one.reason or "",
                "came": money(one.amount_fen) if one.amount_fen > 0 else "",
                "went": money(-one.amount_fen) if one.amount_fen < 0 else "",
                "balance": money(balance),
            }
        )
    return Paper(
        kind="reserve_statement",
        thing=f"{month} {site_id}",
        site=site,
        number=f"{site.code}-{month}",
        day=last_day(month),
        at=moment(last_day(month), site.closing, site.zone),
        facts=[found.opening_fen, found.movements],
        data={
            "month": long_month(month),
            "opening": money(found.opening_fen),
            "movements": movements,
            "came": money(sum(one.amount_fen for one in found.movements if one.amount_fen > 0)),
            "went": money(-sum(one.amount_fen for one in found.movements if one.amount_fen < 0)),
            "closing": money(found.closing_fen),
            "capitals": in_capitals(found.closing_fen),
        },
        amount_fen=found.closing_fen,
    )
