"""What could be guessed is no secret: every process refuses it, but in a simulation (ASVS 6.3.2, 13.2.3)."""

import os
import secrets
import subprocess
import sys
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, text

from shared import startup
from shared.db import database, own_login
from shared.safety import broker_password, database_password, weak_secret
from shared.settings import Settings
from shared.startup import REFUSED

STRONG = "5f2c9b17e0d84a63b1c75d02fa983e46"
OTHER = "c04e7a91d35b68f20c9ae1b7d6435f88"
SOCKET = "postgresql+psycopg://bianmin@/bianmin?host=/run/postgresql"
BROKER_SOCKET = "redis+socket:///run/broker.sock"


@pytest.mark.parametrize("number", range(200))
def test_128_random_bits_are_strong_however_they_are_written(number: int) -> None:
    bits = secrets.token_bytes(16)
    for written in (bits.hex(), urlsafe_b64encode(bits).decode().rstrip("=")):
        assert weak_secret({"ONE": written}) is None, written


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("", "is empty"),
        ("password", "is too short"),
        (STRONG[:21], "is too short"),
        ("correcthorsePASSWORDbatterystaple", "has a word in it"),
        ("changeme-changeme-changeme", "has a word in it"),
        ("postgres0postgres1postgres2", "has a word in it"),
        ("12345678901234567890abcd", "has a word in it"),
        ("the-secret-of-our-house-42", "has a word in it"),
        ("a" * 40, "repeats itself"),
        ("abababababababababababab", "repeats itself"),
        ("wq8Zr4Tk9wq8Zr4Tk9wq8Zr4Tk9", "repeats itself"),
    ],
)
def test_what_could_be_guessed_is_refused_and_the_sentence_says_what_is_allowed(secret: str, why: str) -> None:
    said = weak_secret({"STRONG": STRONG, "WEAK": secret})
    assert said is not None
    assert said.startswith(f"WEAK {why}")
    assert "22 random characters or more" in said
    assert not secret or secret not in said


def test_a_secret_belongs_to_one_alone() -> None:
    assert weak_secret({"A": STRONG, "B": OTHER}) is None
    assert (weak_secret({"A": STRONG, "B": STRONG}) or "").startswith("B is the same as A")


def test_a_socket_needs_no_password_and_a_certificate_is_one() -> None:
    away = "postgresql+psycopg://bianmin:x@db.example/bianmin"
    assert database_password(make_url(SOCKET)) is None
    assert database_password(make_url(f"{away}?sslcert=/me.pem&sslkey=/me.key")) is None
    assert database_password(make_url(away)) == "x"
    assert database_password(make_url("postgresql+psycopg://bianmin@localhost/bianmin")) == ""
    assert broker_password(BROKER_SOCKET) is None
    assert broker_password("rediss://hr:p%40ss@broker.example/0") == "p@ss"
    assert broker_password("redis://localhost/0") == ""


def unsafe(monkeypatch: pytest.MonkeyPatch, *, host: str = "localhost", **settings: object) -> str | None:
    """What a process of finance would say, whose servers are reached by TCP with strong passwords unless told so."""
    usual = {
        "database_url": f"postgresql+psycopg://{host}/bianmin",
        "broker_url": f"redis://finance:{OTHER}@localhost:6379/0",
        "finance_database_password": SecretStr(STRONG),
    }
    said = Settings(**(usual | settings))  # type: ignore[arg-type]
    monkeypatch.setattr(startup, "settings", lambda: said)
    monkeypatch.setattr("shared.db.settings", lambda: said)
    return startup.unsafe(own_login("finance"))


def test_a_process_refuses_each_of_its_secrets_that_is_weak(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unsafe(monkeypatch) is None
    weak = SecretStr("changeme")
    for changed, name in (
        ({"finance_database_password": SecretStr("")}, "the database password of bianmin_finance is empty"),
        ({"finance_database_password": weak}, "the database password of bianmin_finance is too short"),
        ({"verifier_database_password": weak}, "BIANMIN_VERIFIER_DATABASE_PASSWORD is too short"),
        ({"verifier_database_password": SecretStr(STRONG)}, "BIANMIN_VERIFIER_DATABASE_PASSWORD is the same as"),
        ({"broker_url": "redis://localhost:6379/0"}, "the password in BIANMIN_BROKER_URL is empty"),
        ({"broker_url": "redis://finance:x@localhost/0"}, "the password in BIANMIN_BROKER_URL is too short"),
        ({"broker_url": f"redis://finance:{STRONG}@localhost/0"}, "the password in BIANMIN_BROKER_URL is the same as"),
        ({"founder_secret": weak}, "BIANMIN_FOUNDER_SECRET is too short"),
        ({"founder_secret": SecretStr("")}, None),
    ):
        said = unsafe(monkeypatch, **changed)
        assert (said or "").startswith(name or ""), (changed, said)
        assert (said is None) == (name is None), (changed, said)
    assert unsafe(monkeypatch, allow_weak_secrets=True, founder_secret=weak) is None


@pytest.mark.parametrize("which", ["data-keys", "private/key.json"])
def test_a_file_of_keys_that_everybody_may_read_is_refused(
    which: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "private").mkdir()
    for name in ("data-keys", "private/key.json"):
        (tmp_path / name).touch(mode=0o640)
    files = {"data_keys": tmp_path / "data-keys", "session_keys": tmp_path}
    assert unsafe(monkeypatch, **files) is None
    (tmp_path / which).chmod(0o644)
    assert (unsafe(monkeypatch, **files) or "").startswith(f"{tmp_path / which} can be read by everybody")


def test_an_installation_whose_database_is_behind_a_socket_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    sockets = {"database_url": SOCKET, "broker_url": BROKER_SOCKET, "finance_database_password": SecretStr("")}
    assert unsafe(monkeypatch, **sockets) is None


def test_weak_secrets_may_be_allowed_in_a_simulation_and_nowhere_else(
    installation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Settings(database_url=installation, broker_url=BROKER_SOCKET, allow_weak_secrets=True)
    monkeypatch.setattr(startup, "settings", lambda: said)
    with database("finance").session() as session:
        assert startup.database_fault(session) is None
    owner = create_engine(installation)
    try:
        with owner.begin() as connection:
            connection.execute(text("UPDATE installation.clock SET simulated = false, simulated_at = NULL"))
        with database("finance").session() as session:
            assert "is for simulations" in (startup.database_fault(session) or "")
    finally:
        with owner.begin() as connection:
            connection.execute(text("UPDATE installation.clock SET simulated = true, simulated_at = set_at"))
        owner.dispose()


@pytest.mark.parametrize(
    "argv",
    [
        ["-m", "bianmin", "prepare"],
        ["-m", "bianmin", "up", "--port", "0"],
        ["-m", "bianmin.worker", "finance"],
        ["-m", "uvicorn", "services.finance.main:web", "--port", "0"],
    ],
    ids=lambda argv: argv[2] if argv[1] == "bianmin" else argv[1],
)
def test_every_process_refuses_a_weak_secret_with_one_sentence(argv: list[str], tmp_path: Path) -> None:
    environment = {
        "BIANMIN_DATABASE_URL": "postgresql+psycopg://bianmin:changeme@localhost/bianmin",
        "BIANMIN_BROKER_URL": f"redis://finance:{OTHER}@localhost:1/0",
        "BIANMIN_FINANCE_DATABASE_PASSWORD": "changeme",
        "BIANMIN_DATA": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, *argv],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=600,
        check=False,
    )
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == REFUSED, said
    assert "is too short: it must have 22 random characters or more" in said
    assert "Traceback" not in said
    assert "changeme" not in said
