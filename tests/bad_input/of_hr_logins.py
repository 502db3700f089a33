"""Who is asking: invitations, sessions and tokens at hr."""

from typing import Any

from services.hr.actions.session import begin
from services.hr.models import Login, LoginSession, Person
from services.hr.rules.totp import new_secret
from shared.ids import new_id
from shared.sessions import hash_session
from tests.bad_input.acts import Act, Call
from tests.bad_input.house import House
from tests.bad_input.of_hr_people import employed
from tests.conftest import START

A_TOKEN: dict[str, Any] = {"name": "报表", "expires_at": "2026-10-01T00:00:00+08:00"}


def an_invitation(house: House) -> Call:
    return Call(f"{employed(house)}/invitation", {"login": f"li.{str(new_id())[-12:]}"})


def a_session(house: House) -> Call:
    with house.session() as session:
        clerk = session.get_one(Person, house.people["clerk"].person_id)
        claims = begin(session, clerk, agent="Firefox", now=START)
        held = session.query(LoginSession).filter_by(id_hash=hash_session(claims.session_id)).one()
        return Call(f"/sessions/{held.id}/end")


def own_sessions(house: House) -> Call:
    a_session(house)
    return Call("/sessions/end")


def sessions_of_another(house: House) -> Call:
    return Call(f"{employed(house)}/sessions/end")


def a_link(house: House) -> Call:
    return Call(f"{employed(house)}/sign-on", {"issuer": "https://id.example", "subject": str(new_id())})


def the_end_of_a_link(house: House) -> Call:
    call = a_link(house)
    house.did("administrator", call.path, call.body)
    return Call(f"{call.path}/end", {"issuer": "https://id.example"})


def a_lost_factor(house: House) -> Call:
    """Of a worker, whose second factor was confirmed when it was there."""
    worker = house.people["worker"].person_id
    with house.session() as session:
        login = Login(person_id=worker, name="zhang.san", password_hash="", password_set_at=START)
        login.totp_secret, login.totp_confirmed_at = new_secret(), START
        session.add(login)
    return Call(f"/people/{worker}/factor-reset", {"reason": "手机丢了"})


def a_proposed_reset(house: House) -> Call:
    call = a_lost_factor(house)
    house.did("administrator", call.path, call.body)
    return Call(f"{call.path}/confirm")


def an_account(house: House) -> Call:
    return Call("/service-accounts", {"name": "金蝶", "site_ids": [str(house.site_id)]})


def a_programs_token(house: House) -> Call:
    call = an_account(house)
    made = house.did("administrator", call.path, call.body)
    return Call(f"/people/{made['id']}/tokens", A_TOKEN | {"scopes": ["payouts:read"]})


def own_token(house: House) -> Call:
    return Call("/tokens", A_TOKEN | {"scopes": ["hr:read_sites"]})


def a_revocation(house: House) -> Call:
    call = own_token(house)
    return Call(f"/tokens/{house.did('clerk', call.path, call.body)['view']['id']}/revoke")


HR = "hr"

ACTS = [
    Act(HR, "/people/{person_id}/invitation", "administrator", an_invitation, again="a new one ends the one before"),
    Act(HR, "/people/{person_id}/sign-on", "administrator", a_link, again="the same subject"),
    Act(HR, "/people/{person_id}/sign-on/end", "administrator", the_end_of_a_link),
    Act(HR, "/people/{person_id}/factor-reset", "administrator", a_lost_factor),
    Act(HR, "/people/{person_id}/factor-reset/confirm", "leader", a_proposed_reset),
    Act(HR, "/sessions/{session_id}/end", "clerk", a_session),
    Act(HR, "/sessions/end", "clerk", own_sessions, again="none is left", everywhere="his own sessions"),
    Act(HR, "/people/{person_id}/sessions/end", "administrator", sessions_of_another, again="none is left"),
    Act(HR, "/service-accounts", "administrator", an_account, again="another program"),
    Act(HR, "/people/{person_id}/tokens", "administrator", a_programs_token, again="another token"),
    Act(HR, "/tokens", "clerk", own_token, again="another token", everywhere="his own tokens"),
    Act(HR, "/tokens/{token_id}/revoke", "clerk", a_revocation),
]
