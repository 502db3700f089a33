"""The audit logs of the four services: complete, in their order, and as they were when they were sealed."""

from bianmin.verify.invariant import Invariant

SERVICES = ("intake", "dispatch", "finance", "hr")


def _of_all(query: str) -> str:
    """A query of one service's log, asked of all four."""
    return " UNION ALL ".join(query.format(service=service) for service in SERVICES)


INVARIANTS = [
    Invariant(
        100,
        "audit_logs_are_whole",
        "each entry of an audit log is the one that was sealed, at its place, and none is missing",
        _of_all("""
            SELECT format('{service}: entry %s at place %s is not what was sealed, or the one before it', id, place)
            FROM (
                SELECT *, lag(hash, 1, '') OVER (ORDER BY place) AS previous
                FROM {service}.audit_log WHERE place IS NOT NULL
            ) l
            WHERE hash IS DISTINCT FROM encode(sha256(convert_to(
                CAST(place AS text) || ':' || previous || ':' || CAST(jsonb_build_array(
                    id, at AT TIME ZONE 'UTC', recorded_at AT TIME ZONE 'UTC', actor_id, cause, address, trace, login,
                    table_name, row_key, operation, site_id, before, after)
                    || CASE WHEN coalesce(to_jsonb(behalf_of), policies) IS NULL THEN '[]'
                            ELSE jsonb_build_array(behalf_of, policies) END AS text), 'UTF8')), 'hex')
            UNION ALL
            SELECT format('{service}: places go from %s to %s, and there are %s', min(place), max(place), count(place))
            FROM {service}.audit_log HAVING min(place) <> 1 OR max(place) <> count(place)
        """),
    ),
    Invariant(
        101,
        "audit_logs_are_sealed",
        "an entry is sealed within a minute",
        _of_all("""
            SELECT format('{service}: entry %s was written at %s, and is not sealed', id, recorded_at)
            FROM {service}.audit_log WHERE place IS NULL AND recorded_at < clock_timestamp() - interval '1 minute'
        """),
    ),
    Invariant(
        102,
        "audit_logs_reach_their_anchors",
        "an audit log has, where the verifier saw its end, the hash he saw: nothing was rewritten or cut off",
        f"""
            SELECT format('%s: place %s, seen at %s: the log %s', a.service, a.place, a.seen_at,
                          CASE WHEN l.place IS NULL THEN 'does not reach it' ELSE 'was rewritten before it' END)
            FROM installation.audit_anchors a
            LEFT JOIN ({_of_all("SELECT '{service}' AS service, place, hash FROM {service}.audit_log")}) l
                USING (service, place)
            WHERE l.hash IS DISTINCT FROM a.hash
        """,  # noqa: S608  # our own SQL
    ),
]

SEE_ENDS = f"""
    INSERT INTO installation.audit_anchors (service, place, hash, seen_at)
    SELECT service, place, hash, clock_timestamp() FROM ({
    _of_all(
        "(SELECT '{service}' AS service, place, hash FROM {service}.audit_log WHERE place IS NOT NULL"
        " ORDER BY place DESC LIMIT 1)"
    )
}) ends
    ON CONFLICT DO NOTHING
"""  # noqa: S608  # our own SQL
"""SQL: the verifier notes where each log ends now, in a table that no service can write."""
