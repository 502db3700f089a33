"""The clock of an installation."""

from datetime import timedelta

import pytest
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from shared import clock
from shared.db import WORKER, Database
from shared.installation import WrongInstallation, prepare
from tests.conftest import START


def test_every_service_sees_a_simulated_clock_where_it_was_put(installation: str) -> None:
    later = START + timedelta(hours=1)
    with Session(create_engine(installation, poolclass=NullPool)) as session, session.begin():
        clock.move(session, later)
    for service in ("intake", "dispatch", "finance", "hr"):
        database = Database(service, installation, pool_size=1, limits=WORKER)
        with database.session() as session:
            assert clock.now(session) == later
        database.engine.dispose()


def test_the_clock_only_moves_forward(installation: str) -> None:
    engine = create_engine(installation, poolclass=NullPool)
    with Session(engine) as session, pytest.raises(DatabaseError, match="only moves forward"):
        clock.move(session, START - timedelta(seconds=1))


def test_a_service_may_not_move_the_clock(installation: str) -> None:
    database = Database("intake", installation, pool_size=1, limits=WORKER)
    with pytest.raises(DatabaseError, match="permission denied"), database.session() as session:
        clock.move(session, START + timedelta(hours=1))
    database.engine.dispose()


def test_the_clock_of_a_real_installation_cannot_be_set_and_it_never_becomes_a_simulation(template: str) -> None:
    name = "real_installation"
    owner = create_engine(make_url(template).set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with owner.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = make_url(template).set(database=name).render_as_string(hide_password=False)
    prepare(url)
    engine = create_engine(url, poolclass=NullPool)
    with Session(engine) as session, pytest.raises(DatabaseError, match="cannot be set"):
        clock.move(session, START)
    with pytest.raises(WrongInstallation, match="holds a real installation"):
        prepare(url, simulated_at=START.isoformat())
    with owner.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
