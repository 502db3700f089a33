"""Wiring of hr's web application; `uvicorn services.hr.main:web` runs it alone."""

from services.hr.api import api
from services.hr.api.sign_on import doors
from services.hr.pages import pages
from services.hr.pages.see import see
from services.hr.papers import PAPERS
from services.hr.queries.measures import measures
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
from shared.privacy_routes import make_privacy
from shared.ui.alert_pages import make_alert_pages
from shared.ui.audit_pages import make_audit_pages
from shared.ui.live import make_live
from shared.ui.policy_pages import make_policy_pages
from shared.ui.queue_pages import make_queue_pages
from shared.ui.views import make_pages
from shared.web import make_web

POLICIES = (
    AppealPolicy,
    DisciplinePolicy,
    LadderPolicy,
    SignInPolicy,
    TaskPolicy,
    WebhookPolicy,
)

web = make_web(
    "hr",
    api,
    doors,
    make_ops(tasks),
    make_metrics(tasks, measures),
    make_verify("hr", PAPERS),
    make_may("hr", MAY),
    make_live("hr"),
    make_alerts("hr"),
    make_audit("hr"),
    make_privacy("hr", MAY),
    make_policies("hr", *POLICIES),
    make_pages(
        pages,
        make_alert_pages("hr", see),
        make_audit_pages("hr", see),
        make_policy_pages("hr", see, *POLICIES),
        make_queue_pages(tasks, see),
    ),
)
