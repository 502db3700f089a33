"""Wiring of the departments: their Celery worker and their web application."""

from services.dispatch.api import api
from services.dispatch.tasks import tasks
from shared.bus.worker import make_celery
from shared.ops import make_ops
from shared.web import make_web

celery = make_celery(tasks)
web = make_web("dispatch", api, make_ops(tasks))
