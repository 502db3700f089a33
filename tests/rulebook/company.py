"""The four services at one site, their messages carried by hand, and what a test of a rule says often."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.dispatch.models import WorkOrder
from services.dispatch.rules.punctuality import PunctualityPolicy
from services.dispatch.tasks import tasks as dispatch_tasks
from services.finance.tasks import tasks as finance_tasks
from services.hr.actions import case
from services.hr.models import Case, HrTask
from services.hr.rules.case import Charge
from services.hr.rules.ladder import Offence
from services.hr.tasks import tasks as hr_tasks
from services.intake.actions import price
from services.intake.models import Request
from services.intake.tasks import tasks as intake_tasks
from shared.bus.personal import opened_body
from shared.errors import Problem
from shared.messages import CATALOGUE, PersonChanged, SiteChanged
from shared.people import Actor, hash_token, person_changed, site_changed
from shared.policy_rows import change
from tests.conftest import START
from tests.people import ZONE, employ
from tests.services.dispatch.crew import Crew
from tests.services.finance.office import Office
from tests.services.hr.court import finish
from tests.services.intake.desk import NOW, Desk, price_book

HANDLERS = {
    "intake": intake_tasks.handlers,
    "dispatch": dispatch_tasks.handlers,
    "finance": finance_tasks.handlers,
    "hr": hr_tasks.handlers,
}


@contextmanager
def refused(session: Session, rule: str, *, code: str = "") -> Iterator[None]:
    """What is done inside is refused by that rule (with that code), and leaves nothing behind."""
    with pytest.raises(Problem) as told, session.begin_nested():
        yield
    assert rule in told.value.rule.split(", "), told.value
    assert code in ("", told.value.code), told.value


def open_site_known_as(session: Session, site_id: UUID) -> UUID:
    """The same site, as another service knows it."""
    site_changed(
        session, SiteChanged(site_id=site_id, version=1, code="BK", name="BK 小区", zone=ZONE, closing=time(18))
    )
    return site_id


def introduce(session: Session, actor: Actor) -> Actor:
    """Somebody of one service becomes known to another."""
    person_changed(
        session,
        PersonChanged(
            person_id=actor.person_id,
            version=1,
            name=actor.name,
            role=actor.role,
            department=actor.department,
            site_ids=list(actor.site_ids or ()),
            all_sites=actor.site_ids is None,
            active=True,
            token_hash=hash_token(str(actor.person_id)),
        ),
    )
    return actor


@dataclass
class Discipline:
    """hr of a site: offences are charged by the desk and decided by the leader."""

    session: Session
    site_id: UUID
    clerk: Actor
    worker: Actor
    head: Actor
    leader: Actor

    def charge(self, offence: Offence, person: Actor, **facts: Any) -> Case:
        charge = Charge(offence, self.site_id, person.person_id, NOW, "业主反映", **facts)
        opened = case.open_(self.session, charge=charge, actor=self.clerk, now=NOW)
        self.session.flush()
        return opened

    def confirm(self, opened: Case, *, now: datetime = NOW) -> Case:
        """Heard, confirmed and accepted: final."""
        return finish(self.session, opened, self.leader, now)

    def penalties(self, offence: Offence, person: Actor, times: int) -> list[tuple[str, int]]:
        """(step, fine in fen) of each of so many confirmed offences."""
        decided = [self.confirm(self.charge(offence, person)) for _ in range(times)]
        return [(str(one.step), int(one.fine_fen or 0)) for one in decided]

    def fines_told(self) -> list[int]:
        """The fines finance was told of (fen)."""
        return list(
            self.session.scalars(
                text("SELECT (body ->> 'amount_fen')::int FROM outbox WHERE type = 'FineConfirmed' ORDER BY sequence")
            )
        )

    def steps_for_hr(self) -> list[str]:
        """What hr has to carry out, in order."""
        return [str(task.kind) for task in self.session.query(HrTask).order_by(HrTask.id)]


def hold_discipline(session: Session, site_id: UUID) -> Discipline:
    """The people of a site as hr knows them."""
    return Discipline(
        session,
        site_id,
        employ(session, "clerk", "front_desk", site_id),
        employ(session, "worker", "engineering", site_id, name="李雷"),
        employ(session, "head", "engineering", site_id),
        employ(session, "leader", "management"),
    )


@dataclass
class Company:
    """One site in all four services; a message goes to its receivers when it is carried."""

    desk: Desk
    crew: Crew
    office: Office
    discipline: Discipline

    @property
    def sessions(self) -> dict[str, Session]:
        return {
            "intake": self.desk.session,
            "dispatch": self.crew.session,
            "finance": self.office.session,
            "hr": self.discipline.session,
        }

    def carry(self, kind: str, *, now: datetime = NOW) -> None:
        """Every message of this kind that was said reaches everybody it is for."""
        message = CATALOGUE[kind]
        said = self.sessions[message.sender]
        said.flush()
        rows = said.execute(
            text("SELECT message_id, receiver, body FROM outbox WHERE type = :kind ORDER BY sequence"), {"kind": kind}
        ).all()
        assert rows, f"nobody said {kind}"
        for id_, receiver, body in rows:
            heard = self.sessions[receiver]
            heard.flush()
            HANDLERS[receiver][kind](heard, message.model_validate(opened_body(message, str(id_), body)), now=now)
            heard.flush()
            heard.expire_all()

    def noticed(self) -> Request:
        """A request whose notice has reached the department and finance."""
        made = self.desk.noticed()
        self.carry("NoticeIssued")
        return made

    def started(self, made: Request, *, round_: int = 0, now: datetime = NOW) -> WorkOrder:
        """The worker is at the home."""
        order = self.crew.assign(self.crew.acknowledge(self.crew.order(made.id, round_)))
        self.crew.do_duties()
        return self.crew.arrive(order, now=now)

    def done(self, made: Request, *, round_: int = 0, now: datetime = NOW) -> WorkOrder:
        """The owner signed, and desk and finance know."""
        order = self.crew.finish(self.started(made, round_=round_, now=now), now=now)
        self.crew.accept(order, now=now)
        self.carry("WorkAccepted", now=now)
        return order


def come_any_time(dispatch: Session, administrator: Actor) -> None:
    """Workers may come a week before the visit's window: most tests have all done at NOW."""
    policy = PunctualityPolicy(early_minutes=7 * 24 * 60)
    facts = {"site_id": None, "effective_from": START, "reason": "for the tests"}
    change(dispatch, policy, **facts, actor=administrator, now=START)


def open_company(session_of: Callable[[str], Session]) -> Company:
    """A site with its people in every service."""
    office = Office(session_of("finance"))
    office.begin()
    intake, dispatch, hr = session_of("intake"), session_of("dispatch"), session_of("hr")
    site_id = office.site_id
    for session in (intake, dispatch, hr):
        open_site_known_as(session, site_id)
    price.published(intake, price_book())
    come_any_time(dispatch, employ(dispatch, "administrator", "management"))
    return Company(
        Desk(
            intake,
            site_id,
            employ(intake, "clerk", "front_desk", site_id),
            employ(intake, "desk_head", "front_desk", site_id),
        ),
        Crew(
            dispatch,
            site_id,
            employ(dispatch, "head", "engineering", site_id, name="工程主管"),
            employ(dispatch, "worker", "engineering", site_id, name="张师傅"),
            employ(dispatch, "worker", "engineering", site_id, name="李师傅"),
        ),
        office,
        hold_discipline(hr, site_id),
    )
