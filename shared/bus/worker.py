"""The Celery worker of a service: its queue, its tasks, its settings, and the threads beside them.

One task for each message the service hears, named `receiver.Message`, on the queue named as the service.
Routing is by queue name alone (exchange ''): a broker that was wiped swallows nothing in silence.

SIGTERM ends it within five seconds: a handler that takes longer is left in the middle, as a crash would leave it.
"""

import gc
import os
import threading
from collections.abc import Callable
from functools import partial
from time import monotonic, sleep
from typing import Any

from celery import Celery, Task, signals
from sqlalchemy.exc import OperationalError

from shared import measures, startup
from shared.broker import AWAY, broker_at, broker_fault, is_rabbitmq
from shared.bus import rabbitmq, transport
from shared.bus.consumer import refusing
from shared.bus.inbox import receive
from shared.bus.pump import ACKNOWLEDGED, Pump, acknowledged
from shared.bus.runners import Runners
from shared.bus.signature import Signatures
from shared.bus.ticker import Ticker
from shared.bus.watchdog import Watchdog
from shared.db import WORKER, Database, database, own_login
from shared.log import configure_logging
from shared.settings import settings
from shared.tasks import Tasks

PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds between the tries of a handler whose database is away."""

STOP_SECONDS = 4.0
"""How long a worker takes at most to end; what is under way then is done again by the next."""


def patiently(work: Callable[[], str]) -> str:
    """Do it; a database that is away is waited for, some eight seconds, before the sender has to repeat."""
    for pause in PAUSES:
        try:
            return work()
        except OperationalError:
            sleep(pause)
    return work()


def make_celery(tasks: Tasks) -> Celery:
    """The Celery app of a service; `celery -A services.intake.worker:celery worker -P threads` runs it."""
    service = tasks.service
    here = partial(database, service, WORKER)
    refuse = refusing(here)
    url = settings().broker_url
    app = Celery(service, set_as_current=False)
    app.conf.update(
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_channel_error_retry=True,  # a broker that is full answers errors; it is tried again
        result_backend=None,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_serializer="json",
        accept_content=["json"],
        task_default_queue=service,
        task_default_exchange="",
        task_default_routing_key=service,
        task_create_missing_queues=False,
        worker_consumer="shared.bus.consumer:Consumer",
        worker_prefetch_multiplier=4,
        worker_enable_remote_control=False,
        worker_send_task_events=settings().task_events,
        worker_pool="threads",
        worker_concurrency=settings().worker_threads,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        refuse_message=refuse,  # ours: shared/bus/consumer.py
    )
    if is_rabbitmq(url):
        app.conf.update(rabbitmq.celery_settings(url, service))
    else:
        app.conf.update(transport.celery_settings(url, service, refuse))
    watchdog = Watchdog(here(), broker_at(url), settings().progress_file)
    ticker = Ticker(here(), tasks.ticks, watchdog)
    signatures = Signatures(service, here, settings().keys)
    pump = Pump(app, here(), ticker, signatures, broker_at(url))
    runners = Runners(here(), tasks.errands)

    def guarded(name: str, raw: object, work: Callable[[], str]) -> None:
        """Do it, and wait for a database that is away; what makes no sense is refused, and what comes with it done."""
        outcome, began = measures.PUT_OFF, monotonic()
        try:
            outcome = patiently(work)
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001  # anything may be in a message
            refuse(raw, error)
            outcome = "refused"
        finally:
            measures.handled(service, name, outcome, seconds=monotonic() - began)
            watchdog.ended()

    def add(name: str) -> None:
        @app.task(name=f"{service}.{name}", shared=False, bind=True)
        def deliver(task: Task, **delivery: Any) -> None:
            redelivered = bool((task.request.delivery_info or {}).get("redelivered"))
            envelopes = delivery.get("envelopes")
            for envelope in envelopes if isinstance(envelopes, list) else [delivery]:
                opened = partial(receive, here(), tasks.handlers, envelope, signatures=signatures, task=name)
                guarded(name, envelope, partial(opened, redelivered=redelivered))
                pump.poke()

    for message in tasks.handlers:
        add(message)

    @app.task(name=f"{service}.{ACKNOWLEDGED}", shared=False)
    def close(**said: Any) -> None:
        guarded(ACKNOWLEDGED, said, lambda: acknowledged(here(), said, signatures=signatures))

    _start_and_stop(here(), signatures, ticker=ticker, pump=pump, runners=runners, watchdog=watchdog)
    return app


def _start_and_stop(
    at: Database, signatures: Signatures, *, ticker: Ticker, pump: Pump, runners: Runners, watchdog: Watchdog
) -> None:
    """Let Celery's signals check, start and stop what runs beside its tasks."""

    def database_fits() -> str | None:
        with at.session() as session:
            return startup.database_fault(session)

    def broker_fits() -> str | None:
        return broker_fault(settings().broker_url)

    @signals.setup_logging.connect(weak=False)
    def set_up_logging(**_: object) -> None:
        configure_logging(level=settings().log_level, fmt=settings().log_format)

    @signals.worker_init.connect(weak=False)
    def check(**_: object) -> None:
        set_up_logging()
        startup.check_settings(own_login(at.service))  # before anything is said to anybody
        measures.begin_worker(at.service)
        watchdog.start()
        startup.check(signatures.missing, broker_fits, database_fits, unreachable=(OperationalError, *AWAY))

    @signals.worker_ready.connect(weak=False)
    def start_threads(**_: object) -> None:
        gc.freeze()  # looking through all that was imported for garbage would stop the worker for 0.3 s
        ticker.start()
        pump.start()
        runners.start()

    def stop_threads() -> None:
        ticker.stop()
        watchdog.stop()
        runners.stop()
        pump.stop()

    @signals.worker_shutting_down.connect(weak=False)
    def stop(**_: object) -> None:
        end = threading.Timer(STOP_SECONDS, os._exit, (0,))
        end.daemon = True
        end.start()
        threading.Thread(target=stop_threads, name="stopping", daemon=True).start()
