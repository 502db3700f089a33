"""Wiring of the front desk: its Celery worker and its web application."""

from services.intake.api import api
from services.intake.tasks import tasks
from shared.bus.worker import make_celery
from shared.ops import make_ops
from shared.web import make_web

celery = make_celery(tasks)
web = make_web("intake", api, make_ops(tasks))
