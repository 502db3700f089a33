"""papers that were issued, each stored once"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.migrations import wall

revision: str = '0017'
down_revision: str | None = '0016'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.create_table('papers',
    sa.Column('code', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('size', sa.String(), nullable=False),
    sa.Column('thing', sa.String(), nullable=False),
    sa.Column('facts_hash', sa.String(), nullable=False),
    sa.Column('site_id', sa.Uuid(), nullable=True),
    sa.Column('number', sa.String(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('amount_fen', sa.BigInteger(), nullable=True),
    sa.Column('sha256', sa.String(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=True),
    sa.Column('issued_by', sa.Uuid(), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("content IS NULL OR sha256 = encode(sha256(content), 'hex')", name=op.f('ck_papers_addressed_by_hash')),
    sa.PrimaryKeyConstraint('code', name=op.f('pk_papers')),
    comment='append-only'
    )
    op.create_index('uq_papers_thing', 'papers', ['thing', 'kind', 'size', 'facts_hash'], unique=True)
    wall('papers', or_none=True)
    op.execute("""
        CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON papers
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER append_only_but_erasing BEFORE UPDATE ON papers
        FOR EACH ROW EXECUTE FUNCTION refuse_change_but_erasing('content', 'facts_hash')
    """)
    _erase_papers_too()


def _erase_papers_too() -> None:
    op.execute("""
        CREATE OR REPLACE FUNCTION erase_append_only(ids uuid[], erased text) RETURNS void LANGUAGE sql SECURITY DEFINER
        SET search_path FROM CURRENT AS $$
            UPDATE notice_revisions r
            SET changed = (SELECT coalesce(jsonb_object_agg(key, CASE WHEN key IN ('owner_name', 'address', 'phone',
                'description') THEN to_jsonb(erased) ELSE value END), '{}') FROM jsonb_each(r.changed))
            FROM notices n WHERE n.id = r.notice_id AND n.request_id = ANY(ids)
              AND r.changed ?| ARRAY['owner_name', 'address', 'phone', 'description'];
            UPDATE revisit_attempts SET note = erased WHERE request_id = ANY(ids);
            UPDATE damages SET description = erased WHERE request_id = ANY(ids);
            UPDATE papers SET content = NULL, facts_hash = code WHERE thing = ANY(ids::text[]);
        $$
    """)
