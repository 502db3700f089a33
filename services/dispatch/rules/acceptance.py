"""Acceptance 验收: owner or occupant checks the work and signs the notice [R31, R32, D23]."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import sha256

from shared.errors import Malformed


class Relation(StrEnum):
    """Who signs: the owner 业主, the occupant 住户, or nobody could and a second person witnessed it."""

    OWNER = "owner"
    OCCUPANT = "occupant"
    WITNESSED = "witnessed"


@dataclass(frozen=True)
class SignedPaper:
    """Exactly what was signed: the notice as it stood (fee in fen, price frozen on the job), and the signature."""

    notice_number: str
    round: int
    description: str
    fee_fen: int
    price_version: int | None
    signer_name: str
    relation: Relation
    witness_name: str | None
    signature: str

    def sha256(self) -> str:
        """The paper's SHA-256 over its canonical JSON: keys sorted, no spaces, UTF-8."""
        canonical = json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return sha256(canonical.encode()).hexdigest()


def check_witness(relation: Relation, *, signer_name: str, witness_name: str | None, reason: str | None) -> None:
    """Raises Malformed when nobody could sign and there is no reason, or no second person who witnessed it [D23]."""
    if relation is not Relation.WITNESSED:
        return
    if witness_name is None or reason is None:
        raise Malformed("witness_needed", "say why nobody can sign, and who witnessed the work", rule="D23")
    if witness_name == signer_name:
        raise Malformed("witness_is_signer", "the witness is a second person", rule="D23")
