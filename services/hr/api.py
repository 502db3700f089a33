"""The JSON API of hr: one action for each route; money in fen, moments with a zone."""

from dataclasses import dataclass
from datetime import date, time
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, Field, SecretStr, StringConstraints

from services.hr import queries
from services.hr.actions import case, company, delivery, payout, post, site, task, webhook
from services.hr.queries import (
    AttemptView,
    CaseView,
    DeliveryPage,
    DeliveryView,
    HolidayView,
    LeaderView,
    MissedCallbackView,
    OverrideView,
    PayoutLineView,
    PayoutView,
    PersonView,
    PointsView,
    PostView,
    ReconciliationView,
    ReportView,
    SiteBranchView,
    SiteChangeView,
    SiteView,
    StatementView,
    TaskView,
    WageView,
    WebhookView,
)
from services.hr.rules.access import MAY
from services.hr.rules.case import CaseState, Charge
from services.hr.rules.ladder import Offence
from services.hr.rules.payout_file import as_csv, as_xlsx, name_of, totals_of
from shared import clock
from shared.db import database
from shared.messages import Certificate, Department, Role
from shared.money import PositiveFen
from shared.paging import Page
from shared.settings import settings
from shared.web import EARLIEST, LATEST, After, Body, Edge, Limit, Moment, MonthName, Reason, Short, Words, permissions

api = APIRouter(prefix="/api", tags=["hr"])
may = permissions("hr", MAY)


def _without_zone(at: time) -> time:
    if at.tzinfo is not None:
        raise ValueError("the site's own clock is meant: no time zone")
    return at


SiteCode = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,10}$")]
WallTime = Annotated[time, AfterValidator(_without_zone)]


def _in_our_years(day: date) -> date:
    if not EARLIEST.date() <= day < LATEST.date():
        raise ValueError(f"must lie from {EARLIEST:%Y} to {LATEST:%Y}")
    return day


Day = Annotated[date, AfterValidator(_in_our_years)]
Month = Annotated[MonthName | None, Query(description="e.g. `2026-04`; omit for all")]


class FoundCompany(Body):
    """The company's name, its first administrator, and the founder's secret of this installation."""

    secret: SecretStr
    name: Short
    administrator: Short


class OpenSite(Body):
    """A site 小区; its day ends at `closing` by the clock on its wall [D6]."""

    code: SiteCode
    name: Short
    zone: Short = "Asia/Shanghai"
    closing: WallTime = Field(default=time(18), description="e.g. `18:00`")


class ChangeSite(Body):
    """What is to be different, by the clock on the site's wall, and why; what is left out stays."""

    name: Short | None = None
    closing: WallTime | None = None
    opens: WallTime | None = None
    closes_service: WallTime | None = None
    reason: Words


class AddHoliday(Body):
    """A public holiday 法定节假日 and its name."""

    day: Day
    name: Short


class FillHolidays(Body):
    """A year whose public holidays the site does not have yet, and why now."""

    year: Annotated[int, Field(ge=EARLIEST.year, lt=LATEST.year, strict=True)]
    reason: Words


class RemoveHoliday(Body):
    """A day that is a working day after all, and why."""

    day: Day
    reason: Words


class NameLeader(Body):
    """The leader in charge 分管领导 of a department."""

    department: Department
    leader_id: UUID


class PostBody(Body):
    """A post, and where and when its holder works."""

    role: Role
    department: Department
    site_ids: list[UUID] = Field(default=[], max_length=1000)
    all_sites: bool = False
    shift_start: WallTime | None = None
    shift_end: WallTime | None = None


class EmployPerson(PostBody):
    """A person and his post."""

    name: Short


class MovePerson(PostBody):
    """Another post, and why."""

    reason: Words


class RecordSkills(Body):
    """The trades the person can do; null: every trade of his department."""

    skills: list[Short] | None = Field(max_length=50)


class RecordCertificate(Body):
    """A certificate: `low_voltage_electrician` is the 低压电工证 electrical work needs."""

    kind: Literal["low_voltage_electrician"]
    number: Short
    valid_until: Day


class SetWage(Body):
    """The monthly wage."""

    monthly_wage_fen: PositiveFen


class OpenCase(Body):
    """Who did what; `amount_fen` for withheld cash alone, `override_id` for neglect alone."""

    offence: Offence
    site_id: UUID
    person_id: UUID
    happened_at: Moment
    in_working_hours: bool = True
    evidence: Words
    amount_fen: PositiveFen | None = None
    override_id: UUID | None = None


class DecideCase(Body):
    """The leader's decision and its reason."""

    confirm: bool
    reason: Words


class AddEvidence(Body):
    """What else is known."""

    text: Words


class HearCase(Body):
    """What the person charged said, or why he did not come."""

    statement: Words
    attended: bool


class DecideAppeal(Body):
    """Whether the decision stands, and why."""

    uphold: bool
    reason: Words


class ConfirmPaid(Body):
    """The bank's or the pay slip's reference."""

    reference: Short


class TellFailed(Body):
    """Why the person could not be paid."""

    cause: payout.Cause
    reason: Words


class FinishTask(Body):
    """What proves that the step was carried out."""

    evidence: Words


@dataclass(frozen=True)
class Founded:
    """The first administrator and his token, which is shown this once."""

    person_id: UUID
    token: str


@dataclass(frozen=True)
class Token:
    """A person's new token, shown this once."""

    token: str


@api.post("/company", status_code=201, summary="Found the company, once, with the founder's secret")
def found_company(body: FoundCompany) -> Founded:
    with database("hr").session() as session:
        person, token = company.found(
            session,
            secret=body.secret.get_secret_value(),
            expected=settings().founder_secret.get_secret_value(),
            name=body.name,
            administrator=body.administrator,
            now=clock.now(session),
        )
        return Founded(person.id, token)


@api.post("/sites", status_code=201, summary="Open a site [R6]")
def open_site(body: OpenSite, edge: Annotated[Edge, may("open_site")]) -> SiteView:
    def act() -> SiteView:
        made = company.open_site(
            edge.session, code=body.code, name=body.name, zone=body.zone, closing=body.closing, now=edge.now
        )
        return queries.site_view(made)

    return edge.once(body, act)


@api.get("/sites", summary="The person's sites")
def list_sites(edge: Annotated[Edge, may("read_sites")]) -> list[SiteView]:
    return queries.sites(edge.session, edge.actor)


@api.post("/sites/{site_id}/change", summary="Change a site's name, closing or service hours, with a reason [R36, D6]")
def change_site(site_id: UUID, body: ChangeSite, edge: Annotated[Edge, may("change_site")]) -> SiteView:
    def act() -> SiteView:
        site.change(edge.session, site_id=site_id, actor=edge.actor, now=edge.now, **dict(body))
        return queries.site_by_id(edge.session, site_id)

    return edge.once(body, act)


@api.get("/sites/{site_id}/changes", summary="What was changed of a site, by whom and why")
def list_site_changes(site_id: UUID, edge: Annotated[Edge, may("read_sites")]) -> list[SiteChangeView]:
    return queries.site_changes(edge.session, edge.actor, site_id)


@api.post("/sites/{site_id}/holidays", summary="One more public holiday [R68, R81]")
def add_holiday(site_id: UUID, body: AddHoliday, edge: Annotated[Edge, may("change_site")]) -> SiteView:
    def act() -> SiteView:
        site.add_holiday(edge.session, site_id=site_id, day=body.day, name=body.name, actor=edge.actor, now=edge.now)
        return queries.site_by_id(edge.session, site_id)

    return edge.once(body, act)


@api.post("/sites/{site_id}/holidays/fill", summary="The public holidays of a year, from the table [R68, R81]")
def fill_holidays(site_id: UUID, body: FillHolidays, edge: Annotated[Edge, may("change_site")]) -> SiteView:
    def act() -> SiteView:
        site.fill_holidays(
            edge.session, site_id=site_id, year=body.year, reason=body.reason, actor=edge.actor, now=edge.now
        )
        return queries.site_by_id(edge.session, site_id)

    return edge.once(body, act)


@api.post("/sites/{site_id}/holidays/remove", summary="A holiday that is a working day after all [R68, R81]")
def remove_holiday(site_id: UUID, body: RemoveHoliday, edge: Annotated[Edge, may("change_site")]) -> SiteView:
    def act() -> SiteView:
        site.remove_holiday(
            edge.session, site_id=site_id, day=body.day, reason=body.reason, actor=edge.actor, now=edge.now
        )
        return queries.site_by_id(edge.session, site_id)

    return edge.once(body, act)


@api.get("/sites/{site_id}/holidays", summary="A site's public holidays")
def list_holidays(site_id: UUID, edge: Annotated[Edge, may("read_sites")]) -> list[HolidayView]:
    return queries.holidays(edge.session, edge.actor, site_id)


@api.post("/sites/{site_id}/leaders", summary="Name the leader in charge of a department at a site [R77, R92]")
def name_leader(site_id: UUID, body: NameLeader, edge: Annotated[Edge, may("name_leader")]) -> list[LeaderView]:
    def act() -> list[LeaderView]:
        site.name_leader(
            edge.session,
            site_id=site_id,
            department=body.department,
            leader_id=body.leader_id,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.leaders(edge.session, edge.actor, site_id)

    return edge.once(body, act)


@api.get("/sites/{site_id}/leaders", summary="The leaders in charge at a site, now and before [R77]")
def list_leaders(site_id: UUID, edge: Annotated[Edge, may("read_people")]) -> list[LeaderView]:
    return queries.leaders(edge.session, edge.actor, site_id)


@api.get("/organisation", summary="Sites, departments, people, heads and leaders in charge [R11, R12, R77]")
def show_organisation(edge: Annotated[Edge, may("read_people")]) -> list[SiteBranchView]:
    return queries.organisation(edge.session, edge.actor)


@api.post("/people", status_code=201, summary="Employ a person; his token is issued apart")
def employ_person(body: EmployPerson, edge: Annotated[Edge, may("employ_person")]) -> PersonView:
    def act() -> PersonView:
        made = post.employ(
            edge.session,
            name=body.name,
            role=body.role,
            department=body.department,
            site_ids=body.site_ids,
            all_sites=body.all_sites,
            shift_start=body.shift_start,
            shift_end=body.shift_end,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.person_view(made)

    return edge.once(body, act)


@api.get("/people", summary="People of the person's sites")
def list_people(edge: Annotated[Edge, may("read_people")], after: After = None, limit: Limit = 100) -> Page[PersonView]:
    return queries.people(edge.session, edge.actor, after=after, limit=limit)


# not once for a key: the stored answer would hold the token, and a repeat is another token, not another person
@api.post("/people/{person_id}/token", summary="Issue a new token; the one before ends")
def issue_token(person_id: UUID, edge: Annotated[Edge, may("issue_token")]) -> Token:
    return Token(post.issue_token(edge.session, person_id=person_id, actor=edge.actor))


@api.post("/people/{person_id}/leave", summary="The person leaves; his token ends")
def let_leave(person_id: UUID, edge: Annotated[Edge, may("let_leave")]) -> PersonView:
    return queries.person_view(post.let_leave(edge.session, person_id=person_id, actor=edge.actor, now=edge.now))


@api.post("/people/{person_id}/move", summary="Give a person another post; the one before is kept [R79, R82]")
def move_person(person_id: UUID, body: MovePerson, edge: Annotated[Edge, may("move_person")]) -> PersonView:
    def act() -> PersonView:
        return queries.person_view(
            post.move(edge.session, person_id=person_id, actor=edge.actor, now=edge.now, **dict(body))
        )

    return edge.once(body, act)


@api.get("/people/{person_id}/posts", summary="The posts a person has and had")
def list_posts(person_id: UUID, edge: Annotated[Edge, may("read_posts")]) -> list[PostView]:
    return queries.posts(edge.session, edge.actor, person_id)


@api.post("/people/{person_id}/skills", summary="The trades a person can do [R60]")
def record_skills(person_id: UUID, body: RecordSkills, edge: Annotated[Edge, may("record_skills")]) -> PersonView:
    def act() -> PersonView:
        return queries.person_view(
            post.record_skills(edge.session, person_id=person_id, skills=body.skills, actor=edge.actor)
        )

    return edge.once(body, act)


@api.post("/people/{person_id}/certificates", summary="A certificate a person got or renewed [R60, R66]")
def record_certificate(
    person_id: UUID, body: RecordCertificate, edge: Annotated[Edge, may("record_skills")]
) -> PersonView:
    def act() -> PersonView:
        certificate = Certificate.model_validate(dict(body))
        made = post.record_certificate(
            edge.session, person_id=person_id, certificate=certificate, actor=edge.actor, now=edge.now
        )
        return queries.person_view(made)

    return edge.once(body, act)


@api.post("/people/{person_id}/wage", summary="Set a person's monthly wage, for the guard on deductions [R94, D22]")
def set_wage(person_id: UUID, body: SetWage, edge: Annotated[Edge, may("set_wage")]) -> WageView:
    def act() -> WageView:
        return queries.wage_view(
            post.set_wage(
                edge.session,
                person_id=person_id,
                monthly_wage_fen=body.monthly_wage_fen,
                actor=edge.actor,
                now=edge.now,
            )
        )

    return edge.once(body, act)


@api.get("/people/{person_id}/wages", summary="A person's wages, now and before [D22]")
def list_wages(person_id: UUID, edge: Annotated[Edge, may("read_wages")]) -> list[WageView]:
    return queries.wages(edge.session, edge.actor, person_id)


@api.post("/cases", status_code=201, summary="Open a discipline case [R78, R81, R88]")
def open_case(body: OpenCase, edge: Annotated[Edge, may("open_case")]) -> CaseView:
    def act() -> CaseView:
        made = case.open_(edge.session, charge=Charge(**dict(body)), actor=edge.actor, now=edge.now)
        return queries.case_by_id(edge.session, edge.actor, made.id)

    return edge.once(body, act)


@api.get("/cases", summary="Discipline cases in the order they were opened")
def list_cases(
    edge: Annotated[Edge, may("read_cases")], state: CaseState | None = None, after: After = None, limit: Limit = 100
) -> Page[CaseView]:
    return queries.cases(edge.session, edge.actor, state=state, after=after, limit=limit)


@api.post(
    "/cases/{case_id}/decide", summary="Confirm, with the ladder's penalty once final, or dismiss [R78-R83, R88, D19]"
)
def decide_case(case_id: UUID, body: DecideCase, edge: Annotated[Edge, may("decide_case")]) -> CaseView:
    def act() -> CaseView:
        case.decide(
            edge.session,
            case_id=case_id,
            confirm=body.confirm,
            reason=body.reason,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.case_by_id(edge.session, edge.actor, case_id)

    return edge.once(body, act)


@api.get("/cases/mine", summary="The cases against the person asking [D19]")
def list_own_cases(edge: Annotated[Edge, may("read_own")], after: After = None, limit: Limit = 100) -> Page[CaseView]:
    return queries.own_cases(edge.session, edge.actor, after=after, limit=limit)


@api.post("/cases/{case_id}/evidence", summary="Add evidence, for or against [D19]")
def add_evidence(case_id: UUID, body: AddEvidence, edge: Annotated[Edge, may("add_evidence")]) -> CaseView:
    def act() -> CaseView:
        case.add_evidence(edge.session, case_id=case_id, words=body.text, actor=edge.actor, now=edge.now)
        return queries.case_by_id(edge.session, edge.actor, case_id)

    return edge.once(body, act)


@api.post("/cases/{case_id}/hear", summary="Note what the person charged says, before anything is decided [D19]")
def hear_case(case_id: UUID, body: HearCase, edge: Annotated[Edge, may("hear_case")]) -> CaseView:
    def act() -> CaseView:
        case.hear(
            edge.session,
            case_id=case_id,
            statement=body.statement,
            attended=body.attended,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.case_by_id(edge.session, edge.actor, case_id)

    return edge.once(body, act)


@api.post("/cases/{case_id}/accept", summary="The person charged accepts the decision, which is final [D19]")
def accept_case(case_id: UUID, edge: Annotated[Edge, may("accept_case")]) -> CaseView:
    def act() -> CaseView:
        case.accept(edge.session, case_id=case_id, actor=edge.actor, now=edge.now)
        return queries.case_by_id(edge.session, edge.actor, case_id)

    return edge.once(None, act)


@api.post("/cases/{case_id}/appeal", summary="The person charged appeals, in time [D19]")
def appeal_case(case_id: UUID, body: Reason, edge: Annotated[Edge, may("appeal_case")]) -> CaseView:
    def act() -> CaseView:
        case.appeal(edge.session, case_id=case_id, reason=body.reason, actor=edge.actor, now=edge.now)
        return queries.case_by_id(edge.session, edge.actor, case_id)

    return edge.once(body, act)


@api.post("/cases/{case_id}/decide-appeal", summary="Another leader upholds the decision or lifts it [D18, D19]")
def decide_appeal(case_id: UUID, body: DecideAppeal, edge: Annotated[Edge, may("decide_case")]) -> CaseView:
    def act() -> CaseView:
        case.decide_appeal(
            edge.session,
            case_id=case_id,
            uphold=body.uphold,
            reason=body.reason,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.case_by_id(edge.session, edge.actor, case_id)

    return edge.once(body, act)


@api.get("/points", summary="Appraisal points, where a site takes points instead of money [R43, D19]")
def list_points(
    edge: Annotated[Edge, may("read_points")], person_id: UUID | None = None, month: Month = None
) -> list[PointsView]:
    return queries.points(edge.session, edge.actor, person_id=person_id, month=month)


@api.get("/tasks", summary="The steps other than money, for HR to carry out [D19]")
def list_tasks(edge: Annotated[Edge, may("read_tasks")], after: After = None, limit: Limit = 100) -> Page[TaskView]:
    return queries.tasks(edge.session, edge.actor, after=after, limit=limit)


@api.post("/tasks/{task_id}/finish", summary="The step was carried out, with evidence [D19]")
def finish_task(task_id: UUID, body: FinishTask, edge: Annotated[Edge, may("finish_task")]) -> TaskView:
    def act() -> TaskView:
        task.finish(edge.session, task_id=task_id, evidence=body.evidence, actor=edge.actor, now=edge.now)
        return queries.task_by_id(edge.session, edge.actor, task_id)

    return edge.once(body, act)


@api.get("/overrides", summary="Overrides of duty first, which a case of neglect cites [D8, R78]")
def list_overrides(
    edge: Annotated[Edge, may("read_overrides")], after: After = None, limit: Limit = 100
) -> Page[OverrideView]:
    return queries.overrides(edge.session, edge.actor, after=after, limit=limit)


@api.get("/missed-callbacks", summary="Owners who were not called back in time [R48, D3]")
def list_missed_callbacks(
    edge: Annotated[Edge, may("read_missed_callbacks")], after: After = None, limit: Limit = 100
) -> Page[MissedCallbackView]:
    return queries.missed_callbacks(edge.session, edge.actor, after=after, limit=limit)


@api.get("/reports", summary="Month reports received by the administration department [R42, R43]")
def list_reports(
    edge: Annotated[Edge, may("read_reports")], after: After = None, limit: Limit = 100
) -> Page[ReportView]:
    return queries.reports(edge.session, edge.actor, after=after, limit=limit)


@api.get("/payouts", summary="Approved payouts, with what each person gets [R92-R94]")
def list_payouts(
    edge: Annotated[Edge, may("read_payouts")], after: After = None, limit: Limit = 100
) -> Page[PayoutView]:
    return queries.payouts(edge.session, edge.actor, after=after, limit=limit)


@api.get("/payouts/mine", summary="The person's own statement: jobs, rewards, fines, net, wage deduction [R92-R94]")
def list_own_statements(edge: Annotated[Edge, may("read_own")], month: Month = None) -> list[StatementView]:
    return queries.own_statements(edge.session, edge.actor, month=month)


@api.post("/payouts/{settlement_id}/lines/{person_id}/paid", summary="The person was paid his line [R92]")
def confirm_paid(
    settlement_id: UUID, person_id: UUID, body: ConfirmPaid, edge: Annotated[Edge, may("confirm_payment")]
) -> PayoutLineView:
    def act() -> PayoutLineView:
        payout.paid(
            edge.session,
            settlement_id=settlement_id,
            person_id=person_id,
            reference=body.reference,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.payout_line(edge.session, settlement_id, person_id)

    return edge.once(body, act)


@api.post("/payouts/{settlement_id}/lines/{person_id}/failed", summary="The person could not be paid, and why [R92]")
def tell_failed(
    settlement_id: UUID, person_id: UUID, body: TellFailed, edge: Annotated[Edge, may("confirm_payment")]
) -> PayoutLineView:
    def act() -> PayoutLineView:
        payout.failed(
            edge.session,
            settlement_id=settlement_id,
            person_id=person_id,
            cause=body.cause,
            reason=body.reason,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.payout_line(edge.session, settlement_id, person_id)

    return edge.once(body, act)


class AcknowledgeDelivery(Body):
    """The HR system's own reference for the delivery, if it has one."""

    reference: Short | None = None


class AddWebhook(Body):
    """Where deliveries are pushed to: https, at an address of the open internet; without a site for all sites."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    site_id: UUID | None = None


class ReplayWebhook(Body):
    """The delivery to be sent once more."""

    delivery_id: UUID


@dataclass(frozen=True)
class WebhookSecret:
    """A webhook and its secret, which is shown this once."""

    webhook: WebhookView
    secret: str


@api.get("/deliveries", summary="Payouts for the HR system, in order, with what they come to [R92-R94]")
def list_deliveries(
    edge: Annotated[Edge, may("read_deliveries")],
    after: Annotated[int, Query(ge=0, le=2**62, description="the last sequence number you have")] = 0,
    limit: Limit = 100,
) -> DeliveryPage:
    return queries.deliveries(edge.session, edge.actor, after=after, limit=limit)


@api.get("/deliveries/reconciliation", summary="What was received, delivered and acknowledged on a day, in fen [R92]")
def reconcile_deliveries(day: date, edge: Annotated[Edge, may("read_deliveries")]) -> ReconciliationView:
    return queries.reconciliation(edge.session, edge.actor, day=day)


@api.post("/deliveries/{delivery_id}/acknowledge", summary="The HR system has taken the delivery, once [R92]")
def acknowledge_delivery(
    delivery_id: UUID, body: AcknowledgeDelivery, edge: Annotated[Edge, may("acknowledge_delivery")]
) -> DeliveryView:
    def act() -> DeliveryView:
        delivery.acknowledge(
            edge.session, delivery_id=delivery_id, reference=body.reference, actor=edge.actor, now=edge.now
        )
        return queries.delivery_by_id(edge.session, edge.actor, delivery_id)

    return edge.once(body, act)


# neither is once for a key: the stored answer would hold the secret; a URL is there once, and so is a rotation a day
@api.post("/webhooks", status_code=201, summary="Push deliveries made from now on to a URL, signed [R92, D18]")
def add_webhook(body: AddWebhook, edge: Annotated[Edge, may("manage_webhooks")]) -> WebhookSecret:
    made = webhook.add(edge.session, url=body.url, site_id=body.site_id, actor=edge.actor, now=edge.now)
    return WebhookSecret(queries.webhook_view(made), made.secret)


@api.post("/webhooks/{webhook_id}/rotate-secret", summary="A new secret; the old one signs too for a day [D18]")
def rotate_webhook_secret(webhook_id: UUID, edge: Annotated[Edge, may("manage_webhooks")]) -> WebhookSecret:
    made = webhook.rotate_secret(edge.session, endpoint_id=webhook_id, actor=edge.actor, now=edge.now)
    return WebhookSecret(queries.webhook_view(made), made.secret)


@api.post("/webhooks/{webhook_id}/disable", summary="Push nothing more to it; what is due waits [D18]")
def disable_webhook(webhook_id: UUID, body: Reason, edge: Annotated[Edge, may("manage_webhooks")]) -> WebhookView:
    def act() -> WebhookView:
        webhook.disable(edge.session, endpoint_id=webhook_id, reason=body.reason, actor=edge.actor, now=edge.now)
        return queries.webhook_by_id(edge.session, edge.actor, webhook_id)

    return edge.once(body, act)


@api.post("/webhooks/{webhook_id}/enable", summary="Push to it again, first what has waited [D18]")
def enable_webhook(webhook_id: UUID, edge: Annotated[Edge, may("manage_webhooks")]) -> WebhookView:
    def act() -> WebhookView:
        webhook.enable(edge.session, endpoint_id=webhook_id, actor=edge.actor, now=edge.now)
        return queries.webhook_by_id(edge.session, edge.actor, webhook_id)

    return edge.once(None, act)


@api.post("/webhooks/{webhook_id}/replay", summary="Push a delivery once more, the same as before [D18]")
def replay_webhook(webhook_id: UUID, body: ReplayWebhook, edge: Annotated[Edge, may("replay_webhook")]) -> WebhookView:
    def act() -> WebhookView:
        webhook.replay(
            edge.session, endpoint_id=webhook_id, delivery_id=body.delivery_id, actor=edge.actor, now=edge.now
        )
        return queries.webhook_by_id(edge.session, edge.actor, webhook_id)

    return edge.once(body, act)


@api.get("/webhooks", summary="Where deliveries are pushed to")
def list_webhooks(
    edge: Annotated[Edge, may("read_webhooks")], after: After = None, limit: Limit = 100
) -> Page[WebhookView]:
    return queries.webhooks(edge.session, edge.actor, after=after, limit=limit)


@api.get("/webhooks/{webhook_id}/attempts", summary="Every attempt to push to it, and how it was answered")
def list_webhook_attempts(
    webhook_id: UUID, edge: Annotated[Edge, may("read_webhooks")], after: After = None, limit: Limit = 100
) -> Page[AttemptView]:
    return queries.webhook_attempts(edge.session, edge.actor, endpoint_id=webhook_id, after=after, limit=limit)


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@api.get(
    "/payouts/{settlement_id}.csv",
    summary="A payout as CSV: one line for each person [R92-R94]",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": "the file; its totals are in headers X-Total-…"}},
)
def payout_as_csv(settlement_id: UUID, edge: Annotated[Edge, may("read_deliveries")]) -> Response:
    found = queries.delivery_by_id(edge.session, edge.actor, settlement_id)
    return _file(found, as_csv(found.payload), "csv", "text/csv; charset=utf-8")


@api.get(
    "/payouts/{settlement_id}.xlsx",
    summary="A payout as XLSX: the lines, and the totals on a second sheet [R92-R94]",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "the file; its totals are in headers X-Total-… too"}},
)
def payout_as_xlsx(settlement_id: UUID, edge: Annotated[Edge, may("read_deliveries")]) -> Response:
    found = queries.delivery_by_id(edge.session, edge.actor, settlement_id)
    return _file(found, as_xlsx(found.payload, made_at=found.made_at), "xlsx", XLSX)


@api.get("/payouts/{settlement_id}/totals", summary="What a payout's files belong to and come to, in fen [R92]")
def payout_totals(settlement_id: UUID, edge: Annotated[Edge, may("read_deliveries")]) -> dict[str, str | int]:
    return totals_of(queries.delivery_by_id(edge.session, edge.actor, settlement_id).payload)


def _file(found: DeliveryView, content: bytes, ending: str, media_type: str) -> Response:
    totals = found.payload["totals"]
    return Response(
        content,
        media_type=media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name_of(found.payload, ending)}"',
            "Cache-Control": "no-store",
            "X-Total-Lines": str(totals["lines"]),
            "X-Total-Net-Fen": str(totals["net_fen"]),
            "X-Total-From-Wage-Fen": str(totals["from_wage_fen"]),
        },
    )
