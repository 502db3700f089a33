"""A role reaches as far as its row says: a colleague's department, jobs and cash are out of reach, and fields too.

What a site walls off is tried in test_permissions_sites.py (8.2.2), who may at all in test_permissions.py (8.2.1).
"""

import re
from typing import Any

import pytest

from services.hr.rules.post import DEPARTMENTS
from shared.access import Own
from shared.db import SERVICES
from shared.messages import Role
from tests.bad_input.acts import Act
from tests.bad_input.house import house_of, web_of
from tests.bad_input.test_acts import ACTS
from tests.people import employ
from tests.security.routes import routes_of, table_of

OF_HIMSELF = {
    "prescribe_duty": "the duty is his own department's from the start",
    "mark_duties_done": "everybody says it of his own day",
    "tick_duty": "what is prescribed to all, each of them does",
    "sign_statistics": "each signs for his own department",
    "/sessions/end": "it ends the sessions of whoever asks",
    "manage_own_tokens": "it is issued to whoever asks",
}
"""Actions and routes that name nobody else's thing, each with the reason: nothing there could be a colleague's."""


def action_of(act: Act) -> str:
    """The action an act's route asks for."""
    paths = {route.path.removeprefix("/api"): route for route in routes_of(act.service) if route.method == "POST"}
    return paths[act.route].action


def narrow(act: Act) -> bool:
    """Whether the row lets the act's role reach less than all of his sites, and one can be out of reach."""
    action = action_of(act)
    own = table_of(act.service)[action].own[act.who]
    return own not in {Own.COMPANY, Own.SITES} and action not in OF_HIMSELF and act.route not in OF_HIMSELF


NARROW = (
    "dispatch /work-orders/{work_order_id}/acknowledge",
    "dispatch /work-orders/{work_order_id}/decline",
    "dispatch /work-orders/{work_order_id}/assign",
    "dispatch /work-orders/{work_order_id}/override",
    "dispatch /work-orders/{work_order_id}/check-in",
    "dispatch /work-orders/{work_order_id}/arrive",
    "dispatch /work-orders/{work_order_id}/check-materials",
    "dispatch /work-orders/{work_order_id}/tell-owner",
    "dispatch /work-orders/{work_order_id}/phone/reveal",
    "dispatch /work-orders/{work_order_id}/photos",
    "dispatch /work-orders/{work_order_id}/damage",
    "dispatch /work-orders/{work_order_id}/stop",
    "dispatch /work-orders/{work_order_id}/resume",
    "dispatch /work-orders/{work_order_id}/finish",
    "dispatch /work-orders/{work_order_id}/accept",
    "dispatch /work-orders/{work_order_id}/terminate",
    "dispatch /work-orders/{work_order_id}/return",
    "dispatch /duties/{duty_id}/retire",
    "dispatch /duty-days/check",
    "dispatch /consultations/{consultation_id}/answer",
    "finance /hand-overs",
    "finance /hand-overs/{hand_over_id}/count",
    "finance /hand-overs/{hand_over_id}/withdraw",
    "finance /hand-overs/{hand_over_id}/settle-difference",
    "finance /hand-overs/{hand_over_id}/confirm-difference",
    "hr /cases/{case_id}/accept",
    "hr /cases/{case_id}/appeal",
    "hr /sessions/{session_id}/end",
    "hr /tokens/{token_id}/revoke",
    "intake /months/{month}/sites/{site_id}/lines/accept",
)
"""The acts of tests/bad_input whose role reaches less than all of his sites."""


def test_every_act_that_reaches_less_than_a_site_is_tried(template: str) -> None:
    assert sorted(str(act) for act in ACTS if narrow(act)) == sorted(NARROW)


@pytest.mark.usefixtures("installation")
@pytest.mark.parametrize("act", [act for act in ACTS if str(act) in NARROW], ids=str)
def test_a_colleague_of_the_same_role_and_site_is_refused_what_is_not_his(act: Act) -> None:
    with house_of(act.service) as house:
        call = act.prepare(house)
        of_department = table_of(act.service)[action_of(act)].own[act.who] is Own.DEPARTMENT
        department = "environment" if of_department else next(iter(DEPARTMENTS[act.who] - {"environment"}))
        with house.session() as session:
            employ(session, act.who, department, house.site_id, token="colleague")
        answer = house.post("colleague", call.path, call.body)
        assert answer.status_code in (403, 404, 409), answer.text
        own = house.post(act.who, call.path, call.body)
        assert own.is_success, own.text


SEEN_BY: dict[str, frozenset[Role]] = {
    "monthly_wage_fen": frozenset({"leader", "hr"}),
    "phone": frozenset({"clerk", "desk_head", "head", "worker", "auditor"}),
    "statement": frozenset({"clerk", "desk_head", "head", "cashier", "finance_lead", "leader", "hr", "auditor"}),
    "from_wage_fen": frozenset({"desk_head", "cashier", "finance_lead", "leader", "hr", "auditor"}),
    "secret": frozenset({"administrator"}),
    "token": frozenset({"administrator", "hr"}),
    "token_hash": frozenset(),
    "csrf_token": frozenset(),
    "password": frozenset(),
    "id_number": frozenset(),
    "bank_account": frozenset(),
}
"""Field of an answer -> the roles that may see it of others (8.2.3)."""


def fields_of(schema: Any, parts: dict[str, Any], seen: frozenset[str] = frozenset()) -> set[str]:
    """The names of every field of an answer, at any depth."""
    if isinstance(schema, list):
        return set().union(*(fields_of(one, parts, seen) for one in schema))
    if not isinstance(schema, dict):
        return set()
    name = schema.get("$ref", "").rsplit("/", 1)[-1]
    if name:
        return set() if name in seen else fields_of(parts[name], parts, seen | {name})
    found = set(schema.get("properties", {}))
    return found.union(*(fields_of(part, parts, seen) for part in schema.values()))


def test_a_role_is_shown_no_field_that_it_does_not_need(template: str) -> None:
    matched = set()
    for service in SERVICES:
        described = web_of(service).openapi()
        for route in (route for route in routes_of(service) if route.action and route.path in described["paths"]):
            row = table_of(service)[route.action]
            answers = described["paths"][route.path][route.method.lower()]["responses"]
            shown = [answers[status] for status in answers if re.fullmatch(r"2\d\d", status)]
            for field in fields_of(shown, described["components"]["schemas"]) & SEEN_BY.keys():
                matched.add(field)
                others = {role for role, own in row.own.items() if own is not Own.HIMSELF}
                assert others <= SEEN_BY[field], f"{field} of {route.method} {route.path}: {others - SEEN_BY[field]}"
    assert {"monthly_wage_fen", "phone", "statement", "from_wage_fen", "secret", "token"} <= matched
