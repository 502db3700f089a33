"""Each payout is one delivery: numbered, pulled, acknowledged, reconciled, and the same in a file [R92-R94]."""

import json
import re
import threading
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from services.hr.actions import delivery
from services.hr.models import Company, Payout
from services.hr.queries.deliveries import DeliveryPage, DeliveryTotals, deliveries, delivery_by_id
from services.hr.queries.reconciliations import reconciliation
from services.hr.rules.delivery import LINE_FIELDS, body_of, payload_of, pushed
from services.hr.rules.payout_file import as_csv, as_xlsx, name_of, totals_of
from services.hr.rules.webhook import signed_headers
from services.hr.tasks import hear_payout_approved
from shared.db import WORKER, Database
from shared.errors import NotFound, RuleBroken
from shared.ids import new_id
from shared.messages import PayoutApproved
from shared.people import Actor
from shared.table_files import read_table
from tests.people import employ, open_site
from tests.services.hr.test_payout import LINES, line, payout
from tests.services.hr.test_webhook import A_SECRET, MESSAGE, message, tampers

DOCUMENT = Path(__file__).parents[3] / "docs" / "payout-file.md"
PAYOUTS = st.lists(LINES, max_size=5, unique_by=lambda one: one.person_id).map(lambda lines: payout(new_id(), *lines))


@pytest.fixture
def hr(session: Session, site_id: UUID) -> Actor:
    return employ(session, "hr", "hr", site_id)


@pytest.fixture
def worker(session: Session, site_id: UUID) -> Actor:
    return employ(session, "worker", "engineering", site_id, name="李雷")


def deliver(session: Session, site_id: UUID, worker: Actor, now: datetime, *, net: int = 100, month: int = 1) -> UUID:
    told = payout(site_id, line(worker.person_id, net, 0, 0, 50), month=f"2026-{month:02}")
    hear_payout_approved(session, told, now=now)
    return told.settlement_id


def pulled(session: Session, actor: Actor, *, after: int = 0, limit: int = 100) -> DeliveryPage:
    return deliveries(session, actor, after=after, limit=limit)


# --- the schema ---------------------------------------------------------------------------------------------------


@given(told=PAYOUTS)
def test_a_payload_has_every_line_and_totals_that_its_lines_add_up_to(told: PayoutApproved) -> None:
    payload = payload_of(told, site_code="BK", sequence=7)
    assert (payload["schema"], payload["sequence"], payload["month"]) == ("bianmin.payout.v1", 7, told.month)
    assert payload["totals"] == {
        "lines": len(payload["lines"]),
        "net_fen": sum(one["net_fen"] for one in payload["lines"]),
        "from_wage_fen": sum(one["from_wage_fen"] for one in payload["lines"]),
    }
    assert {one["person_id"] for one in payload["lines"]} == {str(one.person_id) for one in told.lines}
    assert [one["person_id"] for one in payload["lines"]] == sorted(one["person_id"] for one in payload["lines"])
    assert all(tuple(one) == LINE_FIELDS for one in payload["lines"])


@given(told=PAYOUTS)
def test_a_payload_is_spelled_in_one_way_whatever_the_order_of_its_lines(told: PayoutApproved) -> None:
    turned = told.model_copy(update={"lines": list(reversed(told.lines))})
    body = body_of(payload_of(told, site_code="BK", sequence=1))
    assert body == body_of(payload_of(turned, site_code="BK", sequence=1)) == body_of(json.loads(body))
    assert pushed(body) == body


def test_what_is_left_to_the_next_month_and_the_guards_word_are_told() -> None:
    one = line(new_id(), 100, 0, 100, 50).model_copy(update={"carried_fen": 30, "guard": "capped"})
    (told,) = payload_of(payout(new_id(), one), site_code="BK", sequence=1)["lines"]
    assert (told["carried_fen"], told["guard"]) == (30, "capped")


# --- numbers ------------------------------------------------------------------------------------------------------


def test_deliveries_are_numbered_over_all_sites_in_the_order_of_receipt(
    session: Session, site_id: UUID, worker: Actor, now: datetime
) -> None:
    everywhere = employ(session, "hr", "hr")
    other = open_site(session, "XH")
    ids = [deliver(session, site, worker, now, month=month) for month in (1, 2) for site in (site_id, other)]
    page = pulled(session, everywhere)
    assert [(one.sequence, one.id) for one in page.items] == list(enumerate(ids, 1))
    assert [one.payload["sequence"] for one in page.items] == [1, 2, 3, 4]
    assert [one.payload["settlement_id"] for one in page.items] == list(map(str, ids))
    assert [one.payload["site_code"] for one in page.items] == ["BK", "XH", "BK", "XH"]


def test_a_payout_heard_twice_is_delivered_once(
    session: Session, site_id: UUID, worker: Actor, hr: Actor, now: datetime
) -> None:
    told = payout(site_id, line(worker.person_id, 100, 0, 0, 0))
    for _ in range(2):
        hear_payout_approved(session, told, now=now)
    assert [one.sequence for one in pulled(session, hr).items] == [1]


def test_a_payout_that_is_refused_leaves_no_gap(
    session: Session, site_id: UUID, worker: Actor, hr: Actor, now: datetime
) -> None:
    deliver(session, site_id, worker, now)
    with pytest.raises(RuleBroken), session.begin_nested():
        deliver(session, site_id, worker, now)
    deliver(session, site_id, worker, now, month=2)
    assert [one.sequence for one in pulled(session, hr).items] == [1, 2]


def test_payouts_received_at_the_same_time_are_numbered_one_after_the_other(installation: str, now: datetime) -> None:
    database = Database("hr", installation, pool_size=8, limits=WORKER)
    with database.session() as session:
        session.add(Company(name="便民物业", founded_at=now))
        sites = [open_site(session, f"S{number}") for number in range(8)]
        reader = employ(session, "hr", "hr")

    def receive(site: UUID) -> None:
        with database.session() as session:
            hear_payout_approved(session, payout(site), now=now)

    threads = [threading.Thread(target=receive, args=(site,)) for site in sites]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.session() as session:
        assert [one.sequence for one in pulled(session, reader).items] == list(range(1, 9))
    database.engine.dispose()


# --- pulling and acknowledging ------------------------------------------------------------------------------------


def test_pages_follow_each_other_with_the_totals_of_each(
    session: Session, site_id: UUID, worker: Actor, hr: Actor, now: datetime
) -> None:
    for month in range(1, 6):
        deliver(session, site_id, worker, now, net=month, month=month)
    seen, after = [], 0
    while True:
        page = pulled(session, hr, after=after, limit=2)
        assert page.totals == DeliveryTotals(
            len(page.items),
            len(page.items),
            sum(one.payload["totals"]["net_fen"] for one in page.items),
            sum(one.payload["totals"]["from_wage_fen"] for one in page.items),
        )
        seen += [one.sequence for one in page.items]
        if page.next is None:
            break
        after = page.next
    assert seen == [1, 2, 3, 4, 5]
    assert pulled(session, hr, after=5) == DeliveryPage([], DeliveryTotals(0, 0, 0, 0), None)


def test_deliveries_are_shown_to_the_site_only(session: Session, site_id: UUID, worker: Actor, now: datetime) -> None:
    delivery_id = deliver(session, site_id, worker, now)
    stranger = employ(session, "hr", "hr", open_site(session, "XH"))
    assert pulled(session, stranger).items == []
    for ask in (
        lambda: delivery_by_id(session, stranger, delivery_id),
        lambda: delivery.acknowledge(session, delivery_id=delivery_id, reference=None, actor=stranger, now=now),
    ):
        with pytest.raises(NotFound):
            ask()


def test_a_delivery_is_acknowledged_once_with_the_hr_systems_reference(
    session: Session, site_id: UUID, worker: Actor, hr: Actor, now: datetime
) -> None:
    delivery_id = deliver(session, site_id, worker, now)
    assert pulled(session, hr).items[0].acknowledged_at is None
    delivery.acknowledge(session, delivery_id=delivery_id, reference="HR-7", actor=hr, now=now)
    session.expire_all()
    (view,) = pulled(session, hr).items
    assert (view.acknowledged_at, view.acknowledged_by, view.reference) == (now, hr.person_id, "HR-7")
    with pytest.raises(RuleBroken) as refused:
        delivery.acknowledge(session, delivery_id=delivery_id, reference="HR-8", actor=hr, now=now)
    assert refused.value.code == "acknowledged_already"


@pytest.mark.parametrize("table", ["deliveries", "delivery_acknowledgements", "webhook_attempts"])
def test_what_was_delivered_and_acknowledged_cannot_be_changed(
    session: Session, owner_of: Callable[[str], Connection], table: str
) -> None:
    for change in (
        f"UPDATE {table} SET {'id' if table != 'delivery_acknowledgements' else 'delivery_id'} = NULL",
        f"DELETE FROM {table}",
    ):
        with pytest.raises(DBAPIError, match="permission denied"), session.begin_nested():
            session.execute(text(change))
    with pytest.raises(DBAPIError, match="append-only"):
        owner_of("hr").execute(text(f"DELETE FROM {table}"))


# --- reconciling --------------------------------------------------------------------------------------------------


def test_a_day_shows_what_was_received_delivered_and_acknowledged_by_the_sites_clock(
    session: Session, site_id: UUID, worker: Actor, hr: Actor
) -> None:
    evening = datetime.fromisoformat("2026-04-01T23:59:59+08:00")
    first = deliver(session, site_id, worker, evening, net=100, month=1)
    second = deliver(session, site_id, worker, evening + timedelta(seconds=1), net=7, month=2)
    delivery.acknowledge(session, delivery_id=first, reference="HR-1", actor=hr, now=evening + timedelta(seconds=2))
    one, two = (reconciliation(session, hr, day=date(2026, 4, day)) for day in (1, 2))
    nothing, of_first, of_second = (
        DeliveryTotals(0, 0, 0, 0),
        DeliveryTotals(1, 1, 100, 50),
        DeliveryTotals(1, 1, 7, 50),
    )
    assert [item.settlement_id for item in one.items] == [first]
    assert (one.received, one.delivered, one.acknowledged, one.unacknowledged) == (
        of_first,
        of_first,
        nothing,
        of_second,
    )
    assert [(item.settlement_id, item.reference) for item in two.items] == [(first, "HR-1"), (second, None)]
    assert (two.received, two.delivered, two.acknowledged) == (of_second, of_second, of_first)


def test_a_payout_that_was_never_delivered_would_be_seen(
    session: Session, site_id: UUID, hr: Actor, worker: Actor, now: datetime
) -> None:
    deliver(session, site_id, worker, now)
    session.add(
        Payout(
            settlement_id=new_id(),
            site_id=site_id,
            month="2026-02",
            net_fen=0,
            from_wage_fen=9,
            approved_by=new_id(),
            approved_at=now,
            received_at=now,
        )
    )
    session.flush()
    view = reconciliation(session, hr, day=date(2026, 4, 1))
    assert (view.received.deliveries, view.delivered.deliveries, view.unacknowledged.deliveries) == (2, 1, 2)
    assert view.received.from_wage_fen - view.delivered.from_wage_fen == 9


def test_what_is_acknowledged_in_the_end_is_what_was_received(
    session: Session, site_id: UUID, worker: Actor, hr: Actor, now: datetime
) -> None:
    for month in range(1, 8):
        told = payout(site_id, line(worker.person_id, month * 100 + 1, 5, 3, month), month=f"2026-{month:02}")
        for _ in range(month % 3 + 1):
            hear_payout_approved(session, told, now=now)
    for one in pulled(session, hr).items:
        delivery.acknowledge(session, delivery_id=one.id, reference=None, actor=hr, now=now)
    view = reconciliation(session, hr, day=date(2026, 4, 1))
    assert view.received == view.delivered == view.acknowledged
    assert view.unacknowledged == DeliveryTotals(0, 0, 0, 0)
    assert view.acknowledged.net_fen == session.execute(select(func.sum(Payout.net_fen))).scalar_one()
    assert view.acknowledged.deliveries == 7


# --- files --------------------------------------------------------------------------------------------------------

NASTY = [
    *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x", '=HYPERLINK("http://x")'),
    *("-2+3+cmd|' /C calc'!A0", "'=1", 'a"b,c', "two\nlines", "http://example.com", "0012", "1e5", "李雷", "x" * 300),
]


def nasty_payload(*names: str) -> dict[str, Any]:
    lines = [
        line(UUID(int=number), -5 * number, 10**13, 10**13 - 7, number).model_copy(update={"name": name})
        for number, name in enumerate(names, 1)
    ]
    told = [one.model_copy(update={"case_numbers": ["AJ-BK-2026-0001", "AJ-BK-2026-0002"]}) for one in lines]
    return payload_of(payout(new_id(), *told), site_code="BK", sequence=3)


def rows_of(content: bytes, tmp_path: Path, ending: str) -> list[dict[str, str]]:
    path = tmp_path / f"payout.{ending}"
    path.write_bytes(content)
    return [row.cells for row in read_table(path)]


def as_text(payload: dict[str, Any]) -> list[dict[str, str]]:
    """The lines as a reader of text cells sees them."""
    return [
        {field: " ".join(value) if isinstance(value, list) else str(value).strip() for field, value in one.items()}
        for one in payload["lines"]
    ]


AT = datetime.fromisoformat("2026-04-01T02:00:00Z")


def test_both_files_hold_the_rows_and_totals_of_the_delivery(tmp_path: Path) -> None:
    payload = nasty_payload("李雷", "韩梅梅", "o'Brien", "0012")
    assert rows_of(as_csv(payload), tmp_path, "csv") == as_text(payload)
    xlsx = as_xlsx(payload, made_at=AT)
    assert rows_of(xlsx, tmp_path, "xlsx") == as_text(payload)
    headings, values = CalamineWorkbook.from_path(str(tmp_path / "payout.xlsx")).get_sheet_by_name("totals").to_python()
    assert dict(zip(headings, values, strict=True)) == totals_of(payload)
    assert sum(int(row["net_fen"]) for row in as_text(payload)) == totals_of(payload)["net_fen"]


@pytest.mark.parametrize("name", NASTY)
def test_no_cell_is_a_formula(name: str, tmp_path: Path) -> None:
    payload = nasty_payload(name)
    (row,) = rows_of(as_csv(payload), tmp_path, "csv")
    dangerous = name[0] in "=+-@\t\r\n＝＋－＠"
    assert row["name"] == (f"'{name}" if dangerous else name)
    xlsx = as_xlsx(payload, made_at=AT)
    (row,) = rows_of(xlsx, tmp_path, "xlsx")
    assert row["name"] == name.strip()
    with zipfile.ZipFile(BytesIO(xlsx)) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in sheet
        assert not any("rels" in entry and "sheet" in entry for entry in packed.namelist())


def test_a_file_has_the_same_bytes_whenever_it_is_made() -> None:
    payload = nasty_payload("李雷")
    assert as_csv(payload) == as_csv(payload)
    assert as_xlsx(payload, made_at=AT) == as_xlsx(payload, made_at=AT)
    assert name_of(payload, "csv") == "payout-BK-2026-03.csv"


# --- the document -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def verify() -> Callable[..., bool]:
    """The verification the document prints."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["verify"]  # type: ignore[no-any-return]


def test_the_documents_verification_knows_our_messages_and_refuses_every_tampering(
    verify: Callable[..., bool], now: datetime
) -> None:
    at = now.timestamp()
    good = message(now)
    assert verify(A_SECRET, good.headers, good.body, now=at)
    both = signed_headers(["whsec_" + "A" * 44, A_SECRET], id_=UUID(good.id), body=MESSAGE, now=now)
    assert verify(A_SECRET, both, good.body, now=at)
    assert {
        what: verify(A_SECRET, got.headers, got.body, now=at) for what, got in tampers(now).items()
    } == dict.fromkeys(tampers(now), False)


def test_the_document_names_every_column_in_order() -> None:
    text = DOCUMENT.read_text(encoding="utf-8").split("Each line has")[1].split("## Pull")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", text, re.M)) == LINE_FIELDS
