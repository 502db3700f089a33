"""The commands for data keys and for one owner's data [D26]."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

import bianmin.privacy
from bianmin.address import Address
from bianmin.cli import app
from bianmin.client import Person
from shared.db import SERVICES
from tests.bad_input.house import House, web_of
from tests.bad_input.of_intake_desk import noticed, recorded

RUN = CliRunner()


def test_keys_are_made_once_and_rotated(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    assert RUN.invoke(app, ["data-key", "new", str(keys)]).exit_code == 0
    before = keys.read_text()
    again = RUN.invoke(app, ["data-key", "new", str(keys)])
    assert isinstance(again.exception, FileExistsError)
    assert keys.read_text() == before
    assert "key 2 seals from now on" in RUN.invoke(app, ["data-key", "rotate", str(keys)]).output
    assert keys.read_text().startswith(before)


class Telephone:
    """The client of the command, answered by the services in this process instead of over a port."""

    def __init__(self, houses: dict[str, House]) -> None:
        self.houses = houses

    def __enter__(self) -> "Telephone":
        return self

    def __exit__(self, *_: object) -> None:
        """The houses are closed by who opened them."""

    def post(self, person: Person, path: str, **body: Any) -> Any:
        _, service, rest = path.split("/", 2)
        return self.houses[service].did(person.token, rest.removeprefix("api"), body)


@pytest.fixture
def houses(installation: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, House]]:
    """The four services, which the command reaches."""
    with ExitStack() as stack:
        opened = {service: House(service, stack.enter_context(TestClient(web_of(service)))) for service in SERVICES}
        Address("http://127.0.0.1:1", "", "", "", os.getpid()).write(tmp_path)
        monkeypatch.setattr(bianmin.privacy, "Client", lambda _: Telephone(opened))
        yield opened


def person(act: str, *arguments: str, data: Path, phone: str = "13800138000") -> Any:
    words = ["--phone", phone, "--reason", "业主要求", "--token", "administrator", "--data", str(data)]
    return RUN.invoke(app, ["person", act, *arguments, *words])


def test_one_owners_data_is_taken_out_into_a_file_for_its_owner_alone_and_erased(
    houses: dict[str, House], tmp_path: Path
) -> None:
    desk = houses["intake"]
    made = noticed(desk)
    out = tmp_path / "owner.json"
    done = person("export", str(out), data=tmp_path)
    assert done.exit_code == 0, done.output
    held = json.loads(out.read_text())
    assert [(one["id"], one["phone"]) for one in held["intake"]] == [(str(made), "13800138000")]
    assert set(held) == set(SERVICES)
    assert (held["dispatch"], out.stat().st_mode & 0o777) == ([], 0o600)
    assert person("export", str(out), data=tmp_path).exit_code == 2
    desk.did("clerk", f"/requests/{made}/cancel", {"reason": "业主不需要了"})
    erased = person("erase", data=tmp_path)
    assert (erased.exit_code, erased.output) == (0, "1 requests erased\n")
    assert person("erase", data=tmp_path).exit_code == 2  # nothing is held any more
    assert desk.get("clerk", f"/requests/{made}").json()["owner_name"] == "已删除"
    acts = desk.get("auditor", "/privacy/acts").json()["items"]
    assert [act["act"] for act in acts] == ["export", "erase"]


def test_an_owner_with_an_open_request_is_not_erased(houses: dict[str, House], tmp_path: Path) -> None:
    made = recorded(houses["intake"])
    with pytest.raises(AssertionError, match="requests_open"):
        raise person("erase", data=tmp_path).exception
    assert houses["intake"].get("clerk", f"/requests/{made}").json()["owner_name"] == "欧阳建国"
