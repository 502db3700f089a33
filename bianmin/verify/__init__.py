"""`bianmin verify`: recomputes every invariant of the books and of the bus from outside, in the database itself.

One snapshot of all four schemas, read as a role that may read and nothing else. Nothing here is shared with the
services' rules; where the same rule is needed it is written a second time, as SQL, so that one mistake cannot hide in
both. It serves the promises that no fen is made or lost, and that tampering below the database is seen.
"""

from bianmin.verify import audit_logs, books, bus, cash, chain, deadlines, facts, months, papers, payouts, shares
from bianmin.verify.invariant import Invariant

INVARIANTS: tuple[Invariant, ...] = tuple(
    sorted(
        (
            invariant
            for part in (books, shares, cash, months, payouts, bus, deadlines, facts, papers, chain, audit_logs)
            for invariant in part.INVARIANTS
        ),
        key=lambda invariant: invariant.code,
    )
)
"""All of them, by their exit codes."""
