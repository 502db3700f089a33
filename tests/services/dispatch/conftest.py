"""The engineering department of site BK."""

import warnings
from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from tests.services.dispatch.crew import Crew, hire

with warnings.catch_warnings():  # starlette wants httpx2, which is not among our dependencies
    warnings.simplefilter("ignore")
    import fastapi.testclient  # noqa: F401  # later imports find it loaded and do not warn


@pytest.fixture
def crew(session_of: Callable[[str], Session]) -> Crew:
    return hire(session_of("dispatch"))
