"""What all services share: alerts and policies."""

from shared.alerts import Alert, raise_alerts
from shared.db import SERVICES
from shared.ids import new_id
from tests.bad_input.acts import Act, Call
from tests.bad_input.house import House
from tests.conftest import START

POLICY = {
    "intake": "CallbackPolicy",
    "dispatch": "PunctualityPolicy",
    "finance": "CashPolicy",
    "hr": "TaskPolicy",
}


def an_alert(house: House) -> Call:
    told = new_id()
    with house.session() as session:
        raise_alerts(session, [Alert("callback_missed", house.site_id, told, role="clerk")], now=START)
    return Call(f"/alerts/{house.get('clerk', '/alerts').json()['items'][-1]['id']}/seen")


def a_policy(house: House) -> Call:
    return Call(
        f"/policies/{POLICY[house.service]}",
        {
            "settings": {},
            "site_id": str(house.site_id),
            "effective_from": "2026-04-02T00:00:00+08:00",
            "reason": "as decided",
        },
    )


ACTS = [
    act
    for service in SERVICES
    for act in (
        Act(service, "/alerts/{alert_id}/seen", "clerk", an_alert, again="seen is seen"),
        Act(service, "/policies/{name}", "administrator", a_policy),
    )
]
