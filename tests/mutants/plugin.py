"""A plugin of pytest: the tests of this run are run without the guard BIANMIN_MUTANT names."""

import os
from contextlib import ExitStack
from typing import Any

from sqlalchemy import NullPool, create_engine, text

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
        with create_engine(url, poolclass=NullPool).begin() as connection:
            connection.execute(text(mutant.begin))

    shared.installation.prepare = prepare_without


_without_guard(named(os.environ["BIANMIN_MUTANT"]))
