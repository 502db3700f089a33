"""Wiring of hr's Celery worker; it imports nothing of the web, which would cost memory for nothing."""

from services.hr.tasks import tasks
from shared.bus.worker import make_celery

celery = make_celery(tasks)
