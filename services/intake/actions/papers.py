"""Numbering papers: per site and day, without gaps, because the count commits with the paper."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.intake.rules.notice import Form, paper_number
from shared.calendar import local
from shared.people import Site

_NEXT = text("""
    INSERT INTO paper_counts (site_id, form, day, count) VALUES (:site_id, :form, :day, :howmany)
    ON CONFLICT (site_id, form, day) DO UPDATE SET count = paper_counts.count + :howmany
    RETURNING count
""")


def next_numbers(session: Session, form: Form, site: Site, *, howmany: int, now: datetime) -> list[str]:
    """The next numbers of a form at a site today; others numbering there wait for our transaction."""
    if howmany == 0:
        return []
    day = local(now, site.zone).date()
    last = session.execute(_NEXT, {"site_id": site.id, "form": form, "day": day, "howmany": howmany}).scalar_one()
    return [
        paper_number(form, site_code=site.code, day=day, count=count) for count in range(last - howmany + 1, last + 1)
    ]
