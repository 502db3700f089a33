"""RabbitMQ, asked directly, by AMQP alone: neither its management plugin nor its command line is needed."""

import ssl
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import amqp
from amqp.exceptions import AMQPError, NotFound

ANSWER_SECONDS = 2
OLDEST = (3, 10)
"""Quorum queues of this version and newer are counted, limited and consumed as is written here."""


def certificates(url: str) -> dict[str, Any]:
    """How the server of an amqps:// URL proves who it is, as py-amqp wants it; empty without TLS.

    Raises ValueError where the URL asks for less proof: whoever wants none wants amqp://.
    """
    parts = urlsplit(url)
    if parts.scheme != "amqps":
        return {}
    said = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if said.get("ssl_cert_reqs", "required") != "required" or said.get("ssl_check_hostname", "true").lower() != "true":
        raise ValueError("a broker by amqps:// has to prove who it is: ssl_cert_reqs=required, and its name is checked")
    return {
        "cert_reqs": ssl.CERT_REQUIRED,
        "ca_certs": said.get("ssl_ca_certs"),
        "server_hostname": parts.hostname,
    }


class RabbitMQ:
    """See Broker. Keeps one connection, which is made anew after it broke."""

    AWAY: tuple[type[Exception], ...] = (AMQPError, OSError)

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: amqp.Connection | None = None

    def length(self, queue: str) -> int:
        """In a queue that is not there, because no worker of its service ever ran, nothing waits."""
        channel = self._connected().channel()
        try:
            return int(channel.queue_declare(queue, passive=True).message_count)
        except NotFound:  # it closed the channel, and this alone
            return 0
        except self.AWAY:
            self.close()
            raise
        finally:
            if channel.is_open:
                channel.close()

    def fault(self) -> str | None:
        """It must have quorum queues, which survive a restart of the broker and the loss of a node."""
        properties = self._connected().server_properties
        product, version = properties.get("product", "unknown"), str(properties.get("version", "0"))
        numbers = tuple(int(part) if part.isdecimal() else 0 for part in version.split(".")[:2])
        if product == "RabbitMQ" and numbers >= OLDEST:
            return None
        return f"the broker is {product} {version}, and RabbitMQ {'.'.join(map(str, OLDEST))} or newer is needed"

    def greet(self) -> None:
        """By signing in."""
        self._connected()

    def close(self) -> None:
        """Give its connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.collect()  # at once; a polite end would wait for an answer that may not come

    def _connected(self) -> amqp.Connection:
        if self._connection is None or not self._connection.connected:
            parts = urlsplit(self._url)
            connection = amqp.Connection(
                host=f"{parts.hostname}:{parts.port or (5671 if parts.scheme == 'amqps' else 5672)}",
                userid=unquote(parts.username or "guest"),
                password=unquote(parts.password or "guest"),
                virtual_host=unquote(parts.path[1:]) or "/",
                ssl=certificates(self._url) or False,
                connect_timeout=ANSWER_SECONDS,
                read_timeout=ANSWER_SECONDS,
                write_timeout=ANSWER_SECONDS,
            )
            connection.connect()
            self._connection = connection
        return self._connection
