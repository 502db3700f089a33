"""Acceptance 验收: owner or occupant sees the settlement list, checks the work and signs [R31, R32, D23]."""

import json
from enum import StrEnum
from hashlib import sha256

from pydantic import BaseModel, ConfigDict

from services.dispatch.rules.work_order import WorkStep
from shared.errors import Malformed, RuleBroken
from shared.messages import FeeItem

MATERIALS = "材料、配件由业主自行购买（业主自购），服务人员不得代购"
"""What every list says: the owner buys the materials, and no worker buys them for him [R58, R59, D11]."""


class Relation(StrEnum):
    """Who signs: the owner 业主, the occupant 住户, or nobody could and a second person witnessed it."""

    OWNER = "owner"
    OCCUPANT = "occupant"
    WITNESSED = "witnessed"


class Paper(BaseModel):
    """A paper whose hash anybody can make again from what it says."""

    model_config = ConfigDict(frozen=True)

    def sha256(self) -> str:
        """The paper's SHA-256 over its canonical JSON: keys sorted, no spaces, UTF-8."""
        said = self.model_dump(mode="json")
        canonical = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return sha256(canonical.encode()).hexdigest()


class SettlementList(Paper):
    """The settlement list 结算清单, which the owner is shown before he signs: the notice as it stands (fee in fen).

    A rework has no items, no price version and no fee [R39].
    """

    notice_number: str
    round: int
    revision: int
    description: str
    items: list[FeeItem]
    fee_fen: int
    price_version: int | None
    materials: str = MATERIALS


class SignedPaper(Paper):
    """Exactly what was signed: the list that was shown, and the signature under it."""

    shown: SettlementList
    signer_name: str
    relation: Relation
    witness_name: str | None
    signature: str


def check_shown(present: SettlementList, shown_hash: str) -> None:
    """Raises RuleBroken when what the owner was shown is not what holds now: a changed fee needs a new signature."""
    if present.sha256() != shown_hash:
        raise RuleBroken("notice_changed", "the notice changed; show it again", rule="D23", allowed=[WorkStep.ACCEPT])


def check_witness(relation: Relation, *, signer_name: str, witness_name: str | None, reason: str | None) -> None:
    """Raises Malformed when nobody could sign and there is no reason, or no second person who witnessed it [D23]."""
    if relation is not Relation.WITNESSED:
        return
    if witness_name is None or reason is None:
        raise Malformed("witness_needed", "say why nobody can sign, and who witnessed the work", rule="D23")
    if witness_name == signer_name:
        raise Malformed("witness_is_signer", "the witness is a second person", rule="D23")
