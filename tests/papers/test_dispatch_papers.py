"""The settlement list the owner signs [R31, R32, D23]."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from services.dispatch.actions.privacy import owner_erased
from shared.messages import OwnerErased
from tests.bad_input.house import House
from tests.papers.issued import kept, printed, said, standing
from tests.services.dispatch.crew import NOW, Crew, hire


@pytest.fixture
def dispatch(open_house: Callable[[str], House]) -> House:
    return open_house("dispatch")


@pytest.fixture
def crew(dispatch: House) -> Crew:
    with dispatch.session() as session:
        return hire(session, "PX")


def test_the_list_that_was_shown_stays_valid_once_it_is_signed(dispatch: House, crew: Crew, tmp_path: Path) -> None:
    with dispatch.session() as crew.session:
        order = crew.finish(crew.started())
    token = SimpleNamespace(head=str(crew.head.person_id), worker=str(crew.worker.person_id))
    path = f"/work-orders/{order.id}/settlement-list.pdf"
    shown = said(dispatch, token.worker, path, tmp_path)
    for word in ("有偿服务结算清单", order.notice_number, "张师傅", "□合格", "业主自购", "工程部"):
        assert word in shown
    with dispatch.session() as crew.session:
        crew.accept(crew.order(order.request_id))
    signed = said(dispatch, token.head, path, tmp_path)
    assert "验收合格" in signed
    assert "欧阳建国（业主）" in signed
    rows = kept(dispatch)
    assert [(row.size, standing(dispatch, row.code)) for row in rows] == [
        ("a4 finished", "valid"),
        ("a4 signed", "valid"),
    ]
    with dispatch.session() as session:
        told = OwnerErased(request_id=order.request_id, site_id=crew.site_id, by=None, reason="业主要求", erased_at=NOW)
        owner_erased(session, told, now=NOW)
    assert [row.content for row in kept(dispatch)] == [None, None]
    assert {standing(dispatch, row.code) for row in rows} == {"erased"}


def test_the_list_of_a_job_that_was_given_up_is_cancelled(dispatch: House, crew: Crew, tmp_path: Path) -> None:
    with dispatch.session() as crew.session:
        order = crew.started()
    path = f"/work-orders/{order.id}/settlement-list.pdf"
    printed(dispatch, str(crew.worker.person_id), path)
    with dispatch.session() as crew.session:
        crew.terminate(crew.order(order.request_id))
    assert "作废" in said(dispatch, str(crew.worker.person_id), path, tmp_path)
    assert {standing(dispatch, row.code) for row in kept(dispatch)} == {"cancelled"}


def test_a_worker_prints_the_lists_of_his_own_jobs_alone(dispatch: House, crew: Crew) -> None:
    with dispatch.session() as crew.session:
        order = crew.started()
    path = f"/work-orders/{order.id}/settlement-list.pdf"
    assert dispatch.get(str(crew.mate.person_id), path).status_code == 404
    assert dispatch.get("head@other", path).status_code == 404
    with dispatch.session() as session:
        assert session.execute(text("SELECT count(*) FROM papers")).scalar_one() == 0
