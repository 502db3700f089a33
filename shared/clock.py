"""The one place that reads the clock: the database's, or the simulated one of a simulation.

Business time is never the host's: `clock_now()` in PostgreSQL answers for every process alike. An
installation created as a simulation has a clock that stands still until it is moved (and may be let run);
any other refuses to be moved.
"""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

CHANNEL = "clock_moved"
"""PostgreSQL NOTIFY channel: every worker hears at once that the simulated clock moved."""

SCHEMA = """
CREATE TABLE installation.clock (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    simulated boolean NOT NULL,
    simulated_at timestamptz,
    set_at timestamptz,
    running boolean NOT NULL DEFAULT false,
    CHECK (simulated = (simulated_at IS NOT NULL))
);
CREATE FUNCTION installation.clock_now() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN NOT simulated THEN clock_timestamp()
                WHEN running THEN simulated_at + (clock_timestamp() - set_at)
                ELSE simulated_at END
    FROM installation.clock
$$;
CREATE FUNCTION installation.clock_set(moment timestamptz, run boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (SELECT simulated FROM installation.clock) THEN
        RAISE EXCEPTION 'the clock of a real installation cannot be set; create a simulation instead';
    END IF;
    IF moment < installation.clock_now() THEN
        RAISE EXCEPTION 'the clock only moves forward: it is % already', installation.clock_now();
    END IF;
    UPDATE installation.clock SET simulated_at = moment, set_at = clock_timestamp(), running = run;
    PERFORM pg_notify('clock_moved', '');
END
$$;
"""


def now(session: Session) -> datetime:
    """The moment it is, UTC, as all processes of the installation see it."""
    moment: datetime = session.execute(text("SELECT clock_now()")).scalar_one()
    return moment


def is_simulated(session: Session) -> bool:
    """Whether this installation is a simulation, which nobody's money is in."""
    simulated: bool = session.execute(text("SELECT simulated FROM installation.clock")).scalar_one()
    return simulated


def move(session: Session, to: datetime, *, running: bool = False) -> None:
    """Move the simulated clock forward; raises a database error on a real installation."""
    session.execute(text("SELECT installation.clock_set(:to, :run)"), {"to": to, "run": running})
