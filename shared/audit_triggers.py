"""What `bianmin prepare` puts into a schema so that every change is in its audit log (see shared/audit.py)."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from shared.ids import NO_SITE

NOT_AUDITED = frozenset(
    {
        *("inbox", "outbox", "unreadable", "idempotency_keys"),  # the bus keeps its own record of each message
        *("workers", "tick_runs"),  # nobody's act: each process says that it is there
        *(
            "journals",
            "journal_lines",
            "ledger_chain",
            "balances",
            "unsealed_journals",
        ),  # the ledger is append-only and chained itself
        *("audit_log", "paper_counts", "alembic_version"),
    }
)
"""Tables whose changes say nothing that is not kept elsewhere."""

PERSONAL = frozenset(
    {
        *("owner_name", "address", "address_key", "phone_sealed", "phone_hash", "description", "words"),
        *("link_sealed", "link_hash"),
        *("signature_sealed", "signer_name", "witness_name", "note", "changed", "materials_note"),
        *("content", "facts_hash"),  # a picture, a paper, and what stands on it
        *(
            "token_hash",
            "secret_sealed",
            "old_secret_sealed",
            "password_hash",
            "totp_secret_sealed",
            "code_hash",
            "id_hash",
        ),
    }
)
"""Columns of which the log says that they changed, and never what they held: it cannot be erased."""


TEXT = """
    CAST(jsonb_build_array(id, at AT TIME ZONE 'UTC', recorded_at AT TIME ZONE 'UTC', actor_id, cause, address, trace,
                           login, table_name, row_key, operation, site_id, before, after)
         || CASE WHEN behalf_of IS NULL AND policies IS NULL THEN '[]'
                 ELSE jsonb_build_array(behalf_of, policies) END AS text)
"""
"""SQL: an entry in one canonical text, whatever the settings of the session.

An entry that says neither for whom nor by which policy reads as all did before there were the two, so that what was
sealed then is still what it was; of fourteen parts or of sixteen, no two entries have the same text.
"""

NOTE_POLICY = """
    CREATE OR REPLACE FUNCTION installation.note_policy(site uuid, policy text, version uuid) RETURNS text
    LANGUAGE sql VOLATILE
    RETURN (
        SELECT set_config('app.policies', CAST(CASE WHEN of_site ? said THEN noted
            ELSE noted || jsonb_build_object(site, of_site || to_jsonb(said)) END AS text), true)
        FROM (SELECT CAST(coalesce(nullif(current_setting('app.policies', true), ''), '{}') AS jsonb)) n (noted),
            LATERAL (SELECT coalesce(noted -> CAST(site AS text), '[]'),
                            policy || '@' || coalesce(CAST(version AS text), 'default')) s (of_site, said)
    )
"""
"""SQL: this transaction asked the policy of a site, and this row of it was in force (NULL: the default)."""

_NOTE_CHANGE = """
    CREATE OR REPLACE FUNCTION {service}.note_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = {service}, installation, pg_temp SET app.sites = '*' AS $$
    DECLARE
        said jsonb := coalesce(nullif(current_setting('app.audit', true), ''), '{{}}');
        asked jsonb := nullif(current_setting('app.policies', true), '');
        by_policies jsonb;
        whole jsonb;
        before jsonb;
        after jsonb;
    BEGIN
        IF TG_OP = 'INSERT' THEN
            whole := to_jsonb(NEW);
            after := jsonb_strip_nulls(whole);
        ELSIF TG_OP = 'DELETE' THEN
            whole := to_jsonb(OLD);
            before := jsonb_strip_nulls(whole);
        ELSE
            whole := to_jsonb(NEW);
            SELECT jsonb_object_agg(o.key, o.value), jsonb_object_agg(n.key, n.value) INTO before, after
            FROM jsonb_each(to_jsonb(OLD)) o JOIN jsonb_each(whole) n ON n.key = o.key AND n.value <> o.value;
            IF after IS NULL THEN
                RETURN NULL;
            END IF;
        END IF;
        -- not within the INSERT, which would then be planned anew for each row
        IF asked IS NOT NULL AND whole ->> 'site_id' IS NOT NULL THEN
            by_policies := nullif(coalesce(asked -> (whole ->> 'site_id'), '[]')
                                  || coalesce(asked -> '{no_site}', '[]'), '[]');
        ELSIF asked IS NOT NULL THEN
            SELECT jsonb_agg(DISTINCT policy) INTO by_policies
            FROM jsonb_each(asked) s (site, policies), jsonb_array_elements(s.policies) p (policy);
        END IF;
        INSERT INTO audit_log (at, recorded_at, actor_id, cause, address, trace, login, table_name, row_key, operation,
                               site_id, before, after, behalf_of, policies)
        VALUES (clock_now(), clock_timestamp(), CAST(said ->> 'actor' AS uuid), coalesce(said ->> 'cause', 'by hand'),
                said ->> 'address', said ->> 'trace', session_user, TG_TABLE_NAME,
                (SELECT string_agg(whole ->> key, ' ' ORDER BY n)
                 FROM unnest(CAST(TG_ARGV[0] AS text[])) WITH ORDINALITY AS k (key, n)),
                lower(TG_OP), CAST(whole ->> 'site_id' AS uuid),
                without(before, CAST(TG_ARGV[1] AS text[])), without(after, CAST(TG_ARGV[1] AS text[])),
                CAST(said ->> 'behalf_of' AS uuid),
                by_policies);
        PERFORM pg_notify('changed_{service}', coalesce(whole ->> 'site_id', ''));  -- whoever looks (ui/live.py)
        RETURN NULL;
    END
    $$
"""

_WITHOUT = """
    CREATE OR REPLACE FUNCTION {service}.without(facts jsonb, personal text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE
    RETURN facts || coalesce((
        SELECT jsonb_object_agg(key, '…') FROM unnest(personal) AS p (key) WHERE facts ->> key IS NOT NULL
    ), '{{}}')
"""

_SEAL = """
    CREATE OR REPLACE FUNCTION {service}.seal_audit_log(most integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = {service}, installation, pg_temp SET app.sites = '*' AS $$
    DECLARE
        head bigint;
        previous text;
        entry record;
        sealed integer := 0;
    BEGIN
        IF NOT EXISTS (SELECT FROM audit_log WHERE place IS NULL)
           OR NOT pg_try_advisory_xact_lock(hashtextextended('{service}.audit_log', 0)) THEN
            RETURN 0;  -- another does it
        END IF;
        SELECT place, hash INTO head, previous FROM audit_log WHERE place IS NOT NULL ORDER BY place DESC LIMIT 1;
        FOR entry IN SELECT id, {text} AS canonical FROM audit_log WHERE place IS NULL ORDER BY id LIMIT most LOOP
            head := coalesce(head, 0) + 1;
            previous := encode(sha256(convert_to(
                head || ':' || coalesce(previous, '') || ':' || entry.canonical, 'UTF8')), 'hex');
            UPDATE audit_log SET place = head, hash = previous WHERE id = entry.id;
            sealed := sealed + 1;
        END LOOP;
        RETURN sealed;
    END
    $$
"""

_GUARD = """
    CREATE OR REPLACE FUNCTION {service}.guard_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF OLD.place IS NULL AND NEW.place IS NOT NULL
               AND to_jsonb(NEW) - 'place' - 'hash' = to_jsonb(OLD) - 'place' - 'hash' THEN
                RETURN NEW;  -- it is sealed
            END IF;
        END IF;
        RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation';
    END
    $$
"""

_TABLES = text("""
    SELECT c.relname AS name, (
        SELECT array_agg(a.attname ORDER BY array_position(i.indkey, a.attnum)) FROM pg_index i
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey)
        WHERE i.indrelid = c.oid AND i.indisprimary
    ) AS key, (
        SELECT array_agg(attname ORDER BY attname) FROM pg_attribute
        WHERE attrelid = c.oid AND attnum > 0 AND attname = ANY(CAST(:personal AS text[]))
    ) AS personal, (
        SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'audited'
    ) AS definition, (
        SELECT count(*) = 2 FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname IN ('append_only', 'never_emptied')
    ) AS guarded
    FROM pg_class c WHERE c.relnamespace = CAST(:service AS regnamespace) AND c.relkind = 'r'
""")


def audit(connection: Connection, service: str) -> None:
    """Let every table of a service, those that came with its newest migration too, write its changes into the log.

    A trigger that is there already is left alone: to make it anew would hold up whoever writes there.
    """
    for function in (_WITHOUT, _NOTE_CHANGE, _SEAL, _GUARD):
        connection.exec_driver_sql(function.format(service=service, text=TEXT, no_site=NO_SITE))
    tables = connection.execute(_TABLES, {"service": service, "personal": sorted(PERSONAL)}).all()
    for table in tables:
        if table.name == "audit_log" and not table.guarded:
            guard = f"EXECUTE FUNCTION {service}.guard_audit_log()"
            _trigger(connection, f"{service}.audit_log", "append_only BEFORE UPDATE OR DELETE", f"ROW {guard}")
            _trigger(connection, f"{service}.audit_log", "never_emptied BEFORE TRUNCATE", f"STATEMENT {guard}")
        if table.name in NOT_AUDITED:
            continue
        told = f"note_change({_array(table.key)}, {_array(table.personal or [])})"
        if not (table.definition or "").endswith(told):
            does = f"ROW EXECUTE FUNCTION {service}.{told}"
            _trigger(connection, f"{service}.{table.name}", "audited AFTER INSERT OR UPDATE OR DELETE", does)


def _trigger(connection: Connection, table: str, when: str, does: str) -> None:
    connection.exec_driver_sql(f"CREATE OR REPLACE TRIGGER {when} ON {table} FOR EACH {does}")


def _array(names: Sequence[str]) -> str:
    return "'{" + ",".join(names) + "}'"
