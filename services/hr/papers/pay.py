"""The pay statement 报酬单: each fen of one person's month, to be signed for [R89-R94]."""

from uuid import UUID

from sqlalchemy.orm import Session

from services.hr.papers.decision import OFFENCES
from services.hr.queries.statements import statement
from services.hr.rules.ladder import Offence
from shared.calendar import last_day
from shared.money import format_fen
from shared.people import Actor, known_site
from shared.ui.papers.archive import Paper
from shared.ui.papers.words import in_capitals, long_month, money
from shared.walls import act_everywhere


def own_pay_statement(session: Session, actor: Actor, *, settlement_id: UUID) -> Paper:
    """What the person asking gets of a payout, at whatever site that is. Raises NotFound."""
    act_everywhere(session)
    return pay_statement(session, actor, settlement_id=settlement_id, person_id=actor.person_id)


def pay_statement(session: Session, actor: Actor, *, settlement_id: UUID, person_id: UUID) -> Paper:
    """What somebody gets of a payout of the actor's sites. Raises NotFound."""
    found, approved_at = statement(session, actor, settlement_id=settlement_id, person_id=person_id)
    line, site = found.line, known_site(session, found.site_id)
    sums = [["服务分成", money(line.share_fen)]]
    if line.reward_fen:
        sums.append(["奖励（公积金）", money(line.reward_fen)])
    if line.from_bonus_fen:
        sums.append(["减：罚款（在当月奖励分成中扣除）", money(-line.from_bonus_fen)])
    return Paper(
        kind="pay_statement",
        thing=f"{settlement_id} {person_id}",
        site=site,
        number=f"{site.code}-{found.month}-{person_id.hex[-6:].upper()}",
        day=last_day(found.month),
        at=approved_at,
        facts=[line.share_fen, line.reward_fen, line.fine_fen, line.from_bonus_fen, line.from_wage_fen, line.jobs],
        data={
            "month": long_month(found.month),
            "person": line.name,
            "sums": sums,
            "net": money(line.net_fen),
            "capitals": in_capitals(line.net_fen),
            "from_wage": money(line.from_wage_fen) if line.from_wage_fen else "",
            "carried": money(line.carried_fen) if line.carried_fen else "",
            "fines": [
                [fine.case_number, OFFENCES[Offence(fine.offence)], format_fen(fine.fine_fen)] for fine in found.fines
            ],
            "jobs": [[job.receipt_number, format_fen(job.share_fen)] for job in line.jobs],
        },
        amount_fen=line.net_fen,
    )
