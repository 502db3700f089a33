"""Wiring of intake's web application; `uvicorn services.intake.main:web` runs it alone."""

from services.intake.api import api
from services.intake.pages import pages
from services.intake.pages.see import see
from services.intake.papers import PAPERS
from services.intake.queries.measures import measures
from services.intake.rules.access import MAY
from services.intake.rules.callback import CallbackPolicy
from services.intake.rules.privacy import RetentionPolicy
from services.intake.rules.revisit import RevisitPolicy
from services.intake.rules.scope import TradePolicy
from services.intake.rules.statistics import StatisticsPolicy
from services.intake.tasks import tasks
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
    CallbackPolicy,
    RetentionPolicy,
    RevisitPolicy,
    StatisticsPolicy,
    TradePolicy,
)

web = make_web(
    "intake",
    api,
    make_ops(tasks),
    make_metrics(tasks, measures),
    make_verify("intake", PAPERS),
    make_may("intake", MAY),
    make_live("intake"),
    make_alerts("intake"),
    make_audit("intake"),
    make_privacy("intake", MAY),
    make_policies("intake", *POLICIES),
    make_pages(
        pages,
        make_alert_pages("intake", see),
        make_audit_pages("intake", see),
        make_policy_pages("intake", see, *POLICIES),
        make_queue_pages(tasks, see),
    ),
)
