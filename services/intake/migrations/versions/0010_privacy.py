"""owners' phone numbers sealed and found by a keyed hash, acts on personal data written down, erased after their time"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.phone import phone_digits
from shared.sealing import seal, searchable

revision: str = '0010'
down_revision: str | None = '0009'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

BATCH = 1000


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.add_column('requests', sa.Column('phone_sealed', sa.String(), nullable=True))
    op.add_column('requests', sa.Column('phone_hash', sa.String(), nullable=True))
    op.add_column('requests', sa.Column('erase_due_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('requests', sa.Column('erased_at', sa.DateTime(timezone=True), nullable=True))
    _seal_phones(op.get_bind())
    op.drop_index('ix_requests_phone_digits', table_name='requests')
    op.drop_column('requests', 'phone_digits')
    op.drop_column('requests', 'phone')
    op.execute("UPDATE requests SET erase_due_at = ended_at + interval '24 months' WHERE ended_at IS NOT NULL")
    op.create_index('ix_requests_phone_hash', 'requests', ['site_id', 'phone_hash'], unique=False)
    op.create_index('ix_requests_erase_due_at', 'requests', ['erase_due_at'], unique=False, postgresql_where=sa.text('erased_at IS NULL AND erase_due_at IS NOT NULL'))
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


def _seal_phones(connection: sa.Connection) -> None:
    while rows := connection.execute(sa.text(
        "SELECT id, phone FROM requests WHERE phone_sealed IS NULL LIMIT :batch"), {"batch": BATCH}).all():
        connection.execute(
            sa.text("UPDATE requests SET phone_sealed = :sealed, phone_hash = :hash WHERE id = :id"),
            [{"id": id_, "sealed": seal(phone, place=f"intake.requests.phone:{id_}"),
              "hash": searchable(digits) if (digits := phone_digits(phone)) else None} for id_, phone in rows],
        )


def _allow_erasing() -> None:
    """Of what is append-only only this changes: personal words become none, by the one function that erases."""
    op.execute("""
        CREATE FUNCTION erase_append_only(ids uuid[], erased text) RETURNS void LANGUAGE sql SECURITY DEFINER
        SET search_path FROM CURRENT AS $$
            UPDATE notice_revisions r
            SET changed = (SELECT coalesce(jsonb_object_agg(key, CASE WHEN key IN ('owner_name', 'address', 'phone',
                'description') THEN to_jsonb(erased) ELSE value END), '{}') FROM jsonb_each(r.changed))
            FROM notices n WHERE n.id = r.notice_id AND n.request_id = ANY(ids)
              AND r.changed ?| ARRAY['owner_name', 'address', 'phone', 'description'];
            UPDATE revisit_attempts SET note = erased WHERE request_id = ANY(ids);
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
    for table, columns in (('notice_revisions', "'changed'"), ('revisit_attempts', "'note'")):
        op.execute(f"""
            DROP TRIGGER append_only ON {table};
            CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
            CREATE TRIGGER append_only_but_erasing BEFORE UPDATE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_change_but_erasing({columns})
        """)
