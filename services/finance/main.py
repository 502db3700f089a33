"""Wiring of finance's web application; `uvicorn services.finance.main:web` runs it alone."""

from services.finance.api import api
from services.finance.papers import PAPERS
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
from shared.web import make_web

web = make_web(
    "finance",
    api,
    make_ops(tasks),
    make_metrics(tasks),
    make_verify("finance", PAPERS),
    make_may("finance", MAY),
    make_alerts("finance"),
    make_audit("finance"),
    make_policies("finance", CashPolicy, ReceiptPolicy, MethodPolicy, SplitPolicy, GuardPolicy, MonthClosePolicy),
)
