"""The dashboards of deploy/grafana, made by the library of Grafana; `python -m tests.watching.dashboards` writes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.timeseries import Panel
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef

FOLDER = Path("deploy/grafana")

Row = tuple[str, str, str, str]
"""Title, unit, legend, expression."""

ALL = "sum(rate(bianmin_http_requests_total[5m]))"
_SECONDS = "rate(bianmin_http_request_duration_seconds_bucket[5m])"
DASHBOARDS: Mapping[str, tuple[str, Sequence[Row]]] = {
    "overview": (
        "Bianmin 便民: overview",
        (
            ("Processes that answer", "short", "{{job}} {{service}}", "up"),
            ("Alerts", "short", "{{alertname}}", 'count by (alertname) (ALERTS{alertstate="firing"}) or vector(0)'),
            ("Requests", "reqps", "{{service}}", "sum by (service) (rate(bianmin_http_requests_total[5m]))"),
            (
                "Requests that failed",
                "percentunit",
                "failed",
                f'(sum(rate(bianmin_http_requests_total{{status="5xx"}}[5m])) or vector(0)) / {ALL}',
            ),
            (
                "Slowest of a hundred requests",
                "s",
                "{{service}}",
                f"histogram_quantile(0.99, sum by (service, le) ({_SECONDS}))",
            ),
            ("Clock and database apart", "s", "{{service}}", "max by (service) (bianmin_clock_skew_seconds)"),
        ),
    ),
    "queues": (
        "Bianmin 便民: queues",
        (
            ("Tasks waiting", "short", "{{queue}}", "max by (queue) (bianmin_queue_length)"),
            (
                "Deliveries by outcome",
                "ops",
                "{{queue}} {{outcome}}",
                "sum by (queue, outcome) (rate(bianmin_tasks_handled_total[5m]))",
            ),
            ("Messages sent", "ops", "{{queue}}", "sum by (queue) (rate(bianmin_tasks_published_total[5m]))"),
            (
                "Messages sent again",
                "ops",
                "{{queue}}",
                "sum by (queue) (rate(bianmin_tasks_retried_total[5m])) or vector(0)",
            ),
            (
                "Wait, 99 of a hundred",
                "s",
                "{{queue}}",
                "histogram_quantile(0.99, sum by (queue, le) (rate(bianmin_task_wait_seconds_bucket[5m])))",
            ),
            (
                "Run time, 99 of a hundred",
                "s",
                "{{queue}} {{task}}",
                "histogram_quantile(0.99, sum by (queue, task, le) (rate(bianmin_task_run_seconds_bucket[5m])))",
            ),
            (
                "Oldest not acknowledged",
                "s",
                "{{service}} to {{receiver}}",
                "max by (service, receiver) (bianmin_outbox_oldest_unacknowledged_seconds)",
            ),
            (
                "Oldest not sent",
                "s",
                "{{service}} to {{receiver}}",
                "max by (service, receiver) (bianmin_outbox_oldest_unsent_seconds)",
            ),
            ("Parked", "short", "{{service}}", "max by (service) (bianmin_messages_parked)"),
            ("Unreadable", "short", "{{service}}", "max by (service) (bianmin_messages_unreadable_total)"),
            ("Since a worker ended something", "s", "{{queue}}", "min by (queue) (bianmin_worker_commit_age_seconds)"),
        ),
    ),
    "promises": (
        "Bianmin 便民: promises",
        (
            (
                "Callbacks of the last day",
                "short",
                "{{site}} {{result}}",
                "max by (site, result) (bianmin_callbacks_last_day)",
            ),
            ("Requests under way", "short", "{{state}}", "max by (state) (bianmin_requests)"),
            ("Work orders under way", "short", "{{state}}", "max by (state) (bianmin_work_orders)"),
            ("Deadlines open", "short", "{{kind}}", "max by (kind) (bianmin_deadlines_open)"),
            ("Deadlines overdue", "short", "{{kind}}", "max by (kind) (bianmin_deadlines_overdue)"),
            ("Lateness of the oldest", "s", "{{kind}}", "max by (kind) (bianmin_deadline_lateness_seconds)"),
            ("Since the last look", "s", "{{service}}", "min by (service) (bianmin_tick_age_seconds)"),
        ),
    ),
    "money": (
        "Bianmin 便民: money",
        (
            ("Cash after closing, yuan", "short", "{{site}}", "max by (site) (bianmin_cash_after_closing_fen) / 100"),
            ("Hand-overs missing", "short", "{{site}}", "max by (site) (bianmin_hand_overs_missing)"),
            (
                "Short and not made good, yuan",
                "short",
                "{{site}}",
                "max by (site) (bianmin_cash_differences_open_fen) / 100",
            ),
            ("Journals that do not balance", "short", "journals", "max(bianmin_unbalanced_journals)"),
            (
                "Invariants violated",
                "short",
                "{{invariant}}",
                "max by (invariant) (bianmin_invariant_violations) > 0 or vector(0)",
            ),
            ("Since the last verification", "s", "age", "max(bianmin_verification_age_seconds)"),
            ("Payouts not taken by HR", "short", "payouts", "max(bianmin_payouts_unacknowledged)"),
            ("Oldest of them", "s", "age", "max(bianmin_payout_oldest_unacknowledged_seconds)"),
        ),
    ),
}


def made(name: str) -> str:
    """A dashboard as its file has it: two panels a row, of the data source that is chosen at its top."""
    title, rows = DASHBOARDS[name]
    source = DataSourceRef(type_val="prometheus", uid="${datasource}")
    board = Dashboard(title).uid(f"bianmin-{name}").tags(["bianmin"]).refresh("30s").time("now-6h", "now")
    board = board.with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    for title, unit, legend, expr in rows:
        query = Dataquery().expr(expr).legend_format(legend).ref_id("A")
        board = board.with_panel(
            Panel().title(title).unit(unit).min(0).height(8).span(12).datasource(source).with_target(query)
        )
    return JSONEncoder(sort_keys=True, indent=2).encode(board.build()) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in DASHBOARDS:
        (FOLDER / f"{name}.json").write_text(made(name), encoding="utf-8")
