"""What things are called on every page: fields, states, roles, and the sentences behind a refusal.

A service adds its own in `pages/words.py`. A test fails on a state, a field of a form or a problem without a word.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.access import ROLE_NAMES
from shared.ui import told

COMMON: Mapping[str, str] = {
    **{f"alert:{kind}": word for kind, word in told.ALERTS.items()},
    **{f"deadline:{kind}": word for kind, word in told.DEADLINES.items()},
    **{f"worker:{state}": word for state, word in told.WORKERS.items()},
    **told.POLICIES,
    **told.SETTINGS,
    **{str(role): name for role, name in ROLE_NAMES.items()},
    "front_desk": "客服部",
    "engineering": "工程部",
    "environment": "环境部",
    "finance": "财务部",
    "personnel": "人事部",
    "management": "管理层",
    "company": "公司",
    "site_id": "小区",
    "person_id": "人员",
    "worker_id": "服务人员",
    "name": "名称",
    "role": "岗位",
    "department": "部门",
    "reason": "原因",
    "note": "备注",
    "month": "月份",
    "day": "日期",
    "amount_fen": "金额（元）",
    "quantity": "数量",
    "description": "情况说明",
    "state": "状态",
    "password": "密码",
    "login": "登录名",
    "totp": "动态验证码",
}
"""Name of a field, a state or a choice -> what people call it."""

PROBLEMS: Mapping[str, str] = {
    "not_found": "找不到，或不在您负责的小区。",
    "malformed": "填写的内容有误，请检查标出的各项。",
    "role_not_allowed": "您的岗位不能做这件事。",
    "not_in_scope": "这个令牌不能做这件事。",
    "not_four_eyes": "自己提出、经手或涉及本人的事，须由另一人办理。",
    "no_valid_token": "请先登录。",
    "cross_site": "请求不是从本系统的页面发出的，请从菜单重新打开。",
    "wrong_csrf_token": "您在别处重新登录过，这一页已经过期；刚才的操作没有生效，请重新打开页面再办一次。",
    "conflict": "别人刚刚已经办理，请刷新后查看。",
    "defect": "系统出错了，已记录。请把下面的编号告诉运维。",
    "database_unavailable": "数据库暂时连不上，请稍后再试。",
    "too_many_requests": "操作太频繁，请稍后再试。",
    "too_often": "操作太频繁，请稍后再试。",
    "http": "没有这个页面。",
}
"""Code of a problem -> what is said to whoever met it."""


@dataclass(frozen=True)
class Words:
    """The words of a service's pages: its own before the common ones."""

    names: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)

    def label(self, name: str) -> str:
        """What a field, a state or a choice is called; its own name where nobody has called it anything."""
        return self.names.get(name) or COMMON.get(name) or name

    def problem(self, code: str, detail: str) -> str:
        """What is said of a problem; its own English sentence where there is no other."""
        return self.problems.get(code) or PROBLEMS.get(code) or detail
