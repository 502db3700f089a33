"""What no process may be run with: a connection that others could read or answer, and a secret they could guess.

Rules alone: each says in one sentence what is wrong and what to do, or None. What stays on this machine, through a Unix
socket or loopback, needs no TLS (ASVS 12.3.1, 12.3.2). Who may open a Unix socket its folder says, so no password is
needed there; everywhere else one of 128 bits is (ASVS 13.2.3, 6.3.2).
"""

from collections.abc import Mapping
from ipaddress import ip_address
from types import MappingProxyType
from urllib.parse import parse_qs, unquote, urlsplit

from sqlalchemy import URL, make_url

SHORTEST = 22
"""Characters a secret has at least: 128 random bits in base64 have as many."""
FEWEST = 8
"""Different characters a secret has at least."""
WELL_KNOWN = (
    *("12345678", "87654321", "abcdefgh", "qwertyui", "admin", "bianmin", "changeme", "changethis", "default"),
    *("example", "founder", "letmein", "passw0rd", "password", "postgres", "redis", "secret", "valkey", "welcome"),
)
"""What guessers try first, and what no random secret holds."""

_ALLOW = "or set BIANMIN_ALLOW_PLAINTEXT=true where the network itself is safe"
_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


def readable_database(url: str, environment: Mapping[str, str] = _NO_VARIABLES) -> str | None:
    """Why a connection to PostgreSQL is not safe from others, or None; `environment` is libpq's, with its defaults."""
    parsed = make_url(url)
    away = [host for host in _hosts(parsed, environment) if not stays_here(host)]
    if not away or parsed.query.get("sslmode") == "verify-full":
        return None
    return (
        f"the database at {away[0]} would be spoken to in plain text, or without proof that it is ours: add"
        f" sslmode=verify-full&sslrootcert=FILE to its URL, {_ALLOW}"
    )


def readable_broker(url: str) -> str | None:
    """Why a connection to the broker is not safe from others, or None."""
    parts = urlsplit(url)
    if parts.scheme in {"redis+socket", "unix"} or stays_here(parts.hostname or ""):
        return None
    said = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    proves = said.get("ssl_cert_reqs") == "required" and said.get("ssl_check_hostname", "true").lower() == "true"
    if parts.scheme in {"rediss", "amqps"} and proves:  # without the first, Celery would believe any certificate
        return None
    tls = "amqps" if parts.scheme.startswith("amqp") else "rediss"
    return (
        f"the broker at {parts.hostname} would be spoken to in plain text, or without proof that it is ours: its URL"
        f" must be {tls}://…?ssl_cert_reqs=required&ssl_ca_certs=FILE, {_ALLOW}"
    )


def weak_secret(secrets: Mapping[str, str]) -> str | None:
    """The first of these secrets, by their names, that somebody could guess or that is another's too, or None."""
    owners: dict[str, str] = {}
    for name, secret in secrets.items():
        why = _weakness(secret)
        if why is None and secret in owners:
            why = f"is the same as {owners[secret]}"
        if why is not None:
            allowed = f"it must have {SHORTEST} random characters or more, of its own"
            return f"{name} {why}: {allowed}; `openssl rand -hex 32` makes one"
        owners[secret] = name
    return None


def _weakness(secret: str) -> str | None:
    if not secret:
        return "is empty"
    if len(secret) < SHORTEST:
        return "is too short"
    if any(word in secret.lower() for word in WELL_KNOWN):
        return "has a word in it that everybody tries"
    if len(set(secret)) < FEWEST or secret in (secret + secret)[1:-1]:
        return "repeats itself"
    return None


def database_password(url: URL) -> str | None:
    """The password a process logs in to the database with; None where it needs none: a socket, or a certificate."""
    if "sslcert" in url.query or all(host == "" or host.startswith(("/", "@")) for host in _hosts(url, {})):
        return None
    return url.password or ""


def broker_password(url: str) -> str | None:
    """The password of an account of the broker; None where it needs none: a socket."""
    parts = urlsplit(url)
    return None if parts.scheme in {"redis+socket", "unix"} else unquote(parts.password or "")


def stays_here(host: str) -> bool:
    """Whether what is sent to a host, or to the socket of that path, never leaves this machine."""
    if host == "" or host.startswith(("/", "@")) or host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _hosts(url: URL, environment: Mapping[str, str]) -> list[str]:
    """Wherever libpq might connect to: names and addresses, of the URL or, where it has none, of the environment."""
    query = {name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()}
    names = ",".join(filter(None, (url.host, query.get("host")))) or environment.get("PGHOST", "")
    addresses = query.get("hostaddr") or environment.get("PGHOSTADDR", "")
    return [*names.split(","), *addresses.split(",")]
