"""A sample of each paper, as its service makes it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from datetime import time as clock
from typing import Any

from shared.ids import new_id
from shared.people import Site
from shared.ui.papers.archive import Kind, Paper

SITE = Site(new_id(), "BK", "阳光花园", "Asia/Shanghai", clock(18))
AT = datetime(2026, 4, 1, 2, 0, tzinfo=UTC)
DAY = date(2026, 4, 1)

ITEMS = [
    {"name": "更换水龙头", "unit": "个", "quantity": "2", "price": "¥50.00", "amount": "¥100.00"},
    {"name": "疏通下水道", "unit": "次", "quantity": "1", "price": "¥1,134.50", "amount": "¥1,134.50"},
]
FEE = {"items": ITEMS, "total": "¥1,234.50", "capitals": "壹仟贰佰叁拾肆元伍角整"}
OWNER = {
    "owner": "欧阳建国",
    "phone": "138****8000",
    "address": "3-2-1502",
    "description": "厨房下水道疏通；更换业主自购 PVC 弯头 2 个。业主自述：水漫到地板，孩子在家 @14:30 前到。",
    "department": "工程部",
}

DATA: Mapping[Kind, dict[str, Any]] = {
    "registration_form": {
        **OWNER,
        **FEE,
        "recorded_at": "2026-04-01 10:00",
        "channel": "来电",
        "trade": "水",
        "windows": ["2026-04-01 15:00 至 16:00", "2026-04-02 09:00 至 11:00"],
        "refusal": "",
        "reached_at": "2026-04-01 10:06",
        "visit": "2026-04-01 15:00 至 16:00",
        "clerk": "李敏",
    },
    "service_notice": {
        **OWNER,
        **FEE,
        "trade": "水",
        "visit": "2026-04-01 15:00 至 16:00",
        "issued_at": "2026-04-01 10:10",
        "revision": 1,
        "clerk": "李敏",
    },
    "owner_slip": {**OWNER, **FEE, "trade": "水", "visit": "2026-04-01 15:00 至 16:00"},
    "settlement_list": {
        **OWNER,
        **FEE,
        "notice": "TZ-BK-20260401-0007",
        "revision": 0,
        "workers": "王建军、㛃䶮",
        "arrived_at": "2026-04-01 15:02",
        "finished_at": "2026-04-01 15:40",
        "materials": "材料、配件由业主自行购买（业主自购），服务人员不得代购",
        "signed_at": "2026-04-01 15:45",
        "signer": "欧阳建国",
        "relation": "业主",
        "hash": "9f" * 32,
    },
    "receipt": {
        **FEE,
        "day": "2026年4月1日",
        "notice": "TZ-BK-20260401-0007",
        "payer": "业主（见通知单）",
        "department": "工程部",
        "method": "现金",
        "collector": "李敏",
        "refunded": "¥34.50",
        "kept": "¥1,200.00",
        "invoice": "044031900111-12345678",
    },
    "hand_over_slip": {
        "giver": "李敏",
        "receiver": "赵会计",
        "state": "已清点",
        "offered_at": "2026-04-01 17:30",
        "counted_at": "2026-04-01 17:40",
        "notes": [[f"¥{face}", "1", f"¥{face}"] for face in (100, 50, 20, 10, 5, 1)]
        + [["¥0.50", "", ""], ["¥0.10", "", ""], ["¥0.05", "", ""], ["¥0.02", "", ""], ["¥0.01", "", ""], ["", "", ""]],
        "counted": "¥186.00",
        "counted_capitals": "壹佰捌拾陆元整",
        "expected": "¥190.00",
        "difference": "-¥4.00",
        "reason": "少找零",
        "on_behalf": "",
        "receipts": [
            {"number": "SJ-BK-000001", "day": "2026-04-01", "amount": "¥100.00"},
            {"number": "SJ-BK-000002", "day": "2026-04-01", "amount": "¥90.00"},
        ],
        "receipts_total": "¥190.00",
    },
    "price_list": {
        "from": "2026年4月1日",
        "until": "",
        "version": "3",
        "items": [
            {"trade": "水", "name": "更换水龙头", "unit": "个", "price": "¥50.00"},
            {"trade": "保洁", "name": "家庭保洁", "unit": "小时", "price": "¥40.00 – ¥60.00"},
        ],
        "drafted_by": "周主管",
        "approved_by": "陈总",
        "approved_at": "2026-03-28",
    },
    "month_report": {
        "month": "2026年4月",
        "agreed_at": "2026-04-30 19:10",
        "signatures": [["客服部", "吴主管", "2026-04-30 19:00"], ["财务部", "周主管", "2026-04-30 19:10"]],
        "parts": [
            {"name": "全小区", "figures": [["登记", "120"], ["验收完成", "98"], ["收入（扣除退款）", "¥9,839.78"]]},
            {"name": "工程部 · 张师傅", "figures": [["验收完成", "12"], ["准时上门", "11"]]},
        ],
    },
    "reserve_statement": {
        "month": "2026年4月",
        "opening": "¥1,000.00",
        "movements": [
            {
                "day": "2026-04-01",
                "kind": "分成计提",
                "reason": "",
                "came": "¥18.52",
                "went": "",
                "balance": "¥1,018.52",
            },
            {
                "day": "2026-04-09",
                "kind": "报损",
                "reason": "地板进水",
                "came": "",
                "went": "¥200.00",
                "balance": "¥818.52",
            },
        ],
        "came": "¥18.52",
        "went": "¥200.00",
        "closing": "¥818.52",
        "capitals": "捌佰壹拾捌元伍角贰分",
    },
    "pay_statement": {
        "month": "2026年4月",
        "person": "王建军",
        "sums": [["服务分成", "¥432.08"], ["奖励", "¥50.00"], ["减：罚款（在奖励分成中扣除）", "-¥200.00"]],
        "net": "¥282.08",
        "capitals": "贰佰捌拾贰元零捌分",
        "from_wage": "¥10.00",
        "carried": "",
        "fines": [["AJ-BK-2026-0001", "工作时间私自接收有偿服务", "¥200.00"]],
        "jobs": [[f"SJ-BK-{n:06d}", "¥35.00"] for n in range(1, 8)],
    },
    "decision_letter": {
        "person": "王建军",
        "opening": "经查，你在阳光花园的下列行为违反《便民有偿服务管理办法》。经听取你的申辩，现决定如下。",
        "facts": ["2026年4月3日 10:20，工作时间私自接收有偿服务项目。", "业主来电反映，有收款记录。"],
        "statement": ["对方坚持付款，我没有拒绝。"],
        "reasons": ["事实清楚，证据充分。依据管理办法第五条第3款认定成立。"],
        "decision": ["第1次：罚款 ¥200.00（人民币贰佰元整），先从当月奖励分成中扣除，差额在当月工资中扣除。"],
        "appeal": ["对本决定不服的，可在 2026-04-20 18:00 前向另一位分管领导提出申诉。"],
        "decided_by": "陈总",
        "day": "2026年4月10日",
    },
}
"""What each template prints."""

NUMBERS: Mapping[Kind, str] = {
    "registration_form": "DJ-BK-20260401-0007",
    "service_notice": "TZ-BK-20260401-0007",
    "owner_slip": "DJ-BK-20260401-0007",
    "settlement_list": "TZ-BK-20260401-0007",
    "receipt": "SJ-BK-000001",
    "hand_over_slip": "JJ-BK-20260401-3F9A",
    "price_list": "3",
    "month_report": "BK-2026-04",
    "reserve_statement": "BK-2026-04",
    "pay_statement": "BK-2026-04-王建军",
    "decision_letter": "AJ-BK-2026-0001",
}

SIZES: Mapping[Kind, tuple[str, ...]] = {
    "service_notice": ("a4", "continuous"),
    "receipt": ("a5", "roll"),
    "owner_slip": ("a6",),
}
"""Papers of two sizes, or of another; the others are A4."""

LEADS_TO: Mapping[Kind, str] = {"owner_slip": "https://bianmin.example.cn/intake/o?c=Zz-_Zz-_Zz-_Zz-_Zz-_zz"}
"""Papers whose code leads elsewhere than to their check."""

SHEETS = [(kind, size) for kind in DATA for size in SIZES.get(kind, ("a4",))]
"""Every paper in every size."""


def sample(kind: Kind, **changed: Any) -> Paper:
    """A paper of a kind, with what a test changes of its data."""
    return Paper(
        kind, "thing", SITE, NUMBERS[kind], DAY, AT, 1, {**DATA[kind], **changed}, leads_to=LEADS_TO.get(kind, "")
    )
