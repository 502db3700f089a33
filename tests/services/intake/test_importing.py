"""Taking in another system's list [R20, D2]."""

from services.intake.actions import importing
from services.intake.actions.importing import ImportedRow
from services.intake.actions.request import RegistrationForm
from services.intake.rules.request import Channel
from tests.people import employ, open_site
from tests.services.intake.desk import NOW, Desk


def form(key: str, trade: str = "water") -> RegistrationForm:
    return RegistrationForm(
        Channel.ONLINE, "欧阳建国", "3-2", "13800138000", "漏水", trade, source="nyc311", source_key=key, asked_at=NOW
    )


def take_in(desk: Desk, forms: dict[int, RegistrationForm], **who: object) -> list[ImportedRow]:
    facts = {"site_id": desk.site_id, "actor": desk.clerk} | who
    rows = importing.import_rows(desk.session, source="nyc311", forms=forms, now=NOW, **facts)  # type: ignore[arg-type]
    desk.session.flush()
    return rows


def test_each_row_is_registered_or_refused_with_its_reason_and_known_the_next_time(desk: Desk) -> None:
    first = take_in(desk, {2: form("a"), 3: form("b", "appliance"), 4: form("a")})
    assert [(row.row, row.outcome) for row in first] == [(2, "registered"), (3, "refused"), (4, "known")]
    assert first[1].reason == "家电维修暂不列入有偿服务范围"
    again = take_in(desk, {7: form("b"), 8: form("c")})
    assert [(row.row, row.outcome, row.request_id == first[1].request_id) for row in again] == [
        (7, "known", True),
        (8, "registered", False),
    ]


def test_a_row_stored_at_another_site_is_known_without_its_request_being_told(desk: Desk) -> None:
    take_in(desk, {2: form("a")})
    other = open_site(desk.session, "ZJ")
    stranger = employ(desk.session, "clerk", "front_desk", other)
    (row,) = take_in(desk, {2: form("a")}, site_id=other, actor=stranger)
    assert (row.outcome, row.request_id) == ("known", None)
