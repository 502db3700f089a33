"""A plugin of pytest: the tests of this run are run without the guard BIANMIN_MUTANT names."""

import os
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

import shared.installation
from tests.mutants.guards import Mutant, named

_gone = ExitStack()


def _without_guard(mutant: Mutant) -> None:
    """For the whole process: it ends with the run."""
    _gone.enter_context(mutant.apply())
    if not mutant.begin:
        return
    prepare = shared.installation.prepare

    def prepare_without(url: str, **facts: Any) -> None:
        prepare(url, **facts)
        try:
            with create_engine(url, poolclass=NullPool).begin() as connection:
                connection.execute(text(mutant.begin))
        except SQLAlchemyError as error:  # else each test would fail, and seem to have noticed
            pytest.exit(f"{mutant.name} cannot be taken away: {error}", returncode=pytest.ExitCode.INTERNAL_ERROR)

    shared.installation.prepare = prepare_without


_without_guard(named(os.environ["BIANMIN_MUTANT"]))
