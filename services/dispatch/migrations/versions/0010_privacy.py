"""owners' phone numbers and signatures sealed, acts on personal data written down, erased when the desk says so"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.sealing import seal

revision: str = '0010'
down_revision: str | None = '0009'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

BATCH = 1000


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.add_column('work_orders', sa.Column('phone_sealed', sa.String(), nullable=True))
    op.add_column('work_orders', sa.Column('erased_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('signatures', sa.Column('signature_sealed', sa.String(), nullable=True))
    op.execute("ALTER TABLE signatures DISABLE TRIGGER append_only")
    _seal(op.get_bind(), 'work_orders', 'phone', 'id')
    _seal(op.get_bind(), 'signatures', 'signature', 'work_order_id')
    op.drop_column('work_orders', 'phone')
    op.drop_column('signatures', 'signature')
    op.create_table('privacy_acts',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('act', sa.String(), nullable=False),
    sa.Column('request_id', sa.Uuid(), nullable=False),
    sa.Column('site_id', sa.Uuid(), nullable=False),
    sa.Column('by', sa.Uuid(), nullable=True),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_privacy_acts')),
    comment='append-only'
    )
    op.create_index('ix_privacy_acts_request_id', 'privacy_acts', ['request_id'], unique=False)
    op.create_index('ix_privacy_acts_site_id', 'privacy_acts', ['site_id', 'id'], unique=False)
    op.execute("""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON privacy_acts
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    _allow_erasing()


def _seal(connection: sa.Connection, table: str, column: str, key: str) -> None:
    while rows := connection.execute(sa.text(
        f"SELECT {key}, {column} FROM {table} WHERE {column}_sealed IS NULL LIMIT :batch"), {"batch": BATCH}).all():
        connection.execute(
            sa.text(f"UPDATE {table} SET {column}_sealed = :sealed WHERE {key} = :id"),
            [{"id": id_, "sealed": seal(said, place=f"dispatch.{table}.{column}:{id_}")} for id_, said in rows],
        )


def _allow_erasing() -> None:
    """Of what is append-only only this changes: personal words become none, by the one function that erases."""
    op.execute("""
        CREATE FUNCTION erase_append_only(ids uuid[], erased text) RETURNS void LANGUAGE sql SECURITY DEFINER
        SET search_path FROM CURRENT AS $$
            UPDATE signatures s SET signature_sealed = NULL, signer_name = erased,
                witness_name = CASE WHEN witness_name IS NOT NULL THEN erased END
            FROM work_orders o WHERE o.id = s.work_order_id AND o.request_id = ANY(ids);
            UPDATE tellings t SET note = erased
            FROM work_orders o WHERE o.id = t.work_order_id AND o.request_id = ANY(ids);
        $$
    """)
    op.execute("""
        CREATE FUNCTION refuse_change_but_erasing() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF to_jsonb(NEW) - TG_ARGV::text[] <> to_jsonb(OLD) - TG_ARGV::text[] THEN
                RAISE EXCEPTION '% is append-only: a correction is a new entry', TG_TABLE_NAME
                    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'append_only';
            END IF;
            RETURN NEW;
        END
        $$
    """)
    for table, columns in (('signatures', "'signature_sealed', 'signer_name', 'witness_name'"), ('tellings', "'note'")):
        op.execute(f"""
            DROP TRIGGER append_only ON {table};
            CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
            CREATE TRIGGER append_only_but_erasing BEFORE UPDATE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_change_but_erasing({columns})
        """)
