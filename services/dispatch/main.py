"""Wiring of dispatch's web application; `uvicorn services.dispatch.main:web` runs it alone."""

from services.dispatch.api import api
from services.dispatch.pages import pages
from services.dispatch.pages.see import see
from services.dispatch.papers import PAPERS
from services.dispatch.queries.measures import measures
from services.dispatch.rules.access import MAY
from services.dispatch.rules.certificate import CertificatePolicy
from services.dispatch.rules.hours import HoursPolicy
from services.dispatch.rules.punctuality import PunctualityPolicy
from services.dispatch.tasks import tasks
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
    PunctualityPolicy,
    CertificatePolicy,
    HoursPolicy,
)

web = make_web(
    "dispatch",
    api,
    make_ops(tasks),
    make_metrics(tasks, measures),
    make_verify("dispatch", PAPERS),
    make_may("dispatch", MAY),
    make_live("dispatch"),
    make_alerts("dispatch"),
    make_audit("dispatch"),
    make_privacy("dispatch", MAY),
    make_policies("dispatch", *POLICIES),
    make_pages(
        pages,
        make_alert_pages("dispatch", see),
        make_audit_pages("dispatch", see),
        make_policy_pages("dispatch", see, *POLICIES),
        make_queue_pages(tasks, see),
    ),
)
