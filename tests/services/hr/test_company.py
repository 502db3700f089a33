"""The company is founded once, and opens sites."""

from datetime import datetime, time

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.hr.actions import company, site
from services.hr.models import Person
from services.hr.queries.sites import SiteView, sites
from services.hr.rules.company import check_founder
from services.hr.rules.site import check_zone
from shared.errors import Malformed, NotYourRole, RuleBroken
from shared.people import identify
from tests.people import employ, open_site, published
from tests.services.hr.conftest import NOW


def found(session: Session, now: datetime, secret: str = "open sesame") -> tuple[Person, str]:
    return company.found(session, secret=secret, expected="open sesame", name="便民物业", administrator="王敏", now=now)


def test_the_founder_becomes_administrator_of_all_sites_and_everybody_is_told(session: Session, now: datetime) -> None:
    person, token = found(session, now)
    known = identify(session, token)
    assert known is not None
    assert (known[0].person_id, known[0].role, known[0].department) == (person.id, "administrator", "administration")
    assert known[0].site_ids is None
    assert published(session) == [("PersonChanged", other) for other in ("intake", "dispatch", "finance")]


def test_a_company_is_founded_once(session: Session, now: datetime) -> None:
    found(session, now)
    with pytest.raises(RuleBroken) as refused:
        found(session, now)
    assert refused.value.code == "company_exists"
    assert len(session.scalars(select(Person)).all()) == 1


def test_the_database_holds_one_company(session: Session, now: datetime) -> None:
    found(session, now)
    with pytest.raises(IntegrityError, match="ck_company_only_row"):
        session.execute(text("INSERT INTO company (only_row, name, founded_at) VALUES (false, 'x', now())"))


@pytest.mark.parametrize(("secret", "expected"), [("wrong", "right"), ("", ""), ("right", ""), ("错", "right")])
def test_nobody_founds_a_company_without_the_secret(secret: str, expected: str) -> None:
    with pytest.raises(NotYourRole):
        check_founder(secret, expected=expected)


def test_the_right_secret_founds_a_company() -> None:
    check_founder("right", expected="right")


def test_a_site_is_opened_and_everybody_is_told(session: Session) -> None:
    made = site.open_(session, code="BK", name="碧空苑", zone="Asia/Urumqi", closing=time(19), now=NOW)
    assert published(session) == [("SiteChanged", other) for other in ("intake", "dispatch", "finance")]
    administrator = employ(session, "administrator", "administration")
    assert sites(session, administrator) == [
        SiteView(made.id, "BK", "碧空苑", "Asia/Urumqi", time(19), None, None, made.holidays)
    ]


def test_two_sites_never_have_the_same_code(session: Session) -> None:
    site.open_(session, code="BK", name="碧空苑", zone="Asia/Shanghai", closing=time(18), now=NOW)
    with pytest.raises(IntegrityError, match="uq_sites_code"):
        site.open_(session, code="BK", name="北口里", zone="Asia/Shanghai", closing=time(18), now=NOW)


@pytest.mark.parametrize("zone", ["", "Asia", "Asia/Atlantis", "../../etc/passwd", "+08:00"])
def test_a_site_lies_in_a_real_time_zone(zone: str) -> None:
    with pytest.raises(Malformed) as refused:
        check_zone(zone)
    assert refused.value.code == "unknown_zone"


def test_a_person_is_shown_his_own_sites_only(session: Session) -> None:
    mine, _ = open_site(session, "BK"), open_site(session, "XH")
    clerk = employ(session, "clerk", "front_desk", mine)
    assert [site.id for site in sites(session, clerk)] == [mine]
