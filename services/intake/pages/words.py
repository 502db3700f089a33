"""What the front desk's fields, states and problems are called."""

from shared.ui.words import Words

WORDS = Words(
    names={
        "channel": "来源",
        "phone": "电话",
        "walk_in": "来访",
        "owner_name": "业主姓名",
        "address": "房号",
        "trade": "服务项目",
        "online": "网上",
        "water": "给排水",
        "electricity": "电路",
        "cleaning": "保洁",
        "greening": "绿植",
        "windows": "方便的时间",
        "start": "从",
        "end": "到",
        "recorded": "待回电",
        "agreed": "已约定",
        "refused": "不受理",
    },
    problems={},
)
