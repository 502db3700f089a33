"""Walls between sites in the database itself: row-level security on every table that holds what is of a site.

Whatever a query forgets, a transaction sees and writes rows of the sites it acts for and of no other [R6]. Which these
are is said by the setting `app.sites`, for one transaction: ids with commas between them, or '*' for every site. Who
has said nothing sees nothing. A request acts for the sites of the person asking (`shared/people.py` says so in the
statement that finds out who he is); workers and the verifier act for every site (`shared/db.py`).

A rule that counts across sites whoever asks, as how often a person offended before, goes through a door:
`with across_sites(session)`. There are few; tests/walls/test_doors.py lists them all.

Not walled are people (who asks is found among them), the bus with its workers and the answers kept for a key (each
row is one message's, process's or person's), counts of papers, the chain of the ledger (one for all sites, and nothing
but hashes), the price book, and what is of a person and no site: posts, wages, certificates, his days.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.db import EVERY_SITE, SITES

FUNCTIONS = """
    CREATE OR REPLACE FUNCTION installation.acts_everywhere() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(current_setting('app.sites', true) = '*', false);
    CREATE OR REPLACE FUNCTION installation.acting_sites() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN string_to_array(nullif(nullif(current_setting('app.sites', true), '*'), ''), ',')::uuid[];
"""
"""What the policies of `shared/migrations.py` ask, once for each statement and not for each row."""

_SET = text("SELECT set_config('app.sites', :sites, true)")


def act_as(session: Session, asked: Session) -> None:
    """One more transaction of a request, begun without asking who it is, acts for the sites of the first."""
    _act(session, asked.info[SITES])


def act_at(session: Session, site_id: UUID) -> None:
    """What is left of the transaction of somebody who is of no site acts for this one alone."""
    _act(session, str(site_id))


def act_everywhere(session: Session) -> None:
    """A door that stays open: what is left of the transaction is about one thing, which may be at another site."""
    _act(session, EVERY_SITE)


@contextmanager
def across_sites(session: Session) -> Iterator[None]:
    """Within the block the transaction acts for every site: a door, where a rule needs what no wall may hide.

    What is changed before and after is written behind the wall. A block that raises ends the transaction, which keeps
    the door open until then.
    """
    sites = session.info.get(SITES)
    if sites != EVERY_SITE:
        _act(session, EVERY_SITE)
    yield
    if sites != EVERY_SITE:
        _act(session, sites)


def _act(session: Session, sites: str | None) -> None:
    session.flush()
    session.execute(_SET, {"sites": sites})
    session.info[SITES] = sites
