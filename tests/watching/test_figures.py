"""What each service's database tells of its business."""

from collections.abc import Callable
from importlib import import_module

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from shared.ids import new_id


def told(session: Session, service: str) -> dict[tuple[str, ...], float]:
    """Each figure by its name and labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for metric in import_module(f"services.{service}.queries.measures").measures(session)
        for sample in metric.samples
    }


def test_a_journal_whose_lines_do_not_sum_to_zero_is_counted(owner_of: Callable[[str], Connection]) -> None:
    session = Session(owner_of("finance"))
    assert told(session, "finance")["bianmin_unbalanced_journals",] == 0
    session.execute(text("SET session_replication_role = replica"))  # past the triggers that would refuse it
    journal = {"id": new_id(), "site": new_id()}
    session.execute(
        text(
            "INSERT INTO journals (id, site_id, kind, at, day, reference)"
            " VALUES (:id, :site, 'receipt', now(), current_date, 'forged')"
        ),
        journal,
    )
    line = text(
        "INSERT INTO journal_lines (journal_id, line, account, site_id, amount_fen)"
        " VALUES (:id, :line, 'cash_in_hand', :site, :fen)"
    )
    session.execute(line, journal | {"line": 1, "fen": 100})
    session.execute(text("INSERT INTO unsealed_journals (journal_id, due_at) VALUES (:id, now())"), journal)
    assert told(session, "finance")["bianmin_unbalanced_journals",] == 1
    session.execute(line, journal | {"line": 2, "fen": -100})
    assert told(session, "finance")["bianmin_unbalanced_journals",] == 0


@pytest.mark.parametrize(
    ("service", "figure"),
    [
        ("intake", ("bianmin_requests", "recorded")),
        ("dispatch", ("bianmin_work_orders", "received")),
        ("hr", ("bianmin_payouts_unacknowledged",)),
    ],
)
def test_where_there_is_nothing_a_figure_is_zero_and_not_absent(
    service: str, figure: tuple[str, ...], session_of: Callable[[str], Session]
) -> None:
    assert told(session_of(service), service)[figure] == 0


def test_a_site_without_any_cash_or_callback_has_figures_all_the_same(session_of: Callable[[str], Session]) -> None:
    for service, figures in {
        "finance": [
            "bianmin_cash_after_closing_fen",
            "bianmin_hand_overs_missing",
            "bianmin_cash_differences_open_fen",
        ],
        "intake": ["bianmin_callbacks_last_day"],
    }.items():
        session = session_of(service)
        session.execute(
            text(
                "INSERT INTO sites (id, code, name, zone, closing, version)"
                " VALUES (:id, 'S9', '九号小区', 'Asia/Shanghai', '18:00', 1)"
            ),
            {"id": new_id()},
        )
        known = {key[0]: value for key, value in told(session, service).items() if "S9" in key}
        assert known == dict.fromkeys(figures, 0)
