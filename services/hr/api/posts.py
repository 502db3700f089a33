"""People with their posts, tokens and skills."""

from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.hr.actions import post
from services.hr.api.fields import WallTime
from services.hr.api.may import may
from services.hr.queries.posts import PersonView, PostView, people, person_view, posts
from shared.messages import Certificate, Department, Role
from shared.paging import Page
from shared.web import After, Body, Day, Edge, Limit, Short, Words

routes = APIRouter(tags=["posts"])


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


@dataclass(frozen=True)
class Token:
    """A person's new token, shown this once."""

    token: str


@routes.post("/people", status_code=201, summary="Employ a person; his token is issued apart")
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
        return person_view(made)

    return edge.once(body, act)


@routes.get("/people", summary="People of the person's sites")
def list_people(edge: Annotated[Edge, may("read_people")], after: After = None, limit: Limit = 100) -> Page[PersonView]:
    return people(edge.session, edge.actor, after=after, limit=limit)


# not once for a key: the stored answer would hold the token, and a repeat is another token, not another person
@routes.post("/people/{person_id}/token", summary="Issue a new token; the one before ends")
def issue_token(person_id: UUID, edge: Annotated[Edge, may("issue_token")]) -> Token:
    return Token(post.issue_token(edge.session, person_id=person_id, actor=edge.actor))


@routes.post("/people/{person_id}/leave", summary="The person leaves; his token ends")
def let_leave(person_id: UUID, edge: Annotated[Edge, may("let_leave")]) -> PersonView:
    return person_view(post.let_leave(edge.session, person_id=person_id, actor=edge.actor, now=edge.now))


@routes.post("/people/{person_id}/move", summary="Give a person another post; the one before is kept [R79, R82]")
def move_person(person_id: UUID, body: MovePerson, edge: Annotated[Edge, may("move_person")]) -> PersonView:
    def act() -> PersonView:
        return person_view(post.move(edge.session, person_id=person_id, actor=edge.actor, now=edge.now, **dict(body)))

    return edge.once(body, act)


@routes.get("/people/{person_id}/posts", summary="The posts a person has and had")
def list_posts(person_id: UUID, edge: Annotated[Edge, may("read_posts")]) -> list[PostView]:
    return posts(edge.session, edge.actor, person_id)


@routes.post("/people/{person_id}/skills", summary="The trades a person can do [R60]")
def record_skills(person_id: UUID, body: RecordSkills, edge: Annotated[Edge, may("record_skills")]) -> PersonView:
    def act() -> PersonView:
        return person_view(post.record_skills(edge.session, person_id=person_id, skills=body.skills, actor=edge.actor))

    return edge.once(body, act)


@routes.post("/people/{person_id}/certificates", summary="A certificate a person got or renewed [R60, R66]")
def record_certificate(
    person_id: UUID, body: RecordCertificate, edge: Annotated[Edge, may("record_skills")]
) -> PersonView:
    def act() -> PersonView:
        certificate = Certificate.model_validate(dict(body))
        made = post.record_certificate(
            edge.session, person_id=person_id, certificate=certificate, actor=edge.actor, now=edge.now
        )
        return person_view(made)

    return edge.once(body, act)
