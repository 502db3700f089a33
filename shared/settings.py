"""Settings of an installation, read from the environment (prefix BIANMIN_)."""

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, IPvAnyNetwork, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.sign_on_settings import Provider, named_well


def _listed(words: object) -> object:
    """'10.0.0.0/8, ::1' as a list."""
    return [word.strip() for word in words.split(",") if word.strip()] if isinstance(words, str) else words


class Settings(BaseSettings):
    """Everything that differs between two installations; each is one environment variable.

    Or a file of the variable's name in /run/secrets, as containers are given what must not stand in an environment.
    """

    model_config = SettingsConfigDict(
        env_prefix="BIANMIN_",
        extra="ignore",
        hide_input_in_errors=True,
        secrets_dir=[folder for folder in ("/run/secrets",) if Path(folder).is_dir()],
    )

    database_url: str
    """PostgreSQL, as postgresql+psycopg://user:password@host/name?sslmode=verify-full&sslrootcert=FILE.

    `shared/db.py` says which user a process is.
    """
    broker_url: str
    """Redis or Valkey, as rediss://host:port/0?ssl_cert_reqs=required&ssl_ca_certs=FILE or redis+socket:///path.

    Or RabbitMQ, as amqps://host:port/bianmin?ssl_cert_reqs=required&ssl_ca_certs=FILE.
    """
    allow_plaintext: bool = False
    """Whether database and broker may be on another machine without TLS (shared/safety.py)."""
    allow_weak_secrets: bool = False
    """Whether secrets may be empty or easy to guess (shared/safety.py); no process works so but in a simulation."""
    keys: Path = Path(".data/keys")
    """The folder of the keys messages are signed with (shared/bus/keys.py); workers alone need it."""
    founder_secret: SecretStr = SecretStr("")
    """Who knows it may found the company, once (see hr); empty means nobody."""
    session_keys: Path | None = None
    """The folder of the keys of sessions: public/ for all, private/ for hr alone; without it nobody signs in."""
    data_keys: Path | None = None
    """The file of the keys that seal what is personal or secret (shared/sealing.py)."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    web_pool: int = 8
    """Database connections of one web process, for each service in it."""
    worker_threads: int = 4
    """Messages one worker handles at a time."""
    task_events: bool = False
    """Whether workers tell of each task as it goes, its name and times alone, for Flower (docs/watching.md)."""
    progress_file: Path | None = None
    """A worker touches it as long as it makes progress, for whoever is to restart one that hangs."""
    metrics_port: int | None = None
    """A process tells its own figures to Prometheus on this port (shared/measures.py); without one, on none."""
    metrics_host: str = "127.0.0.1"
    """The address it listens on for that; in a container 0.0.0.0, where only the inner network reaches it."""
    webhook_allow_private: bool = False
    """Whether webhooks may go to the company's own network, and without TLS to this very machine."""
    rate_person: str = "30000/minute"
    """How many requests one person may make, to all services together; a moving window, as `limits` writes it."""
    rate_address: str = "3000/minute"
    """How many requests that are not known to be a person's may come from one address."""
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_listed)] = ()
    """Networks, by commas, whose word (X-Forwarded-For) is taken for where a request came from; none by default."""
    sign_on: Annotated[dict[str, Provider], AfterValidator(named_well)] = {}
    """Where people may sign in besides here (shared/sign_on_settings.py), by name, as JSON; nowhere by default."""
    public_url: str = ""
    """Where people reach this installation, as https://bianmin.example.cn; the codes on papers lead there."""
    letterhead: str = ""
    """The company's name at the head of its papers; without one they have the site's alone."""
    font_dir: Path | None = None
    """The folder of the fonts of papers; without it those of the packages installed."""
    describe_publicly: bool = False
    """Whether the one port of all services answers /openapi.json and /ops/metrics to whoever asks."""
    intake_database_password: SecretStr = SecretStr("")
    """With this `bianmin prepare` lets intake log in, and a process whose URL is another user's logs in as intake."""
    dispatch_database_password: SecretStr = SecretStr("")
    finance_database_password: SecretStr = SecretStr("")
    hr_database_password: SecretStr = SecretStr("")
    verifier_database_password: SecretStr = SecretStr("")

    def database_password(self, login: str) -> str:
        """The password of a service, or of the verifier, in the database; empty where none is asked for."""
        password: SecretStr = getattr(self, f"{login}_database_password")
        return password.get_secret_value()


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()  # type: ignore[call-arg]  # the two URLs come from the environment
