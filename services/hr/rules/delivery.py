"""A delivery 投递: a payout as the company's own HR system gets it, the same however often it is sent [R92-R94].

Each payout makes one delivery. Its id is the settlement's; its sequence number counts 1, 2, 3 … over the company,
so that a receiver sees what it misses. It carries its own totals, so that a receiver sees what was changed.
"""

import json
from typing import Any

from shared.messages import PayoutApproved

SCHEMA = "bianmin.payout.v1"
"""The name of the schema; fields may be added to it, and none is removed or changes its meaning."""

LINE_FIELDS = (
    "person_id",
    "name",
    "share_fen",
    "reward_fen",
    "fine_fen",
    "from_bonus_fen",
    "from_wage_fen",
    "carried_fen",
    "guard",
    "net_fen",
    "case_numbers",
)
"""What is told of each person, in a delivery and in a file alike."""

TOTAL_FIELDS = ("lines", "net_fen", "from_wage_fen")
"""What a payout comes to."""

LARGEST_PUSH = 20_000
"""Bytes of a webhook's body; what is larger is pulled."""


def payload_of(payout: PayoutApproved, *, site_code: str, sequence: int) -> dict[str, Any]:
    """The payout in the schema; its lines are in order of the person's id."""
    return {
        "schema": SCHEMA,
        "sequence": sequence,
        "settlement_id": str(payout.settlement_id),
        "site_code": site_code,
        "month": payout.month,
        "totals": {"lines": len(payout.lines), "net_fen": payout.net_fen, "from_wage_fen": payout.from_wage_fen},
        "lines": [
            {field: told[field] for field in LINE_FIELDS}
            for line in sorted(payout.lines, key=lambda line: line.person_id)
            for told in [line.model_dump(mode="json")]
        ],
    }


def body_of(payload: dict[str, Any]) -> str:
    """The one spelling of a payload in JSON, which is stored, signed and sent."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


def pushed(body: str) -> str:
    """What a webhook carries: the body, or where that is too large its totals and where to pull the lines."""
    if len(body.encode()) < LARGEST_PUSH:
        return body
    payload = json.loads(body)
    del payload["lines"]
    return body_of(payload | {"lines_at": f"/api/deliveries?after={payload['sequence'] - 1}&limit=1"})
