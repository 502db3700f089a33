"""The Celery worker of a service: its queue, its tasks, its settings, and the threads beside them.

One task for each message the service hears, named `receiver.Message`, on the queue named as the service.
Routing is by queue name alone (exchange ''): a broker that was wiped swallows nothing in silence.
"""

from typing import Any

from celery import Celery, Task, signals
from kombu import Exchange, Queue

from shared.bus.inbox import receive
from shared.bus.pump import ACKNOWLEDGED, Pump, acknowledged
from shared.bus.runners import Runners
from shared.bus.ticker import Ticker
from shared.db import SERVICES, database
from shared.log import configure_logging
from shared.settings import settings
from shared.tasks import Tasks

TRANSPORT = {
    "visibility_timeout": 60,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "health_check_interval": 10,
}
"""Redis: give back what a killed worker held after a minute, and never wait for ever on a dead socket."""


def make_celery(tasks: Tasks) -> Celery:
    """The Celery app of a service; `celery -A services.intake.worker:celery worker -P threads` runs it."""
    service = tasks.service
    app = Celery(service, set_as_current=False)
    app.conf.update(
        broker_url=settings().broker_url,
        broker_transport_options=TRANSPORT,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        result_backend=None,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_serializer="json",
        accept_content=["json"],
        task_queues=[Queue(name, Exchange(""), routing_key=name) for name in SERVICES],
        task_default_queue=service,
        task_default_exchange="",
        task_default_routing_key=service,
        task_create_missing_queues=False,
        worker_prefetch_multiplier=4,
        worker_enable_remote_control=False,
        worker_pool="threads",
        worker_concurrency=settings().worker_threads,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
    )
    ticker = Ticker(database(service), tasks.ticks)
    pump = Pump(app, database(service), ticker)
    runners = Runners(database(service), tasks.errands)

    def add(name: str) -> None:
        @app.task(name=f"{service}.{name}", shared=False, bind=True)
        def deliver(task: Task, envelopes: list[dict[str, Any]]) -> None:
            redelivered = bool((task.request.delivery_info or {}).get("redelivered"))
            for envelope in envelopes:
                receive(database(service), tasks.handlers, envelope, redelivered=redelivered)
                pump.poke()

    for message in tasks.handlers:
        add(message)

    @app.task(name=f"{service}.{ACKNOWLEDGED}", shared=False)
    def close(receiver: str, ids: list[str]) -> None:
        acknowledged(database(service), receiver=receiver, ids=ids)

    @signals.setup_logging.connect(weak=False)
    def set_up_logging(**_: object) -> None:
        configure_logging(level=settings().log_level, fmt=settings().log_format)

    @signals.worker_ready.connect(weak=False)
    def start_pump(**_: object) -> None:
        ticker.start()
        pump.start()
        runners.start()

    @signals.worker_shutting_down.connect(weak=False)
    def stop_pump(**_: object) -> None:
        ticker.stop()
        runners.stop()
        pump.stop()
        ticker.join(5)

    return app
