"""The decision letter 违规处理决定书: what was found, said, decided, and how to appeal [R78-R88, D19]."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from services.hr.queries.cases import CaseView, case_by_id
from services.hr.rules.case import CaseState
from services.hr.rules.ladder import Offence, PenaltyStep
from shared.calendar import local
from shared.errors import NotFound, RuleBroken
from shared.money import capital, format_fen
from shared.people import Actor, known_site, names_of
from shared.ui.papers.archive import Paper
from shared.ui.papers.words import long_day, when
from shared.walls import act_everywhere

OFFENCES: Mapping[Offence, str] = {
    Offence.NEGLECT: "放弃或者影响本职工作而从事有偿服务",
    Offence.PRIVATE_JOB: "私自接收有偿服务项目",
    Offence.WITHHELD_CASH: "扣留或者坐支有偿服务现金",
}
"""What the rules call each offence."""

CLAUSES: Mapping[Offence, str] = {
    Offence.NEGLECT: "第五条第2款",
    Offence.PRIVATE_JOB: "第五条第3款",
    Offence.WITHHELD_CASH: "第五条第4款",
}
"""Where the rules have it."""

STEPS: Mapping[PenaltyStep, str] = {
    PenaltyStep.FINE: "罚款",
    PenaltyStep.REMOVAL_FROM_POST: "免去职务",
    PenaltyStep.URGED_TO_RESIGN: "劝其离职或者除名",
    PenaltyStep.TRANSFER: "调动工作岗位",
    PenaltyStep.DISMISSAL: "开除",
    PenaltyStep.WARNING: "警告",
}
"""What is done, in the words of the rules."""

UNDECIDED = frozenset({CaseState.OPEN, CaseState.HEARD})


def own_decision_letter(session: Session, actor: Actor, case_id: UUID) -> Paper:
    """The letter of a case against the person asking, at whatever site. Raises NotFound for any other case."""
    act_everywhere(session)
    if case_by_id(session, actor, case_id).person_id != actor.person_id:
        raise NotFound("case against you", case_id)
    return decision_letter(session, actor, case_id)


def decision_letter(session: Session, actor: Actor, case_id: UUID) -> Paper:
    """The letter of a case that was decided. Raises NotFound, RuleBroken while nobody has decided it."""
    case = case_by_id(session, actor, case_id)
    if case.state in UNDECIDED or case.decided_at is None:
        raise RuleBroken("not_decided", "nobody has decided this case yet", rule="D19", allowed=["decide"])
    site = known_site(session, case.site_id)
    day = local(case.decided_at, site.zone).date()
    offence = Offence(case.offence)
    words = OFFENCES[offence] + ("" if case.in_working_hours else "（工作时间以外）")
    held = case.state not in {CaseState.DISMISSED, CaseState.LIFTED}
    decider = case.appeal_decided_by or case.decided_by
    heard = [case.statement or ""] if case.attended else ["本人未到场陈述。", case.statement or ""]
    return Paper(
        kind="decision_letter",
        thing=str(case.id),
        site=site,
        number=case.number,
        day=day,
        at=case.final_at or case.appeal_decided_at or case.decided_at,
        facts=[case.person_id, case.offence, case.happened_at, case.decided_at, held],
        data={
            "person": case.person_name,
            "opening": _opening(case, site.name),
            "facts": [
                f"{when(case.happened_at, site.zone)}，{words}。",
                *([f"涉及现金 {_both(case.amount_fen)}。"] if case.amount_fen is not None else []),
                case.evidence,
                *(one.text for one in case.added),
            ],
            "statement": [line for line in heard if line],
            "reasons": [
                f"依据《便民有偿服务管理办法》{CLAUSES[offence]}，{_found(case)}",
                *filter(None, [case.reason, case.appeal_reason]),
            ],
            "decision": _decided(case),
            "appeal": _appeal(case, site.zone),
            "decided_by": names_of(session, decider)[decider],
            "day": long_day(day),
        },
        amount_fen=case.fine_fen,
        stage=case.state,
    )


def _both(fen: int) -> str:
    return f"{format_fen(fen)}（人民币{capital(fen)}）"


def _opening(case: CaseView, site_name: str) -> str:
    if case.state == CaseState.DISMISSED:
        return f"关于你在{site_name}的下列行为，经调查并听取你的申辩，认定不成立，现书面告知如下。"
    if case.state == CaseState.LIFTED:
        return f"关于你在{site_name}的下列行为，经你申诉复核，原决定予以撤销，现书面告知如下。"
    return f"经调查，你在{site_name}的下列行为违反公司规定。在听取你的申辩后，现决定如下。"


def _found(case: CaseView) -> str:
    if case.state == CaseState.DISMISSED:
        return "认定不成立。"
    return "经申诉复核，撤销原认定。" if case.state == CaseState.LIFTED else "认定成立。"


def _decided(case: CaseView) -> list[str]:
    if case.state in {CaseState.DISMISSED, CaseState.LIFTED}:
        return ["不予处理。"]
    if case.step is None:
        return ["按公司奖惩规定处理，处理内容自本决定生效之日起确定并执行。"]
    step = PenaltyStep(case.step)
    measures = [] if step is PenaltyStep.FINE else [STEPS[step]]
    if case.fine_fen:
        measures.insert(0, f"罚款 {_both(case.fine_fen)}，先从当月奖励分成中扣除，差额部分在当月工资中扣除")
    if case.points:
        measures.insert(0, f"扣绩效考核 {case.points} 分")
    which = f"第 {case.rung} 次：" if case.rung is not None else ""
    return [f"{which}{'；'.join(measures)}。"]


def _appeal(case: CaseView, zone: str) -> list[str]:
    if case.state in {CaseState.DISMISSED, CaseState.LIFTED}:
        return ["本案终结。"]
    if case.state == CaseState.FINAL:
        return [f"本决定自 {when(case.final_at, zone)} 起生效。"]
    if case.state == CaseState.APPEALED:
        return [f"你于 {when(case.appealed_at, zone)} 提出申诉，由另一位分管领导复核，复核期间不执行。"]
    due = when(case.appeal_due_at, zone)
    return [f"对本决定不服的，可在 {due} 前提出申诉，由另一位分管领导复核；逾期未申诉的，本决定生效。"]
