"""Settings of an installation, read from the environment (prefix BIANMIN_)."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything that differs between two installations; each is one environment variable."""

    model_config = SettingsConfigDict(env_prefix="BIANMIN_", extra="ignore")

    database_url: str
    """PostgreSQL, as postgresql+psycopg://user:password@host/name."""
    broker_url: str
    """Redis or Valkey, as redis://host:port/0 or redis+socket:///path."""
    keys: Path = Path(".data/keys")
    """The folder of the keys messages are signed with (shared/bus/keys.py); workers alone need it."""
    founder_secret: SecretStr = SecretStr("")
    """Who knows it may found the company, once (see hr); empty means nobody."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    web_pool: int = 8
    """Database connections of one web process, for each service in it."""
    worker_threads: int = 4
    """Messages one worker handles at a time."""
    progress_file: Path | None = None
    """A worker touches it as long as it makes progress, for whoever is to restart one that hangs."""
    webhook_allow_private: bool = False
    """Whether webhooks may go to the company's own network, and without TLS to this very machine."""


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()  # type: ignore[call-arg]  # the two URLs come from the environment
