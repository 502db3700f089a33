"""Wiring of hr's web application; `uvicorn services.hr.main:web` runs it alone."""

from services.hr.api import api
from services.hr.papers import PAPERS
from services.hr.rules.access import MAY
from services.hr.rules.appeal import AppealPolicy
from services.hr.rules.ladder import DisciplinePolicy, LadderPolicy
from services.hr.rules.login import SignInPolicy
from services.hr.rules.task import TaskPolicy
from services.hr.rules.webhook import WebhookPolicy
from services.hr.tasks import tasks
from shared.access_routes import make_may
from shared.alert_routes import make_alerts
from shared.audit_routes import make_audit
from shared.metrics import make_metrics
from shared.ops import make_ops
from shared.paper_routes import make_verify
from shared.policy_routes import make_policies
from shared.web import make_web

web = make_web(
    "hr",
    api,
    make_ops(tasks),
    make_metrics(tasks),
    make_verify("hr", PAPERS),
    make_may("hr", MAY),
    make_alerts("hr"),
    make_audit("hr"),
    make_policies("hr", AppealPolicy, DisciplinePolicy, LadderPolicy, SignInPolicy, TaskPolicy, WebhookPolicy),
)
