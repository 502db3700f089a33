"""what is written of damage is erased with the rest"""

from collections.abc import Sequence

from alembic import op

revision: str = '0015'
down_revision: str | None = '0014'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
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
        $$
    """)
    op.execute("""
        DROP TRIGGER append_only ON damages;
        CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON damages
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER append_only_but_erasing BEFORE UPDATE ON damages
        FOR EACH ROW EXECUTE FUNCTION refuse_change_but_erasing('description')
    """)
