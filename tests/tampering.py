"""What somebody can do to the ledger who stands above every rule of the database: its superuser, triggers put to sleep.

Each way is done to the committed ledger of an installation, by the connection of the database's owner.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import Connection, Engine, text


@contextmanager
def above_the_rules(owner: Engine) -> Iterator[Connection]:
    """A transaction in finance's schema in which no trigger and no foreign key is in the way; committed."""
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL search_path = finance, installation"))
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection


def journal_at(connection: Connection, seq: int) -> UUID:
    """The journal at a place in the chain."""
    found: UUID = connection.execute(
        text("SELECT journal_id FROM ledger_chain WHERE seq = :seq"), {"seq": seq}
    ).scalar_one()
    return found


def edit(owner: Engine, seq: int) -> None:
    """Double every line of a journal: it still balances."""
    with above_the_rules(owner) as connection:
        connection.execute(
            text("UPDATE journal_lines SET amount_fen = amount_fen * 2 WHERE journal_id = :id"),
            {"id": journal_at(connection, seq)},
        )


def delete(owner: Engine, seq: int) -> None:
    """Take a journal out, its lines and its link with it."""
    with above_the_rules(owner) as connection:
        key = {"id": journal_at(connection, seq)}
        connection.execute(text("DELETE FROM ledger_chain WHERE journal_id = :id"), key)
        connection.execute(text("DELETE FROM journal_lines WHERE journal_id = :id"), key)
        connection.execute(text("DELETE FROM journals WHERE id = :id"), key)


def edit_and_rehash(owner: Engine, seq: int) -> None:
    """Double every line of a journal and write its hash and all later ones anew: the chain is whole again."""
    edit(owner, seq)
    with above_the_rules(owner) as connection:
        connection.execute(
            text("""
                DO $$
                DECLARE
                    link record;
                BEGIN
                    FOR link IN SELECT seq, journal_id FROM ledger_chain ORDER BY seq LOOP
                        UPDATE ledger_chain SET hash = chain_hash(
                            link.seq,
                            coalesce((SELECT hash FROM ledger_chain WHERE seq = link.seq - 1), ''),
                            journal_text(link.journal_id))
                        WHERE seq = link.seq;
                    END LOOP;
                END
                $$
            """)
        )


def cut_the_tail(owner: Engine, seq: int) -> None:
    """Take out a journal and every one after it: what is left is a whole chain."""
    with above_the_rules(owner) as connection:
        last = connection.execute(text("SELECT max(seq) FROM ledger_chain")).scalar_one()
    for place in range(last, seq - 1, -1):
        delete(owner, place)


def insert(owner: Engine, seq: int) -> None:
    """Slip in a journal that no trigger saw, a copy of another in all but its reference."""
    with above_the_rules(owner) as connection:
        key = {"id": journal_at(connection, seq)}
        connection.execute(
            text("""
                WITH slipped_in AS (
                    INSERT INTO journals (id, site_id, kind, at, day, reference)
                    SELECT gen_random_uuid(), site_id, kind, at, day, reference || '-bis' FROM journals WHERE id = :id
                    RETURNING id
                )
                INSERT INTO journal_lines (journal_id, line, account, site_id, person_id, amount_fen)
                SELECT slipped_in.id, line, account, site_id, person_id, amount_fen
                FROM journal_lines CROSS JOIN slipped_in WHERE journal_id = :id
            """),
            key,
        )


WAYS: dict[str, Callable[[Engine, int], None]] = {
    "edit": edit,
    "delete": delete,
    "edit and rehash": edit_and_rehash,
    "cut the tail": cut_the_tail,
    "insert": insert,
}
"""Every way to tamper: (owner's engine, place in the chain) -> done and committed."""
