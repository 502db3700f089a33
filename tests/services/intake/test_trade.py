"""The catalogue of trades [R7-R10, D1, D2]."""

from datetime import timedelta

import pytest

from services.intake.queries.trades import trades
from services.intake.rules.scope import Trade, TradePolicy, trade_of
from shared.errors import Malformed, NotFound
from shared.policy_rows import change
from tests.people import employ, open_site
from tests.services.intake.desk import NOW, Desk, minutes
from tests.services.intake.test_home import register


def test_a_catalogue_has_each_code_once_and_each_trade_a_department_or_a_reason_to_refuse_it() -> None:
    water = Trade(code="water", name="水", department="engineering")
    with pytest.raises(ValueError, match="once"):
        TradePolicy(trades=(water, water))
    with pytest.raises(ValueError, match="refused"):
        Trade(code="water", name="水")
    with pytest.raises(ValueError, match="refused"):
        Trade(code="water", name="水", department="engineering", refusal="x")
    with pytest.raises(Malformed, match="there are water"):
        trade_of(TradePolicy(trades=(water,)), "gas")


def test_a_sites_own_catalogue_holds_from_its_day_on_and_leaves_earlier_requests_alone(desk: Desk) -> None:
    before = register(desk)
    own = TradePolicy(
        trades=(
            Trade(code="water", name="水", department="environment"),
            Trade(code="gas", name="燃气", refusal="燃气由燃气公司维修"),
        )
    )
    change(
        desk.session,
        own,
        site_id=desk.site_id,
        effective_from=NOW,
        reason="试点",
        actor=desk.head,
        now=NOW - timedelta(minutes=1),
    )
    other = open_site(desk.session, "ZJ")
    everybody = employ(desk.session, "desk_head", "front_desk")
    assert [t.code for t in trades(desk.session, desk.clerk, site_id=desk.site_id, now=NOW)] == ["water", "gas"]
    assert len(trades(desk.session, desk.clerk, site_id=desk.site_id, now=minutes(-5))) == 7
    assert len(trades(desk.session, everybody, site_id=other, now=NOW)) == 7
    with pytest.raises(NotFound):
        trades(desk.session, desk.clerk, site_id=other, now=NOW)
    assert (register(desk).department, before.department) == ("environment", "engineering")
    assert register(desk, trade="gas").refusal == "燃气由燃气公司维修"
    with pytest.raises(Malformed):
        register(desk, trade="electricity")
    desk.issue(desk.agree(before))
    (body,) = desk.messages("NoticeIssued")
    assert (body["trade"], body["department"]) == ("water", "engineering")
