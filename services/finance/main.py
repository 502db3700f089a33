"""Wiring of finance's web application; `uvicorn services.finance.main:web` runs it alone."""

from services.finance.api import api
from services.finance.pages import pages
from services.finance.pages.see import see
from services.finance.papers import PAPERS
from services.finance.queries.measures import measures
from services.finance.rules.access import MAY
from services.finance.rules.daily_check import CashPolicy
from services.finance.rules.deduction import GuardPolicy
from services.finance.rules.receipt import MethodPolicy, ReceiptPolicy
from services.finance.rules.settlement import MonthClosePolicy
from services.finance.rules.split import SplitPolicy
from services.finance.tasks import tasks
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
    CashPolicy,
    ReceiptPolicy,
    MethodPolicy,
    SplitPolicy,
    GuardPolicy,
    MonthClosePolicy,
)

web = make_web(
    "finance",
    api,
    make_ops(tasks),
    make_metrics(tasks, measures),
    make_verify("finance", PAPERS),
    make_may("finance", MAY),
    make_live("finance"),
    make_alerts("finance"),
    make_audit("finance"),
    make_privacy("finance", MAY),
    make_policies("finance", *POLICIES),
    make_pages(
        pages,
        make_alert_pages("finance", see),
        make_audit_pages("finance", see),
        make_policy_pages("finance", see, *POLICIES),
        make_queue_pages(tasks, see),
    ),
)
