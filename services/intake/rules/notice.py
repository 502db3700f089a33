"""The service notice 有偿服务通知单: its series of numbers, its three copies, and the visit on it [R24-R28, R30]."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from services.intake.rules.request import Channel
from shared.errors import RuleBroken

MATERIALS = "材料、配件由业主自行购买（业主自购），服务人员不得代购"
"""What every notice states of materials: the owner buys them himself, nobody for him [R58, R59, D11]."""


class Copy(StrEnum):
    """Who holds which copy 联: finance 财务, the department 相关部门, the archive 存档."""

    FINANCE = "finance"
    DEPARTMENT = "department"
    ARCHIVE = "archive"


class CopyState(StrEnum):
    """Where a copy is: on its way, with its holder, or back at the desk [R26-R28, D27]."""

    SENT = "sent"
    RECEIVED = "received"
    RETURNED = "returned"


class NoticeState(StrEnum):
    """Whether a notice holds."""

    VALID = "valid"
    CANCELLED = "cancelled"


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


def check_waiting(channel: Channel, *, owner_waits: bool) -> None:
    """Raises RuleBroken unless an owner said to wait at the desk came to the desk [R45]."""
    if owner_waits and channel is not Channel.WALK_IN:
        raise RuleBroken("nobody_at_the_desk", f"an owner who came by {channel} does not wait at the desk", rule="R45")


def copy_state(*, received_at: datetime | None, returned_at: datetime | None) -> CopyState:
    """Where a copy is by what was heard of it, in whatever order that came."""
    if returned_at is not None:
        return CopyState.RETURNED
    return CopyState.RECEIVED if received_at is not None else CopyState.SENT


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Of the fields in `after`, those that change, with what stands there now. Raises RuleBroken when none does."""
    changed = {field: before[field] for field in after if after[field] != before[field]}
    if not changed:
        raise RuleBroken("nothing_changed", "the notice says that already", rule="R24")
    return changed
