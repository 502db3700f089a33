"""The token of a page's forms looks another each time and is the same (promise 21)."""

import pytest
from starlette.requests import Request

from shared.csrf import CrossSite, check_own_page, csrf_token, masked

TOKEN = csrf_token("a session")


def request(shown: str) -> Request:
    headers = {
        "host": "a.example",
        "origin": "https://a.example",
        "sec-fetch-site": "same-origin",
        "x-csrf-token": shown,
    }
    coded = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": coded})


def test_a_masked_token_is_taken_and_no_two_are_alike() -> None:
    shown = {masked(TOKEN) for _ in range(50)}
    assert len(shown) == 50
    for one in (TOKEN, *shown):
        check_own_page(request(one), "a session")


@pytest.mark.parametrize(
    "wrong", ["", "zz", TOKEN[:-1], TOKEN[:-1] + "g", masked(csrf_token("another")), masked(TOKEN) + "00", "0" * 128]
)
def test_any_other_is_refused(wrong: str) -> None:
    with pytest.raises(CrossSite):
        check_own_page(request(wrong), "a session")
