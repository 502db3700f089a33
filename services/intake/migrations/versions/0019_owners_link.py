"""owners' links: a page of his own for each owner, and what he did there"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.migrations import index, wall

revision: str = '0019'
down_revision: str | None = '0018'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.add_column('requests', sa.Column('link_sealed', sa.String(), nullable=True), if_not_exists=True)
    op.add_column('requests', sa.Column('link_hash', sa.String(), nullable=True), if_not_exists=True)
    index('ix_requests_link_hash', 'requests', ['link_hash'], unique=True)
    op.create_table('owner_acts',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('request_id', sa.Uuid(), nullable=False),
    sa.Column('site_id', sa.Uuid(), nullable=False),
    sa.Column('act', sa.String(), nullable=False),
    sa.Column('round', sa.BigInteger(), nullable=False),
    sa.Column('visit_from', sa.DateTime(timezone=True), nullable=True),
    sa.Column('visit_to', sa.DateTime(timezone=True), nullable=True),
    sa.Column('stars', sa.BigInteger(), nullable=True),
    sa.Column('words', sa.String(), nullable=True),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("(act = 'rate') = (stars IS NOT NULL) AND stars BETWEEN 1 AND 5", name=op.f('ck_owner_acts_one_to_five')),
    sa.ForeignKeyConstraint(['request_id'], ['requests.id'], name=op.f('fk_owner_acts_request_id')),
    sa.ForeignKeyConstraint(['site_id'], ['sites.id'], name=op.f('fk_owner_acts_site_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_owner_acts')),
    comment='append-only'
    )
    op.create_index('ix_owner_acts_request_id', 'owner_acts', ['request_id'], unique=False)
    op.create_index('uq_owner_acts_rated_once', 'owner_acts', ['request_id', 'round'], unique=True, postgresql_where=sa.text("act = 'rate'"))
    wall('owner_acts')
    op.execute("""
        CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON owner_acts
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER append_only_but_erasing BEFORE UPDATE ON owner_acts
        FOR EACH ROW EXECUTE FUNCTION refuse_change_but_erasing('words')
    """)
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
            UPDATE owner_acts SET words = erased WHERE request_id = ANY(ids) AND words IS NOT NULL;
        $$
    """)
