"""A bare Celery worker with Bianmin's settings (shared/bus/worker.py) and one task that does nothing.

No outbox, no inbox, no database: what the broker and Celery alone can do on this machine.
"""

import os

from celery import Celery
from kombu import Exchange, Queue

from shared.bus.transport import OPTIONS
from shared.settings import Settings

QUEUE = "bare"
NOTHING = "bare.nothing"


def make_bare(broker_url: str) -> Celery:
    """The app of the worker, and of whoever sends to it."""
    app = Celery("bare", set_as_current=False)
    app.conf.update(
        broker_url=broker_url,
        broker_transport_options=OPTIONS,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        result_backend=None,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_serializer="json",
        accept_content=["json"],
        task_queues=[Queue(QUEUE, Exchange(""), routing_key=QUEUE)],
        task_default_queue=QUEUE,
        task_default_exchange="",
        task_default_routing_key=QUEUE,
        task_create_missing_queues=False,
        worker_prefetch_multiplier=4,
        worker_enable_remote_control=False,
        worker_pool="threads",
        worker_concurrency=Settings.model_fields["worker_threads"].default,
        worker_hijack_root_logger=False,
    )

    @app.task(name=NOTHING, shared=False)  # type: ignore[untyped-decorator]
    def nothing(number: int) -> None:
        """Do nothing."""

    return app


celery = make_bare(os.environ.get("BARE_BROKER_URL", ""))
