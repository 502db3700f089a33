"""Wiring of finance: its Celery worker and its web application."""

from services.finance.api import api
from services.finance.tasks import tasks
from shared.bus.worker import make_celery
from shared.ops import make_ops
from shared.web import make_web

celery = make_celery(tasks)
web = make_web("finance", api, make_ops(tasks))
