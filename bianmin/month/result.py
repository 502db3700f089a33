"""What came out of a month, read from the four APIs: shown on screen, kept as JSON and CSV. Money in fen."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from bianmin.exports import Exports
from shared.spreadsheets import as_csv

PAYOUT_COLUMNS = (
    "name",
    "share_fen",
    "reward_fen",
    "fine_fen",
    "from_bonus_fen",
    "from_wage_fen",
    "carried_fen",
    "guard",
    "net_fen",
    "state",
    "case_numbers",
)


def summarise(exports: Exports) -> dict[str, Any]:
    """The month's figures, each a count or fen."""
    site = exports.sites
    requests = exports.requests
    callbacks = [request for request in requests if request["callback_due_at"] is not None]
    jobs = [request for request in requests if request["notice"] is not None]
    rounds = [visit for request in requests for visit in request["visits"]]
    return {
        "month": exports.month,
        "requests_by_outcome": dict(sorted(Counter(request["state"] for request in requests).items())),
        "refused_by_reason": dict(Counter(request["refusal"] for request in requests if request["refusal"])),
        "callbacks": {
            "kept": sum(not c["callback_missed"] and c["reached_at"] is not None for c in callbacks),
            "missed": sum(c["callback_missed"] for c in callbacks),
            "withdrawn": sum(not c["callback_missed"] and c["reached_at"] is None for c in callbacks),
        },
        "jobs_by_trade": dict(sorted(Counter(job["trade"] for job in jobs).items())),
        "jobs_by_site": dict(sorted(Counter(site[job["site_id"]] for job in jobs).items())),
        "jobs_by_department": dict(sorted(Counter(job["department"] for job in jobs).items())),
        "visits_accepted": sum(visit["accepted_at"] is not None for visit in rounds if visit["round"] == 0),
        "visits_terminated": sum(visit["terminated_at"] is not None for visit in rounds),
        "rework_rounds": sum(visit["round"] > 0 for visit in rounds),
        "cash_by_holder": [
            {"site": site[line["site_id"]], "holder": line["holder_name"], "amount_fen": line["amount_fen"]}
            for line in exports.cash
        ],
        "refunds": [
            {
                "site": site[refund["site_id"]],
                "receipt": refund["receipt_number"],
                **{part: refund[part] for part in ("amount_fen", "company_fen", "workers_fen", "reserve_fen")},
            }
            for refund in exports.refunds
        ],
        "cash_differences": [
            {
                "site": site[line["site_id"]],
                "giver": exports.people[line["giver_id"]],
                "receiver": exports.people[line["receiver_id"]],
                "amount_fen": line["amount_fen"],
                "made_good": line["made_good_at"] is not None,
            }
            for line in exports.cash_differences
        ],
        "split_by_site": [
            {
                "site": site[line["site_id"]],
                "state": line["state"],
                **{part: line[part] for part in ("received_fen", "company_fen", "workers_fen", "reserve_fen")},
                **{part: line[part] for part in ("rewards_fen", "fines_from_bonus_fen", "from_wage_fen", "net_fen")},
            }
            for line in sorted(exports.settlements, key=lambda line: site[line["site_id"]])
        ],
        "payouts": sorted(
            (
                {"site": site[payout["site_id"]], **{column: line[column] for column in PAYOUT_COLUMNS}}
                for payout in exports.payouts
                for line in payout["lines"]
            ),
            key=lambda line: (line["site"], line["name"]),
        ),
        "cases": sorted(
            (
                {
                    "number": case["number"],
                    "offence": case["offence"],
                    "person": case["person_name"],
                    "state": case["state"],
                    "fine_fen": case["fine_fen"] or 0,
                    "step": case["step"],
                }
                for case in exports.cases
            ),
            key=lambda case: case["number"],
        ),
        "alerts_by_kind": dict(
            sorted(Counter(alert["kind"] for alerts in exports.alerts.values() for alert in alerts).items())
        ),
        "deliveries_to_the_hr_system": [
            {
                "number": delivery["sequence"],
                "site": site[delivery["site_id"]],
                "lines": delivery["payload"]["totals"]["lines"],
                "net_fen": delivery["payload"]["totals"]["net_fen"],
                "reference": delivery["reference"],
            }
            for delivery in exports.deliveries
        ],
    }


def write_files(result: dict[str, Any], folder: Path) -> None:
    """result.json, and one CSV for each table of it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    for name, value in result.items():
        rows = value if isinstance(value, list) else [value] if isinstance(value, dict) else []
        if rows:
            (folder / f"{name}.csv").write_bytes(as_csv(list(rows[0]), (map(row.get, rows[0]) for row in rows)))


def yuan(fen: int) -> str:
    """Fen as people read them."""
    sign = "-" if fen < 0 else ""
    return f"{sign}¥{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


SHORT = {
    "received_fen": "received",
    "company_fen": "50 %",
    "workers_fen": "35 %",
    "reserve_fen": "15 %",
    "fines_from_bonus_fen": "from bonus",
    "from_bonus_fen": "from bonus",
    "from_wage_fen": "from wage",
    "case_numbers": "cases",
}
"""Headings on screen; other columns are headed by their names."""


def show(result: dict[str, Any], console: Console) -> None:
    """The figures on screen; a column of nothing is left out."""
    for name, value in result.items():
        title = name.replace("_", " ")
        if isinstance(value, dict):
            table = Table(title=title, show_header=False, title_justify="left", box=box.SIMPLE)
            for key, figure in value.items():
                table.add_row(str(key), str(figure))
            console.print(table)
        elif isinstance(value, list) and value:
            table = Table(title=title, title_justify="left", box=box.SIMPLE)
            columns = [column for column in value[0] if any(row[column] for row in value)]
            for column in columns:
                money = column.endswith("_fen")
                heading = SHORT.get(column, column.removesuffix("_fen").replace("_", " "))
                table.add_column(heading, justify="right" if money else "left", no_wrap=money)
            for row in value:
                table.add_row(*(_cell(column, row[column]) for column in columns))
            console.print(table)
        else:
            console.print(f"{title}: {value}")


def _cell(column: str, value: Any) -> str:
    if column.endswith("_fen"):
        return yuan(value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
