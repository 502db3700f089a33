"""The month's report 月度报表, a draft until the four departments agreed it [R42, R43]."""

from itertools import groupby
from uuid import UUID

from sqlalchemy.orm import Session

from services.intake.papers.desk import CHANNELS
from services.intake.queries.reports import report
from services.intake.rules.report import label, shown
from services.intake.rules.request import Channel
from services.intake.rules.scope import TradePolicy
from shared.calendar import last_day, moment
from shared.people import Actor, site_for
from shared.policy_rows import in_force
from shared.ui.papers.archive import Paper
from shared.ui.papers.words import department, long_month, plain, when


def month_report(session: Session, actor: Actor, *, month: str, site_id: UUID) -> Paper:
    """A site's report of a month. Raises NotFound."""
    found = report(session, actor, site_id=site_id, month=month)
    site = site_for(session, actor, site_id)
    ends_at = moment(last_day(month), site.closing, site.zone)
    trades = in_force(session, TradePolicy, site_id=site_id, at=ends_at).trades
    kinds = {f"channel.{channel}": f"登记（{CHANNELS[channel]}）" for channel in Channel}
    kinds |= {f"trade.{trade.code}": f"登记（{plain(trade.name)}）" for trade in trades}
    parts = [
        {
            "name": " · ".join(filter(None, [department(of) or "全小区", *{line.name for line in lines}])),
            "figures": [
                [kinds.get(line.item) or plain(label(line.item)), shown(line.item, line.value)] for line in lines
            ],
        }
        for (of, _), group in groupby(found.lines, lambda line: (line.department, line.person_id))
        for lines in [list(group)]
    ]
    return Paper(
        kind="month_report",
        thing=f"{month} {site_id}",
        site=site,
        number=f"{site.code}-{month}",
        day=last_day(month),
        at=found.agreed_at or ends_at,
        facts=[found.lines, found.signatures],
        data={
            "month": long_month(month),
            "agreed_at": when(found.agreed_at, site.zone),
            "signatures": [
                [department(one.department), one.name, when(one.signed_at, site.zone)] for one in found.signatures
            ],
            "parts": parts,
        },
        draft=found.agreed_at is None,
    )
