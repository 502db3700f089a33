"""Wiring of hr's web application; `uvicorn services.hr.main:web` runs it alone."""

from services.hr.api import api
from services.hr.tasks import tasks
from shared.ops import make_ops
from shared.web import make_web

web = make_web("hr", api, make_ops(tasks))
