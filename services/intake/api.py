"""The front desk's JSON API: one action for each route; money in fen, moments with a zone."""

from datetime import datetime
from itertools import groupby
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import Field, StringConstraints, ValidationError, model_validator

from services.intake import queries
from services.intake.actions import (
    answer,
    consultation,
    copy,
    importing,
    notice,
    private_job,
    request,
    revision,
    revisit,
    statistics,
)
from services.intake.actions.importing import ImportedRow
from services.intake.queries import (
    AnswerView,
    CashAlertView,
    ConsultationView,
    HomeView,
    LookupView,
    MonthView,
    PriceView,
    PrivateJobView,
    RegisteredView,
    ReportView,
    RequestView,
    RevisitDue,
    SiteView,
    TradeView,
)
from services.intake.rules.access import MAY
from services.intake.rules.notice import Copy
from services.intake.rules.price import Wanted
from services.intake.rules.report import label
from services.intake.rules.request import Channel, RequestState
from services.intake.rules.revisit import Survey
from services.intake.rules.statistics import Item as LineItem
from shared.calendar import local
from shared.errors import Malformed
from shared.messages import FieldDepartment
from shared.money import MAX_FEN, PositiveFen, format_fen
from shared.paging import Page
from shared.web import After, Body, Edge, Limit, Moment, MonthName, Reason, Short, Words, explain, permissions

api = APIRouter(prefix="/api", tags=["intake"])
may = permissions("intake", MAY)

PAPERS = Environment(loader=PackageLoader("services.intake"), autoescape=True, undefined=StrictUndefined)
"""The documents that are printed."""
PAPERS.globals.update(label=label, format_fen=format_fen, local=local)

Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 -]{4,19}$")]

Asked = Annotated[str, Query(max_length=200, description="words to look for; none: everything")]


class Window(Body):
    """A stretch of time that suits the owner [R17]."""

    start: Moment
    end: Moment

    @model_validator(mode="after")
    def _has_a_length(self) -> "Window":
        if self.start >= self.end:
            raise ValueError("a window ends after it begins")
        return self


class RequestForm(Body):
    """The registration form 有偿服务登记表 [R13-R17]."""

    channel: Channel
    owner_name: Short
    address: Short
    phone: Phone
    description: Words
    trade: Short = Field(description="a code of the trade catalogue, e.g. `water`")
    windows: list[Window] = Field(default=[], max_length=10)

    def form(
        self, *, source: str | None = None, source_key: str | None = None, asked_at: datetime | None = None
    ) -> request.RegistrationForm:
        """What the action takes."""
        return request.RegistrationForm(
            channel=self.channel,
            owner_name=self.owner_name,
            address=self.address,
            phone=self.phone,
            description=self.description,
            trade=self.trade,
            windows=[(window.start, window.end) for window in self.windows],
            source=source,
            source_key=source_key,
            asked_at=asked_at,
        )


class RegisterRequest(RequestForm):
    """The registration form of an owner at a site [R6]."""

    site_id: UUID


class ImportRow(RequestForm):
    """One row of another system's list, with its key there."""

    source_key: Short
    asked_at: Moment | None = None


class ImportRequests(Body):
    """Rows of one site, each checked by itself: `rows` maps the row number to the fields of ImportRow."""

    source: Short
    site_id: UUID
    rows: dict[int, dict[str, Any]] = Field(max_length=500)


class LogAttempt(Body):
    """A call that did not reach the owner."""

    note: Words


class Item(Body):
    """An item of the price book, how many of it, and the agreed price of one (fen) [R57, D10]."""

    price_code: Short
    quantity: int = Field(ge=1, le=1000, strict=True)
    unit_fen: PositiveFen

    def wanted(self) -> Wanted:
        """What the action takes."""
        return Wanted(self.price_code, self.quantity, self.unit_fen)


Items = Annotated[list[Item], Field(min_length=1, max_length=20)]


class AgreeVisit(Body):
    """Time and fee as agreed with the owner [R18, R49]: what is to be done, each at its approved price."""

    visit_from: Moment
    visit_to: Moment
    items: Items
    owner_waits: bool = Field(default=False, description="a walk-in owner waits at the desk for the worker [R45]")


class ReviseNotice(Body):
    """What changes on a notice already issued, and why; what is left out stays as it is [R24-R28]."""

    visit_from: Moment | None = None
    visit_to: Moment | None = None
    items: Items | None = None
    owner_name: Short | None = None
    address: Short | None = None
    phone: Phone | None = None
    description: Words | None = None
    reason: Words

    def changes(self) -> revision.Revision:
        """What the action takes."""
        return revision.Revision(
            visit_from=self.visit_from,
            visit_to=self.visit_to,
            items=None if self.items is None else [item.wanted() for item in self.items],
            owner_name=self.owner_name,
            address=self.address,
            phone=self.phone,
            description=self.description,
        )


class ReprintCopy(Body):
    """Which copy is printed once more, and why."""

    copy_: Copy = Field(alias="copy")
    reason: Words


class GiveAnswer(Body):
    """A question asked often, its answer, and the trade it is about [R22]."""

    site_id: UUID
    question: Words
    answer: Words
    trade: Short | None = None


class ReportPrivateJob(Body):
    """Who took a paid job privately, when, and how one knows [R54]."""

    site_id: UUID
    person_id: UUID
    happened_at: Moment
    evidence: Words


class AskConsultation(Body):
    """A question to the request's department, and when the owner gets his reply [R19, R23]."""

    question: Words
    reply_due_at: Moment
    owner_was_told: bool = Field(description="the owner was reached and promised the reply at that time")


OneToFive = Annotated[int, Field(ge=1, le=5, strict=True)]


class SurveyAnswers(Body):
    """The three questions of the revisit [R37]."""

    quality: OneToFive = Field(description="the work, from 1 (bad) to 5 (good)")
    attitude: OneToFive = Field(description="the people, from 1 (bad) to 5 (good)")
    price_as_agreed: bool = Field(strict=True)


class RecordRevisit(Body):
    """What the owner said; whoever is reached answers the survey, a problem needs the next visit's time [R37-R39]."""

    outcome: Literal["not_reached", "satisfied", "problem"]
    note: Words
    survey: SurveyAnswers | None = None
    visit_from: Moment | None = None
    visit_to: Moment | None = None


class DisputeLine(Body):
    """A line of the statistics the department does not accept, and why [R41]."""

    department: FieldDepartment
    item: LineItem
    reason: Words


class SettleLine(Body):
    """The figure the desk proposes for a disputed line (a count, or fen), and how it was found [R41]."""

    department: FieldDepartment
    item: LineItem
    figure: int = Field(strict=True, ge=-MAX_FEN, le=MAX_FEN)
    note: Words


class AcceptLine(Body):
    """The other side accepts the figure proposed [R41]."""

    department: FieldDepartment
    item: LineItem
    note: Words = "accepted"


@api.get("/sites", summary="The person's sites")
def list_sites(edge: Annotated[Edge, may("read_sites")]) -> list[SiteView]:
    return queries.sites(edge.session, edge.actor)


@api.get("/prices", summary="The price book in force today [R22, R55]")
def list_prices(edge: Annotated[Edge, may("read_prices")]) -> list[PriceView]:
    return queries.prices(edge.session, edge.actor, now=edge.now)


@api.post("/requests", status_code=201, summary="Register a request and start its clock [R13-R21, R48]")
def register_request(body: RegisterRequest, edge: Annotated[Edge, may("register_request")]) -> RegisteredView:
    def act() -> RegisteredView:
        made = request.register(edge.session, site_id=body.site_id, form=body.form(), actor=edge.actor, now=edge.now)
        return queries.registered(edge.session, edge.actor, made.id)

    return edge.once(body, act)


@api.post("/imports", summary="Register rows of another system's list; known rows change nothing [D2]")
def import_requests(body: ImportRequests, edge: Annotated[Edge, may("import_requests")]) -> list[ImportedRow]:
    forms: dict[int, request.RegistrationForm] = {}
    told: list[ImportedRow] = []
    for number, fields in body.rows.items():
        try:
            row = ImportRow.model_validate(fields)
            forms[number] = row.form(source=body.source, source_key=row.source_key, asked_at=row.asked_at)
        except ValidationError as bad:
            told.append(ImportedRow(number, "malformed", None, explain(bad.errors())))
    told += importing.import_rows(
        edge.session, site_id=body.site_id, source=body.source, forms=forms, actor=edge.actor, now=edge.now
    )
    return sorted(told, key=lambda row: row.row)


@api.get("/requests", summary="Requests in order of registration")
def list_requests(
    edge: Annotated[Edge, may("read_requests")],
    state: RequestState | None = None,
    after: After = None,
    limit: Limit = 100,
) -> Page[RequestView]:
    return queries.requests(edge.session, edge.actor, state=state, after=after, limit=limit)


@api.get("/requests/{request_id}", summary="One request, whole")
def read_request(request_id: UUID, edge: Annotated[Edge, may("read_requests")]) -> RequestView:
    return queries.request_by_id(edge.session, edge.actor, request_id)


@api.get("/callbacks", summary="Owners waiting for a call, the least time left first [R48]")
def list_callbacks(edge: Annotated[Edge, may("read_callbacks")]) -> list[RequestView]:
    return queries.callbacks(edge.session, edge.actor)


@api.post("/requests/{request_id}/attempts", summary="A call did not reach the owner [D3]")
def log_attempt(request_id: UUID, body: LogAttempt, edge: Annotated[Edge, may("log_attempt")]) -> RequestView:
    def act() -> RequestView:
        request.log_attempt(edge.session, request_id=request_id, note=body.note, actor=edge.actor, now=edge.now)
        return queries.request_by_id(edge.session, edge.actor, request_id)

    return edge.once(body, act)


@api.post("/requests/{request_id}/agree", summary="Agree time and fee with the owner [R18, R46, R49]")
def agree_visit(request_id: UUID, body: AgreeVisit, edge: Annotated[Edge, may("agree_visit")]) -> RequestView:
    def act() -> RequestView:
        request.agree_visit(
            edge.session,
            request_id=request_id,
            visit_from=body.visit_from,
            visit_to=body.visit_to,
            items=[item.wanted() for item in body.items],
            owner_waits=body.owner_waits,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.request_by_id(edge.session, edge.actor, request_id)

    return edge.once(body, act)


@api.post("/requests/{request_id}/cancel", summary="The owner no longer wants it")
def cancel_request(request_id: UUID, body: Reason, edge: Annotated[Edge, may("cancel_request")]) -> RequestView:
    request.cancel(edge.session, request_id=request_id, reason=body.reason, actor=edge.actor, now=edge.now)
    return queries.request_by_id(edge.session, edge.actor, request_id)


@api.post("/requests/{request_id}/consultations", status_code=201, summary="Ask the department [R19, R23]")
def ask_consultation(
    request_id: UUID, body: AskConsultation, edge: Annotated[Edge, may("ask_consultation")]
) -> ConsultationView:
    def act() -> ConsultationView:
        asked = consultation.ask(
            edge.session,
            request_id=request_id,
            question=body.question,
            reply_due_at=body.reply_due_at,
            owner_was_told=body.owner_was_told,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.consultation_view(asked)

    return edge.once(body, act)


@api.get("/consultations", summary="Questions put to departments")
def list_consultations(
    edge: Annotated[Edge, may("read_requests")], after: After = None, limit: Limit = 100
) -> Page[ConsultationView]:
    return queries.consultations(edge.session, edge.actor, after=after, limit=limit)


@api.post("/consultations/{consultation_id}/reply", summary="The owner was given the answer [R23]")
def reply_consultation(consultation_id: UUID, edge: Annotated[Edge, may("reply_consultation")]) -> ConsultationView:
    replied = consultation.reply(edge.session, consultation_id=consultation_id, actor=edge.actor, now=edge.now)
    return queries.consultation_view(replied)


@api.post("/requests/{request_id}/notice", status_code=201, summary="Issue the service notice in three copies [R24]")
def issue_notice(request_id: UUID, edge: Annotated[Edge, may("issue_notice")]) -> RequestView:
    def act() -> RequestView:
        notice.issue(edge.session, request_id=request_id, actor=edge.actor, now=edge.now)
        return queries.request_by_id(edge.session, edge.actor, request_id)

    return edge.once(None, act)


@api.post("/requests/{request_id}/revise", summary="Change the notice until the owner signed [R24-R28, D23]")
def revise_notice(request_id: UUID, body: ReviseNotice, edge: Annotated[Edge, may("revise_notice")]) -> RequestView:
    def act() -> RequestView:
        revision.revise(
            edge.session,
            request_id=request_id,
            revision=body.changes(),
            reason=body.reason,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.request_by_id(edge.session, edge.actor, request_id)

    return edge.once(body, act)


@api.post("/requests/{request_id}/notice/reprint", summary="Print a copy once more; it is counted [R25, R28]")
def reprint_notice(request_id: UUID, body: ReprintCopy, edge: Annotated[Edge, may("reprint_notice")]) -> RequestView:
    def act() -> RequestView:
        copy.reprint(
            edge.session,
            request_id=request_id,
            copy=body.copy_,
            reason=body.reason,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.request_by_id(edge.session, edge.actor, request_id)

    return edge.once(body, act)


@api.get("/homes", summary="A home by phone number, else by room, with its requests [R13-R15]")
def find_homes(
    edge: Annotated[Edge, may("read_requests")],
    phone: Annotated[str, Query(max_length=40)] = "",
    room: Annotated[str, Query(max_length=200)] = "",
) -> list[HomeView]:
    if not phone.strip() and not room.strip():
        raise Malformed("phone_or_room", "send phone or room", rule="R15")
    return queries.homes(edge.session, edge.actor, phone=phone, room=room)


@api.get("/trades", summary="The catalogue of trades at a site: who does it, or why it is refused [R7-R10, D2]")
def list_trades(site_id: UUID, edge: Annotated[Edge, may("read_trades")]) -> list[TradeView]:
    return queries.trades(edge.session, edge.actor, site_id=site_id, now=edge.now)


@api.get("/price-lookup", summary="Prices and answers that have these words in them [R22, R55]")
def look_up_price(
    edge: Annotated[Edge, may("read_prices")], q: Asked = "", trade: Annotated[str | None, Query(max_length=40)] = None
) -> LookupView:
    return queries.price_lookup(edge.session, edge.actor, q=q.strip(), trade=trade, now=edge.now)


@api.get("/answers", summary="Answers to questions asked often [R22]")
def list_answers(
    edge: Annotated[Edge, may("read_prices")], q: Asked = "", after: After = None, limit: Limit = 100
) -> Page[AnswerView]:
    return queries.answers(edge.session, edge.actor, q=q.strip(), after=after, limit=limit)


@api.post("/answers", status_code=201, summary="Have an answer ready for a question asked often [R22]")
def give_answer(body: GiveAnswer, edge: Annotated[Edge, may("give_answer")]) -> AnswerView:
    def act() -> AnswerView:
        made = answer.give(edge.session, **body.model_dump(), actor=edge.actor, now=edge.now)
        return queries.answer_view(made)

    return edge.once(body, act)


@api.post("/answers/{answer_id}/retire", summary="The answer no longer holds [R22]")
def retire_answer(answer_id: UUID, edge: Annotated[Edge, may("retire_answer")]) -> AnswerView:
    def act() -> AnswerView:
        return queries.answer_view(answer.retire(edge.session, answer_id=answer_id, actor=edge.actor, now=edge.now))

    return edge.once(None, act)


@api.get("/private-job-reports", summary="What the desk was told of private jobs [R54]")
def list_private_jobs(
    edge: Annotated[Edge, may("read_private_jobs")], after: After = None, limit: Limit = 100
) -> Page[PrivateJobView]:
    return queries.private_jobs(edge.session, edge.actor, after=after, limit=limit)


@api.post("/private-job-reports", status_code=201, summary="Somebody took a paid job privately [R54, R81, D20]")
def report_private_job(body: ReportPrivateJob, edge: Annotated[Edge, may("report_private_job")]) -> PrivateJobView:
    def act() -> PrivateJobView:
        made = private_job.report(edge.session, **body.model_dump(), actor=edge.actor, now=edge.now)
        return queries.private_job_view(made)

    return edge.once(body, act)


@api.get("/revisits", summary="Revisits whose time has come, or owners who are unreachable, the oldest first [R37]")
def list_revisits(
    edge: Annotated[Edge, may("read_requests")],
    *,
    unreachable: bool = False,
    after: Annotated[UUID | None, Query(description="`next` of the page before, a request's id")] = None,
    limit: Limit = 100,
) -> Page[RevisitDue]:
    return queries.revisits_due(edge.session, edge.actor, unreachable=unreachable, after=after, limit=limit)


@api.post("/requests/{request_id}/revisit", summary="Record what the owner said at the revisit [R37-R39]")
def record_revisit(request_id: UUID, body: RecordRevisit, edge: Annotated[Edge, may("record_revisit")]) -> RequestView:
    def act() -> RequestView:
        called: dict[str, Any] = {
            "session": edge.session,
            "request_id": request_id,
            "actor": edge.actor,
            "now": edge.now,
        }
        if body.outcome == "not_reached":
            revisit.not_reached(**called, note=body.note)
            return queries.request_by_id(edge.session, edge.actor, request_id)
        if body.survey is None:
            raise Malformed("survey_needed", "an owner who is reached is asked the three questions", rule="R37")
        survey = Survey(**dict(body.survey))
        if body.outcome == "satisfied":
            revisit.satisfied(**called, note=body.note, survey=survey)
        else:
            if body.visit_from is None or body.visit_to is None:
                raise Malformed("visit_needed", "a problem needs visit_from and visit_to of the rework", rule="R39")
            revisit.problem_found(
                **called, problem=body.note, survey=survey, visit_from=body.visit_from, visit_to=body.visit_to
            )
        return queries.request_by_id(edge.session, edge.actor, request_id)

    return edge.once(body, act)


@api.post("/requests/{request_id}/close-unreachable", summary="End a request whose owner cannot be reached [R39, D25]")
def close_unreachable(request_id: UUID, body: Reason, edge: Annotated[Edge, may("close_unreachable")]) -> RequestView:
    def act() -> RequestView:
        revisit.close_unreachable(
            edge.session, request_id=request_id, reason=body.reason, actor=edge.actor, now=edge.now
        )
        return queries.request_by_id(edge.session, edge.actor, request_id)

    return edge.once(body, act)


@api.get("/cash-alerts", summary="Cash finance waits for [D6]")
def list_cash_alerts(
    edge: Annotated[Edge, may("read_months")], after: After = None, limit: Limit = 100
) -> Page[CashAlertView]:
    return queries.cash_alerts(edge.session, edge.actor, after=after, limit=limit)


@api.get("/months/{month}", summary="A month's statistics at each site, compared line by line [R40, R41]")
def read_month(month: MonthName, edge: Annotated[Edge, may("read_months")]) -> list[MonthView]:
    return queries.months(edge.session, edge.actor, month=month)


@api.post("/months/{month}/sites/{site_id}/ask", summary="Ask the departments for their figures once more [R41]")
def ask_figures(month: MonthName, site_id: UUID, edge: Annotated[Edge, may("ask_figures")]) -> list[MonthView]:
    def act() -> list[MonthView]:
        statistics.ask_figures(edge.session, site_id=site_id, month=month, actor=edge.actor, now=edge.now)
        return queries.months(edge.session, edge.actor, month=month)

    return edge.once(None, act)


@api.post("/months/{month}/sites/{site_id}/sign", summary="The person's department agrees with every line [R41]")
def sign_statistics(month: MonthName, site_id: UUID, edge: Annotated[Edge, may("sign_statistics")]) -> list[MonthView]:
    def act() -> list[MonthView]:
        statistics.sign(edge.session, site_id=site_id, month=month, actor=edge.actor, now=edge.now)
        return queries.months(edge.session, edge.actor, month=month)

    return edge.once(None, act)


@api.post("/months/{month}/sites/{site_id}/lines/dispute", summary="A department does not accept a line [R41]")
def dispute_line(
    month: MonthName, site_id: UUID, body: DisputeLine, edge: Annotated[Edge, may("dispute_line")]
) -> list[MonthView]:
    def act() -> list[MonthView]:
        statistics.dispute_line(
            edge.session, site_id=site_id, month=month, actor=edge.actor, now=edge.now, **dict(body)
        )
        return queries.months(edge.session, edge.actor, month=month)

    return edge.once(body, act)


@api.post("/months/{month}/sites/{site_id}/lines/settle", summary="The desk proposes a disputed line's figure [R41]")
def settle_line(
    month: MonthName, site_id: UUID, body: SettleLine, edge: Annotated[Edge, may("settle_line")]
) -> list[MonthView]:
    def act() -> list[MonthView]:
        statistics.settle_line(edge.session, site_id=site_id, month=month, actor=edge.actor, now=edge.now, **dict(body))
        return queries.months(edge.session, edge.actor, month=month)

    return edge.once(body, act)


@api.post("/months/{month}/sites/{site_id}/lines/accept", summary="The other side accepts the figure proposed [R41]")
def accept_line(
    month: MonthName, site_id: UUID, body: AcceptLine, edge: Annotated[Edge, may("accept_line")]
) -> list[MonthView]:
    def act() -> list[MonthView]:
        statistics.accept_line(edge.session, site_id=site_id, month=month, actor=edge.actor, now=edge.now, **dict(body))
        return queries.months(edge.session, edge.actor, month=month)

    return edge.once(body, act)


@api.get("/months/{month}/sites/{site_id}/report", summary="The month's report, a draft until it is agreed [R42, R43]")
def read_report(month: MonthName, site_id: UUID, edge: Annotated[Edge, may("read_months")]) -> ReportView:
    return queries.report(edge.session, edge.actor, site_id=site_id, month=month)


@api.get(
    "/months/{month}/sites/{site_id}/report.html",
    summary="The month's report to be printed [R42, R43]",
    response_class=HTMLResponse,
)
def print_report(month: MonthName, site_id: UUID, edge: Annotated[Edge, may("read_months")]) -> str:
    report = queries.report(edge.session, edge.actor, site_id=site_id, month=month)
    tables = [list(lines) for _, lines in groupby(report.lines, lambda line: (line.department, line.person_id))]
    return PAPERS.get_template("report.html").render(report=report, tables=tables, now=edge.now)
