"""what is written of damage is erased with the rest"""

from collections.abc import Sequence

from alembic import op

revision: str = '0014'
down_revision: str | None = '0013'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.execute("""
        CREATE OR REPLACE FUNCTION erase_append_only(ids uuid[], erased text) RETURNS void LANGUAGE sql SECURITY DEFINER
        SET search_path FROM CURRENT AS $$
            UPDATE signatures s SET signature_sealed = NULL, signer_name = erased,
                witness_name = CASE WHEN witness_name IS NOT NULL THEN erased END
            FROM work_orders o WHERE o.id = s.work_order_id AND o.request_id = ANY(ids);
            UPDATE tellings t SET note = erased
            FROM work_orders o WHERE o.id = t.work_order_id AND o.request_id = ANY(ids);
            UPDATE damages d SET description = erased
            FROM work_orders o WHERE o.id = d.work_order_id AND o.request_id = ANY(ids);
        $$
    """)
    op.execute("""
        DROP TRIGGER append_only ON damages;
        CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON damages
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER append_only_but_erasing BEFORE UPDATE ON damages
        FOR EACH ROW EXECUTE FUNCTION refuse_change_but_erasing('description')
    """)
