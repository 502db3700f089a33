"""Who may do what: the rows of every service's table of permissions, and what is asked of them.

A row names the roles that may take an action, how far each reaches, and who must leave it to somebody else; whatever
enforces it asks the row. An action without a row is nobody's, and a query of a person is limited to his sites [R6].
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import cast, get_args
from uuid import UUID

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute

from shared.errors import NotYourRole, RuleBroken
from shared.messages import Role
from shared.people import Actor

ANYBODY: tuple[Role, ...] = get_args(Role)

ROLE_NAMES: Mapping[Role, str] = {
    "clerk": "客服员",
    "desk_head": "客服主管",
    "head": "工程、环境主管",
    "worker": "服务人员",
    "cashier": "出纳",
    "finance_lead": "财务主管",
    "leader": "分管领导",
    "hr": "人事",
    "administration": "行政部",
    "operator": "运维",
    "auditor": "审计",
    "administrator": "公司管理员",
}
"""Role -> what the company calls it."""


class Own(StrEnum):
    """How far somebody's permission reaches: 本小区 unless his row says 全公司, 本部门, 本人工单, 经手款项, 本人."""

    COMPANY = "company"
    SITES = "sites"
    DEPARTMENT = "department"
    JOBS = "jobs"
    CASH = "cash"
    GIVEN = "given"
    OFFERED = "offered"
    HIMSELF = "himself"


OWN_WORDS: Mapping[Own, str] = {
    Own.COMPANY: "the company's, the same at every site",
    Own.SITES: "at his sites",
    Own.DEPARTMENT: "of his department at his sites",
    Own.JOBS: "of the jobs he is assigned to",
    Own.CASH: "receipts and cash that went through his hands",
    Own.GIVEN: "cash he handed over himself, or whose giver is gone",
    Own.OFFERED: "cash offered to himself",
    Own.HIMSELF: "about himself",
}
"""Each reach in words."""

_PERSONAL: Mapping[Own, tuple[str, str]] = {
    Own.GIVEN: ("not_the_giver", "only the one who gave the cash may do this"),
    Own.OFFERED: ("not_the_receiver", "only the one the cash is offered to may do this"),
    Own.HIMSELF: ("himself_only", "a person of your role does this for himself alone"),
}
"""Reaches that end at one person -> the refusal of everybody else."""


class Tie(StrEnum):
    """What somebody already has to do with a thing, so that he leaves the next step to another: four eyes [D18]."""

    PROPOSER = "proposer"
    COLLECTOR = "collector"
    GIVER = "giver"
    RECEIVER = "receiver"
    SIGNER = "signer"
    OPENER = "opener"
    DECIDER = "decider"
    BENEFICIARY = "beneficiary"
    SUBJECT = "subject"


TIE_WORDS: Mapping[Tie, str] = {
    Tie.PROPOSER: "proposed it",
    Tie.COLLECTOR: "took the fee",
    Tie.GIVER: "gave the cash",
    Tie.RECEIVER: "received the cash",
    Tie.SIGNER: "signed for another side",
    Tie.OPENER: "opened it",
    Tie.DECIDER: "decided it before",
    Tie.BENEFICIARY: "gets the money",
    Tie.SUBJECT: "is the one it is about",
}
"""Each tie in words: 'whoever … leaves this to somebody else'."""


@dataclass(frozen=True)
class Permission:
    """A row: role -> how far it reaches, who never may whatever his role, and the clauses it stands on."""

    own: Mapping[Role, Own]
    never: tuple[Tie, ...] = ()
    rule: str = ""

    @property
    def roles(self) -> frozenset[Role]:
        """The roles that may."""
        return frozenset(self.own)

    def of(self, actor: Actor) -> Own:
        """How far this person reaches. Raises NotYourRole for one who may not at all."""
        if actor.role not in self.own:
            raise NotYourRole("role_not_allowed", f"a {actor.role} may not do this", allowed=sorted(self.own))
        return self.own[actor.role]


Permissions = dict[str, Permission]
"""Action -> its row; what is not listed is nobody's."""


def roles(*names: Role, own: Own = Own.SITES, never: tuple[Tie, ...] = (), rule: str = "", **others: Own) -> Permission:
    """A row: these roles reach as far as `own`, the `others` as far as each says. Raises KeyError for no role."""
    return Permission(_reach(dict.fromkeys(names, own), others), never, rule)


def _reach(named: Mapping[Role, Own], others: Mapping[str, Own]) -> dict[Role, Own]:
    reach = {**named, **cast("Mapping[Role, Own]", others)}
    return {role: reach[role] for role in sorted(reach, key=ANYBODY.index)}


def reads(*names: Role, own: Own = Own.SITES, rule: str = "", **others: Own) -> Permission:
    """A row for something that changes nothing: the auditor may always, at his sites."""
    auditor = Own.COMPANY if own is Own.COMPANY else Own.SITES
    return Permission(_reach(dict.fromkeys(names, own) | {"auditor": auditor}, others), rule=rule)


WATCHERS: frozenset[Role] = frozenset({"operator", "auditor", "administrator"})
"""Who may look at queues, messages and deadlines, and at everybody's alerts."""

COMMON: Permissions = {
    "read_may": roles(*ANYBODY, own=Own.HIMSELF),
    "read_alerts": reads(*ANYBODY, rule="D3, D6, D24"),
    "see_alert": roles(*ANYBODY, rule="D3, D6, D24"),
    "read_policies": reads("desk_head", "head", "finance_lead", "leader", "hr", "administrator"),
    "change_policy": roles("administrator"),
    "read_audit_log": roles("auditor"),
    "watch": roles(*sorted(WATCHERS), own=Own.COMPANY),
    "operate": roles("operator", own=Own.COMPANY),
}
"""What is the same in all four services: alerts, policies, and the bus."""


def check_own(may: Permission, actor: Actor, whose: UUID | None) -> None:
    """Raises NotYourRole where his row ends at one person, and the thing is somebody else's."""
    own = may.of(actor)
    if own in _PERSONAL and whose != actor.person_id:
        code, detail = _PERSONAL[own]
        raise NotYourRole(code, detail, rule=may.rule)


def check_four_eyes(may: Permission, actor: Actor, **who: UUID | frozenset[UUID] | None) -> None:
    """Raises RuleBroken when the person has a tie to the thing for which he must leave it to another [D18].

    `who` names everybody who has a tie of the row, and nobody else: a tie that is declared cannot be forgotten.
    """
    if who.keys() != set(may.never):
        raise TypeError(f"of {sorted(may.never)} were told {sorted(who)}")
    for tie in may.never:
        known = who[tie]
        if actor.person_id in (known if isinstance(known, frozenset) else {known}):
            raise RuleBroken("not_four_eyes", f"whoever {TIE_WORDS[tie]} leaves this to somebody else", rule=may.rule)


def may_now(table: Permissions, actor: Actor) -> dict[str, Permission]:
    """The rows of the actions this person's role may take: what a menu offers him."""
    return {action: may for action, may in table.items() if actor.role in may.own}


def at_sites_of(actor: Actor, site_id: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """The condition that keeps a query to the person's sites."""
    return true() if actor.site_ids is None else site_id.in_(actor.site_ids)
