"""Wiring of intake's web application; `uvicorn services.intake.main:web` runs it alone."""

from services.intake.api import api
from services.intake.tasks import tasks
from shared.ops import make_ops
from shared.web import make_web

web = make_web("intake", api, make_ops(tasks))
