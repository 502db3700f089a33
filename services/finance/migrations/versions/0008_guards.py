"""what the database itself refuses: closed journals, overdrafts, wrong splits; the chain of the ledger"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = '0008'
down_revision: str | None = '0007'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    _splits()
    _books()
    _tables()
    _functions()
    _what_is_there()
    _triggers()


def _splits() -> None:
    # The same as shared/money.py says in Python, exact for every bigint. No parts (NULL) for weights that mean nothing.
    op.execute("""
        CREATE FUNCTION largest_remainder(total bigint, weights bigint[]) RETURNS bigint[]
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        BEGIN ATOMIC
            WITH whole AS (
                SELECT sum(w) AS weight FROM unnest(weights) AS u (w) HAVING min(w) >= 0 AND sum(w) > 0
            ), shares AS (
                SELECT i, div(abs(total::numeric) * w, weight) AS part, mod(abs(total::numeric) * w, weight) AS fraction
                FROM unnest(weights) WITH ORDINALITY AS u (w, i) CROSS JOIN whole
            ), ranked AS (
                SELECT i, part, row_number() OVER (ORDER BY fraction DESC, i) AS rank,
                       abs(total::numeric) - sum(part) OVER () AS left_over
                FROM shares
            )
            SELECT array_agg((sign(total) * (part + CASE WHEN rank <= left_over THEN 1 ELSE 0 END))::bigint ORDER BY i)
            FROM ranked;
        END
    """)
    # A piece of something divided by and by: the parts of all so far, less the parts of what was before [D16].
    op.execute("""
        CREATE FUNCTION split_piece(before bigint, amount bigint, weights bigint[]) RETURNS bigint[]
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        BEGIN ATOMIC
            SELECT array_agg(so_far - earlier ORDER BY i)
            FROM unnest(largest_remainder(before + amount, weights), largest_remainder(before, weights))
                 WITH ORDINALITY AS u (so_far, earlier, i);
        END
    """)
    op.add_column('receipts', sa.Column('split_weights', sa.ARRAY(sa.BigInteger()), nullable=True))
    op.execute("""
        UPDATE receipts r SET split_weights = coalesce((
            SELECT ARRAY[(p.settings ->> 'workers')::bigint, (p.settings ->> 'reserve')::bigint,
                         (p.settings ->> 'company')::bigint]
            FROM policies p
            WHERE p.name = 'SplitPolicy' AND p.effective_from <= r.collected_at
              AND (p.site_id = r.site_id OR p.site_id IS NULL)
            ORDER BY p.site_id NULLS LAST, p.effective_from DESC LIMIT 1), '{35,15,50}')
        WHERE state = 'used'
    """)
    op.add_column('refunds', sa.Column('before_fen', sa.BigInteger(), nullable=True))
    op.add_column('refunds', sa.Column('split_weights', sa.ARRAY(sa.BigInteger()), nullable=True))
    op.execute("""
        UPDATE refunds f SET before_fen = paid.before_fen, split_weights = paid.split_weights
        FROM (SELECT n.id, ARRAY[r.workers_fen, r.reserve_fen, r.company_fen] AS split_weights,
                     sum(n.amount_fen) OVER (PARTITION BY n.receipt_id ORDER BY j.id) - n.amount_fen AS before_fen
              FROM refunds n
              JOIN receipts r ON r.id = n.receipt_id
              JOIN journals j ON j.kind = 'refund' AND j.reference = CAST(n.id AS text)  -- in the order of payment
              WHERE n.state = 'approved') paid
        WHERE f.id = paid.id
    """)
    for table, condition in (
        (
            'receipts',
            "CASE WHEN state = 'used' THEN coalesce(ARRAY[workers_fen, reserve_fen, company_fen]"
            " = largest_remainder(amount_fen, split_weights), false)"
            " ELSE coalesce(company_fen, workers_fen, reserve_fen) IS NULL AND split_weights IS NULL END",
        ),
        (
            'refunds',
            "CASE WHEN state = 'approved'"
            " THEN month IS NOT NULL AND coalesce(ARRAY[workers_fen, reserve_fen, company_fen]"
            " = split_piece(before_fen, amount_fen, split_weights), false)"
            " ELSE num_nulls(month, company_fen, workers_fen, reserve_fen, before_fen, split_weights) = 6 END",
        ),
    ):
        op.drop_constraint(op.f(f'ck_{table}_split'), table)
        op.create_check_constraint(op.f(f'ck_{table}_split'), table, condition)
    op.create_check_constraint(
        op.f('ck_policies_split_is_whole'),
        'policies',
        "name <> 'SplitPolicy' OR coalesce((settings ->> 'company')::int + (settings ->> 'workers')::int"
        " + (settings ->> 'reserve')::int = 100, false)",
    )


def _books() -> None:
    op.execute("""
        ALTER TABLE receipt_books ADD CONSTRAINT ex_receipt_books_numbers
        EXCLUDE USING gist (site_id WITH =, int8range(first, last, '[]') WITH &&)
    """)


def _tables() -> None:
    op.create_table('balances',
    sa.Column('account', _accounts(), nullable=False),
    sa.Column('site_id', sa.Uuid(), nullable=False),
    sa.Column('holder_id', sa.Uuid(), nullable=False),
    sa.Column('balance_fen', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('balance_fen >= 0', name=op.f('ck_balances_not_overdrawn')),
    sa.PrimaryKeyConstraint('account', 'site_id', 'holder_id', name=op.f('pk_balances')),
    comment='written by triggers'
    )
    op.create_table('ledger_chain',
    sa.Column('seq', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('journal_id', sa.Uuid(), nullable=False),
    sa.Column('hash', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['journal_id'], ['journals.id'], name=op.f('fk_ledger_chain_journal_id')),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_ledger_chain')),
    sa.UniqueConstraint('journal_id', name=op.f('uq_ledger_chain_journal_id')),
    comment='written by triggers'
    )
    op.create_table('ledger_anchors',
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('due_at', name=op.f('pk_ledger_anchors'))
    )
    op.create_index(
        'ix_ledger_anchors_open', 'ledger_anchors', ['due_at'], unique=False,
        postgresql_where=sa.text('told_at IS NULL'),
    )


def _accounts() -> sa.Enum:
    return sa.Enum(
        'cash_in_hand', 'cash_at_finance', 'bank', 'company_share', 'workers_share', 'reserve_fund', 'rewards_due',
        'payroll', 'fines', 'wage_deductions', 'cash_differences', name='account', native_enum=False, length=32,
    )


def _functions() -> None:
    # What every journal moved on the accounts that cannot go below nothing, on their normal sides.
    op.execute("""
        CREATE VIEW holdings AS
        SELECT journal_id, account, site_id, coalesce(person_id, site_id) AS holder_id,
               CASE WHEN account IN ('reserve_fund', 'payroll') THEN -amount_fen ELSE amount_fen END AS moved_fen
        FROM journal_lines
        WHERE account IN ('cash_in_hand', 'cash_at_finance', 'reserve_fund', 'payroll')
    """)
    # A journal in one canonical text, whatever the settings of the session: header and lines in their order, as JSON.
    op.execute("""
        CREATE FUNCTION journal_text(journal uuid) RETURNS text LANGUAGE sql STABLE STRICT PARALLEL SAFE
        BEGIN ATOMIC
            SELECT jsonb_build_array(j.id, j.site_id, j.kind, j.at AT TIME ZONE 'UTC', j.day, j.reference,
                       (SELECT jsonb_agg(jsonb_build_array(l.line, l.account, l.site_id, l.person_id, l.amount_fen)
                                         ORDER BY l.line)
                        FROM journal_lines l WHERE l.journal_id = j.id))::text
            FROM journals j WHERE j.id = journal;
        END
    """)
    # The hash of a journal at its place in the chain: SHA-256, hexadecimal, of place, hash before and canonical text.
    op.execute("""
        CREATE FUNCTION chain_hash(seq bigint, previous text, journal text) RETURNS text
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        RETURN encode(sha256(convert_to(seq || ':' || previous || ':' || journal, 'UTF8')), 'hex')
    """)
    # One journal at a time closes: so the chain has one order, and no two overdraw a balance together.
    op.execute("""
        CREATE FUNCTION lock_ledger() RETURNS void LANGUAGE sql VOLATILE
        BEGIN ATOMIC
            SELECT pg_advisory_xact_lock(hashtextextended('finance.ledger_chain', 0));
        END
    """)
    op.execute("""
        CREATE PROCEDURE append_to_chain(journal uuid) LANGUAGE plpgsql AS $$
        DECLARE
            head record;
        BEGIN
            SELECT coalesce(max(seq), 0) AS seq,
                   coalesce((SELECT hash FROM ledger_chain ORDER BY seq DESC LIMIT 1), '') AS hash
            INTO head FROM ledger_chain;
            INSERT INTO ledger_chain (seq, journal_id, hash)
            VALUES (head.seq + 1, journal, chain_hash(head.seq + 1, head.hash, journal_text(journal)));
        END
        $$
    """)
    # as the owner, because the service itself writes neither balances nor chain
    op.execute("""
        CREATE FUNCTION close_journal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = finance, installation, pg_temp AS $$
        DECLARE
            howmany bigint;
            total numeric;
            elsewhere bigint;
        BEGIN
            SELECT count(*), coalesce(sum(amount_fen), 0), count(*) FILTER (WHERE site_id <> NEW.site_id)
            INTO howmany, total, elsewhere FROM journal_lines WHERE journal_id = NEW.id;
            IF howmany < 2 OR total <> 0 OR elsewhere > 0 THEN
                RAISE EXCEPTION 'journal % has % lines that sum to % fen, % of another site',
                    NEW.id, howmany, total, elsewhere
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_balances';
            END IF;
            PERFORM lock_ledger();
            MERGE INTO balances b USING (
                SELECT account, site_id, holder_id, sum(moved_fen) AS moved_fen
                FROM holdings WHERE journal_id = NEW.id GROUP BY account, site_id, holder_id
            ) h ON b.account = h.account AND b.site_id = h.site_id AND b.holder_id = h.holder_id
            WHEN MATCHED THEN UPDATE SET balance_fen = b.balance_fen + h.moved_fen
            WHEN NOT MATCHED THEN INSERT VALUES (h.account, h.site_id, h.holder_id, h.moved_fen);
            CALL append_to_chain(NEW.id);
            INSERT INTO ledger_anchors (due_at)
            SELECT clock_now() + interval '1 hour'
            WHERE NOT EXISTS (SELECT FROM ledger_anchors WHERE told_at IS NULL);
            RETURN NULL;
        END
        $$
    """)
    op.execute("""
        CREATE FUNCTION refuse_late_line() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM ledger_chain WHERE journal_id = NEW.journal_id) THEN
                RAISE EXCEPTION 'journal % is closed: a correction is a new entry', NEW.journal_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_is_closed';
            END IF;
            RETURN NEW;
        END
        $$
    """)


def _what_is_there() -> None:
    op.execute("""
        INSERT INTO balances (account, site_id, holder_id, balance_fen)
        SELECT account, site_id, holder_id, sum(moved_fen) FROM holdings GROUP BY account, site_id, holder_id
    """)
    op.execute("""
        DO $$
        DECLARE
            journal uuid;
        BEGIN
            FOR journal IN SELECT id FROM journals ORDER BY id LOOP
                CALL append_to_chain(journal);
            END LOOP;
        END
        $$
    """)
    op.execute("""
        INSERT INTO ledger_anchors (due_at)
        SELECT installation.clock_now() + interval '1 hour' WHERE EXISTS (SELECT FROM ledger_chain)
    """)


def _triggers() -> None:
    # the reserve fund is one of the balances now, and a journal is looked at once, when it closes
    op.execute("DROP TRIGGER reserve_holds ON journal_lines")
    op.execute("DROP FUNCTION check_reserve_holds()")
    op.execute("DROP TRIGGER journal_balances ON journal_lines")
    op.execute("DROP TRIGGER journal_balances ON journals")
    op.execute("DROP FUNCTION check_journal_balances()")
    op.execute("""
        CREATE CONSTRAINT TRIGGER journal_closes AFTER INSERT ON journals
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION close_journal()
    """)
    op.execute("""
        CREATE TRIGGER journal_is_closed BEFORE INSERT ON journal_lines
        FOR EACH ROW EXECUTE FUNCTION refuse_late_line()
    """)
    for table, changes in (
        ('ledger_chain', 'INSERT OR UPDATE OR DELETE'),
        ('balances', 'INSERT OR UPDATE OR DELETE'),
    ):  # by nobody's hand: only from within a trigger
        op.execute(f"""
            CREATE TRIGGER by_hand BEFORE {changes} ON {table}
            FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION refuse_change()
        """)
        op.execute(f"""
            CREATE TRIGGER append_only BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """)
