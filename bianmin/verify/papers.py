"""Papers: every series of numbers is without gaps and without doubles."""

from bianmin.verify.invariant import Invariant


def _numbered(code: int, name: str, must: str, schema: str, *tables: str) -> Invariant:
    """Papers of a schema: of each series 1, 2, … as many as its count says."""
    numbers = " UNION ALL ".join(f"SELECT number FROM {schema}.{table}" for table in tables)  # noqa: S608  # our own SQL
    return Invariant(
        code,
        name,
        must,
        f"""
            SELECT format('series %s: %s papers numbered %s to %s, and %s counted', series, n.papers, n.first, n.last,
                          c.count)
            FROM (
                SELECT substring(number from '^(.*)-') AS series, count(*) AS papers,
                       count(DISTINCT number) AS different,
                       min(CAST(substring(number from '[0-9]+$') AS int)) AS first,
                       max(CAST(substring(number from '[0-9]+$') AS int)) AS last
                FROM ({numbers}) papers GROUP BY 1
            ) n
            FULL JOIN {schema}.paper_counts c USING (series)
            WHERE (n.papers, n.different, n.first, n.last) IS DISTINCT FROM (c.count, c.count, 1, c.count)
        """,  # noqa: S608  # our own SQL
    )


INVARIANTS = [
    _numbered(
        90,
        "forms_are_numbered",
        "registration forms and notices are numbered without gaps, by site and day [R13, R24]",
        "intake",
        "requests",
        "notices",
    ),
    _numbered(91, "cases_are_numbered", "cases are numbered without gaps, by site and year [R78]", "hr", "cases"),
    Invariant(
        92,
        "receipt_books_are_complete",
        "each number of each receipt book is one receipt, and books follow each other without gaps [R34, R35]",
        """
            SELECT format('book %s of site %s, %s to %s: %s numbers from %s to %s', b.id, b.site_id, b.first, b.last,
                          r.receipts, r.first, r.last)
            FROM (
                SELECT id, site_id, first, last,
                       lag(last, 1, 0::bigint) OVER (PARTITION BY site_id ORDER BY first) AS before
                FROM finance.receipt_books
            ) b
            LEFT JOIN (
                SELECT book_id, count(DISTINCT number) AS receipts,
                       min(CAST(substring(number from '[0-9]+$') AS int)) AS first,
                       max(CAST(substring(number from '[0-9]+$') AS int)) AS last
                FROM finance.receipts GROUP BY 1
            ) r ON r.book_id = b.id
            WHERE b.first <> b.before + 1
               OR (r.receipts, r.first, r.last) IS DISTINCT FROM (b.last - b.first + 1, b.first, b.last)
        """,
    ),
    Invariant(
        93,
        "price_versions_are_numbered",
        "versions of the price book are numbered without gaps [R55]",
        """
            SELECT format('versions are numbered %s to %s, and there are %s', min(number), max(number), count(*))
            FROM finance.price_versions HAVING count(*) > 0 AND (min(number) <> 1 OR max(number) <> count(*))
        """,
    ),
]
