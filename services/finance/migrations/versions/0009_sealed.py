"""journals close without waiting for each other: a sealer appends them to the chain, and moves the balances"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = '0009'
down_revision: str | None = '0008'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.create_table('unsealed_journals',
    sa.Column('journal_id', sa.Uuid(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.ForeignKeyConstraint(['journal_id'], ['journals.id'], name=op.f('fk_unsealed_journals_journal_id')),
    sa.PrimaryKeyConstraint('journal_id', name=op.f('pk_unsealed_journals'))
    )
    op.create_index(
        'ix_unsealed_journals_open', 'unsealed_journals', ['due_at'], unique=False,
        postgresql_where=sa.text('due_at IS NOT NULL'),
    )
    _functions()
    _triggers()


def _functions() -> None:
    # As a running aggregate it makes a chain in one statement: each row's hash covers the one of the row before.
    op.execute("""
        CREATE FUNCTION chain_step(previous text, head text, seq bigint, journal text) RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN chain_hash(seq, coalesce(previous, head), journal)
    """)
    op.execute("CREATE AGGREGATE chain(head text, seq bigint, journal text) (SFUNC = chain_step, STYPE = text)")
    # What is only added to is added when it is sealed. What is taken from has to be counted first, so a journal that
    # takes seals all that wait, and itself, before it is committed: the balance it takes from is never too large.
    op.execute("""
        CREATE OR REPLACE FUNCTION close_journal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = finance, installation, pg_temp AS $$
        DECLARE
            howmany bigint;
            total numeric;
            elsewhere bigint;
            takes boolean;
        BEGIN
            SELECT count(*), coalesce(sum(amount_fen), 0), count(*) FILTER (WHERE site_id <> NEW.site_id),
                   coalesce(bool_or(CASE WHEN account IN ('cash_in_hand', 'cash_at_finance') THEN amount_fen < 0
                                         WHEN account IN ('reserve_fund', 'payroll') THEN amount_fen > 0 END), false)
            INTO howmany, total, elsewhere, takes FROM journal_lines WHERE journal_id = NEW.id;
            IF howmany < 2 OR total <> 0 OR elsewhere > 0 THEN
                RAISE EXCEPTION 'journal % has % lines that sum to % fen, % of another site',
                    NEW.id, howmany, total, elsewhere
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_balances';
            END IF;
            -- due at once: passed already by a clock that stands still
            INSERT INTO unsealed_journals (journal_id, due_at) VALUES (NEW.id, clock_now() - interval '1 microsecond');
            IF takes THEN
                PERFORM lock_ledger();
                DELETE FROM unsealed_journals;
            END IF;
            RETURN NULL;
        END
        $$
    """)
    # Before any row is locked, so that whoever seals or waits to seal holds nothing another of them needs.
    op.execute("""
        CREATE FUNCTION begin_sealing() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM lock_ledger();
            RETURN NULL;
        END
        $$
    """)
    # as the owner, because the service itself writes neither balances nor chain
    op.execute("""
        CREATE FUNCTION seal_journals() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = finance, installation, pg_temp AS $$
        DECLARE
            head record;
        BEGIN
            IF NOT EXISTS (SELECT FROM taken) THEN
                RETURN NULL;
            END IF;
            SELECT coalesce(max(seq), 0) AS seq,
                   coalesce((SELECT hash FROM ledger_chain ORDER BY seq DESC LIMIT 1), '') AS hash
            INTO head FROM ledger_chain;
            INSERT INTO ledger_chain (seq, journal_id, hash)
            SELECT seq, journal_id, chain(head.hash, seq, journal_text(journal_id)) OVER (ORDER BY seq)
            FROM (SELECT head.seq + row_number() OVER (ORDER BY journal_id) AS seq, journal_id FROM taken) placed;
            MERGE INTO balances b USING (
                SELECT account, site_id, holder_id, sum(moved_fen) AS moved_fen
                FROM holdings JOIN taken USING (journal_id) GROUP BY account, site_id, holder_id
            ) h ON b.account = h.account AND b.site_id = h.site_id AND b.holder_id = h.holder_id
            WHEN MATCHED THEN UPDATE SET balance_fen = b.balance_fen + h.moved_fen
            WHEN NOT MATCHED THEN INSERT VALUES (h.account, h.site_id, h.holder_id, h.moved_fen);
            INSERT INTO ledger_anchors (due_at)
            SELECT min(due_at) + interval '1 hour 1 microsecond' FROM taken  -- an hour after the first was closed
            HAVING NOT EXISTS (SELECT FROM ledger_anchors WHERE told_at IS NULL)
            ON CONFLICT DO NOTHING;
            RETURN NULL;
        END
        $$
    """)
    op.execute("DROP PROCEDURE append_to_chain(uuid)")
    # once for a statement, however many lines it writes; closed is what waits to be sealed, and what is
    op.execute("""
        CREATE OR REPLACE FUNCTION refuse_late_line() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            closed uuid;
        BEGIN
            SELECT journal_id INTO closed FROM written
            WHERE EXISTS (SELECT FROM unsealed_journals u WHERE u.journal_id = written.journal_id)
               OR EXISTS (SELECT FROM ledger_chain c WHERE c.journal_id = written.journal_id)
            LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION 'journal % is closed: a correction is a new entry', closed
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_is_closed';
            END IF;
            RETURN NULL;
        END
        $$
    """)


def _triggers() -> None:
    op.execute("DROP TRIGGER journal_is_closed ON journal_lines")
    op.execute("""
        CREATE TRIGGER journal_is_closed AFTER INSERT ON journal_lines
        REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION refuse_late_line()
    """)
    # taking a journal out of what waits is what seals it; there is no other way to take it out, or to put one in
    op.execute("""
        CREATE TRIGGER sealing BEFORE DELETE ON unsealed_journals
        FOR EACH STATEMENT EXECUTE FUNCTION begin_sealing()
    """)
    op.execute("""
        CREATE TRIGGER sealed AFTER DELETE ON unsealed_journals
        REFERENCING OLD TABLE AS taken FOR EACH STATEMENT EXECUTE FUNCTION seal_journals()
    """)
    op.execute("""
        CREATE TRIGGER by_hand BEFORE INSERT OR UPDATE ON unsealed_journals
        FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION refuse_change()
    """)
    op.execute("""
        CREATE TRIGGER append_only BEFORE TRUNCATE ON unsealed_journals
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
