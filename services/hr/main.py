"""Wiring of hr: its Celery worker and its web application."""

from services.hr.api import api
from services.hr.tasks import tasks
from shared.bus.worker import make_celery
from shared.ops import make_ops
from shared.web import make_web

celery = make_celery(tasks)
web = make_web("hr", api, make_ops(tasks))
