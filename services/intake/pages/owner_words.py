"""What the owner's own page calls things, in words that an owner uses."""

from collections.abc import Mapping

NAMES: Mapping[str, str] = {
    "slot": "新的上门时间",
    "wish": "您的要求",
    "stars": "您的评价",
    "remark": "想说的话",
    "trouble": "哪里有问题",
    "private_job": "谁、什么时候、收了多少钱",
    "confirm": "业主确认上门时间",
    "move": "业主改了上门时间",
    "rate": "业主评价",
    "report_problem": "业主反映问题",
    "tell_private_job": "业主反映私自收费",
}
"""Field, or what an owner did -> what it is called."""

PROBLEMS: Mapping[str, str] = {
    "not_now": "现在不能这样做，请看最新进度，或致电客服。",
    "wrote_too_often": "您已留言多次，请直接致电客服。",
    "window_is_past": "这个时间已经过去。",
    "too_late_to_move": "服务人员可能已在路上，上门时间不能再在这里改，请电话联系。",
    "slot_not_offered": "这个时间已不能选，请另选一个，或留言给客服。",
    "rated_already": "您已评价过，谢谢。",
    "nothing_agreed": "还没有约定上门时间。",
    "no_link": "这一单没有业主链接，请先生成。",
    "request_ended": "这一单已经结束，不能再办理。",
}
"""Code of a problem an owner's page meets -> what is said."""
