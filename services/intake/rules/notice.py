"""The service notice 有偿服务通知单: its series of numbers, its three copies, and the visit on it [R24-R28, R30]."""

from datetime import date, datetime
from enum import StrEnum

from shared.errors import RuleBroken

MATERIALS = "材料、配件由业主自行购买（业主自购），服务人员不得代购"
"""What every notice states of materials: the owner buys them himself, nobody for him [R58, R59, D11]."""


class Copy(StrEnum):
    """Who holds which copy 联: finance 财务, the department 相关部门, the archive 存档."""

    FINANCE = "finance"
    DEPARTMENT = "department"
    ARCHIVE = "archive"


class Form(StrEnum):
    """The papers numbered per site and day: 登记表 and 通知单."""

    REGISTRATION = "DJ"
    NOTICE = "TZ"


def paper_series(form: Form, *, site_code: str, day: date) -> str:
    """The series a paper is numbered in: 'TZ-BK-20260401' is the notices of that site and day."""
    return f"{form}-{site_code}-{day:%Y%m%d}"


def check_window(visit_from: datetime, visit_to: datetime, *, now: datetime) -> None:
    """Raises RuleBroken unless the visit is a stretch of time that is not over yet [R30, R49]."""
    if not visit_from < visit_to:
        raise RuleBroken("window_is_empty", "the visit must end after it begins", rule="R49")
    if visit_to <= now:
        raise RuleBroken("window_is_past", "the visit would be over already", rule="R49")
