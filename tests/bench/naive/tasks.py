"""What each department does on hearing something, and when a timer is over."""

# mypy: disable-error-code="untyped-decorator"
# Celery's decorators have no types

import os
from uuid import UUID

from celery import Celery, Task
from kombu import Queue
from sqlalchemy import func, select

from shared.bus.transport import OPTIONS
from shared.settings import Settings
from tests.bench.naive.tables import Charge, MissedCallback, Request, Revisit, WorkOrder, transaction

ROLES = ("intake", "dispatch", "finance", "hr")
CALLBACK_SECONDS = float(os.environ.get("NAIVE_CALLBACK_SECONDS", "600"))
REVISIT_SECONDS = float(os.environ.get("NAIVE_REVISIT_SECONDS", "86400"))

celery = Celery("naive", broker=os.environ.get("NAIVE_BROKER_URL", ""), set_as_current=False)
celery.conf.update(
    # in the measure of the timers, which are scaled too: what a killed worker held comes back after this
    broker_transport_options=OPTIONS | {"visibility_timeout": 20},
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_queues=[Queue(role) for role in ROLES],
    task_routes={f"{role}.*": {"queue": role} for role in ROLES},
    worker_prefetch_multiplier=4,
    worker_enable_remote_control=False,
    worker_pool="threads",
    worker_concurrency=Settings.model_fields["worker_threads"].default,
)


@celery.task(name="dispatch.notice_issued", shared=False)
def dispatch_notice_issued(request_id: str, fee_fen: int) -> None:
    """The department's copy of the notice."""
    with transaction() as session:
        if not session.scalars(select(WorkOrder).where(WorkOrder.request_id == UUID(request_id))).one_or_none():
            session.add(WorkOrder(request_id=UUID(request_id), fee_fen=fee_fen))


@celery.task(name="finance.notice_issued", shared=False)
def finance_notice_issued(request_id: str, fee_fen: int) -> None:
    """Finance's copy of the notice."""
    with transaction() as session:
        if not session.get(Charge, UUID(request_id)):
            session.add(Charge(request_id=UUID(request_id), fee_fen=fee_fen))


@celery.task(name="intake.reported", shared=False)
def intake_reported(request_id: str, what: str) -> None:
    """A department acknowledged, assigned, finished (`accepted`) or returned: the desk notes when."""
    with transaction() as session:
        request = session.get_one(Request, UUID(request_id))
        setattr(request, f"{what}_at", func.now())
    if what == "accepted":
        revisit_due.apply_async((request_id,), countdown=REVISIT_SECONDS)


@celery.task(name="finance.accepted", shared=False, bind=True, max_retries=20)
def finance_accepted(task: Task, request_id: str, worker_id: str) -> None:
    """The owner signed: the fee is due."""
    with transaction() as session:
        charge = session.get(Charge, UUID(request_id))
        if charge is not None:
            charge.state, charge.worker_id = "accepted", UUID(worker_id)
    if charge is None:
        raise task.retry(countdown=1)


@celery.task(name="intake.fee_collected", shared=False)
def intake_fee_collected(request_id: str, amount_fen: int) -> None:
    """Finance has the fee."""
    with transaction() as session:
        session.get_one(Request, UUID(request_id)).received_fen = amount_fen


@celery.task(name="intake.callback_due", shared=False)
def callback_due(request_id: str) -> None:
    """The ten minutes are over."""
    with transaction() as session:
        request = session.get_one(Request, UUID(request_id))
        request.callback_missed = request.reached_at is None
    if request.callback_missed:
        hr_callback_missed.delay(request_id)


@celery.task(name="intake.revisit_due", shared=False)
def revisit_due(request_id: str) -> None:
    """A day after the work: the owner is on the list."""
    with transaction() as session:
        session.add(Revisit(request_id=UUID(request_id)))


@celery.task(name="hr.callback_missed", shared=False)
def hr_callback_missed(request_id: str) -> None:
    """An owner was not called back in time."""
    with transaction() as session:
        session.add(MissedCallback(request_id=UUID(request_id)))
