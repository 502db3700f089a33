"""The broker's accounts: what each may do there, so that a stolen one opens nothing of another's (promise 18).

A service reads its own queue and keeps what it holds under keys of its own; to the queue of another it can only add,
and see how long it is. What it adds there takes effect only when it is signed (shared/bus/signature.py). No account of
a process may run scripts on queues, list keys, delete, flush, configure or administer. `web` counts requests for the
rate limits; `operator` sees how long the queues are, and hears what workers tell of their tasks where they are to
(Flower); `scaler` sees how long they are too: it is KEDA's, whose script may do nothing else. `admin` may do
everything, and no process has it. The account that is meant where nobody logs in is off.
"""

from collections.abc import Mapping

SERVICES = ("intake", "dispatch", "finance", "hr")
WEB, OPERATOR, ADMIN, SCALER = "web", "operator", "admin", "scaler"
ACCOUNTS = (*SERVICES, WEB, OPERATOR, SCALER, ADMIN)

_CONNECTION = "+ping +select +info +client|setinfo +client|setname"
_TRANSACTION = "+multi +exec +watch +unwatch +discard"
_QUEUE = "+lpush +rpush +brpop +llen"
_HELD = "+hset +hget +hdel +zadd +zrem +zrange"
_EVENTS = "&/0.celeryev/*"
"""The channel on which workers tell of their tasks, when they are to (BIANMIN_TASK_EVENTS)."""
_HEARS = "+psubscribe +punsubscribe +subscribe +unsubscribe"
_LOOKS = (
    "~celeryev.* ~_kombu.binding.celeryev ~_kombu.binding_permanent.celeryev ~held-flower ~held-since-flower"
    " +llen +del +sadd +srem +smembers +zrange"
)
_RATES = "~rate:* +evalsha +script|load +lindex +lpush +ltrim +expire"


def acl(passwords: Mapping[str, str]) -> str:
    """The broker's ACL file; raises KeyError when an account has no password."""
    lines = ["user default off"]
    lines += [f"user {name} on >{passwords[name]} resetchannels -@all {_allowed(name)}" for name in ACCOUNTS]
    return "\n".join(lines) + "\n"


def _allowed(name: str) -> str:
    if name == ADMIN:
        return "~* &* +@all"
    if name == OPERATOR:
        queues = f"{_keys(*SERVICES, *(f'held-{service}' for service in SERVICES))} +llen +hlen"
        return f"{_CONNECTION} {_TRANSACTION} {_EVENTS} {_HEARS} {queues} ({_LOOKS})"
    if name == SCALER:
        return f"{_CONNECTION} {_keys(*SERVICES)} +llen +type +eval"
    if name == WEB:
        return f"{_CONNECTION} {_RATES}"
    others = (service for service in SERVICES if service != name)
    own = f"{_keys(name)} {_keys(f'held-{name}', f'held-since-{name}')} {_QUEUE} {_HELD}"
    return f"{_CONNECTION} {_TRANSACTION} {_EVENTS} +publish {own} ({_keys(*others)} +lpush +llen)"


VHOST = "bianmin"


def definitions(passwords: Mapping[str, str]) -> dict[str, object]:
    """RabbitMQ's definitions file (`load_definitions`) with the same accounts; raises KeyError without a password.

    A service declares and reads its own queue alone. It can add to every queue, since all are reached through the
    default exchange. Nobody needs a right to see how long a queue is; `web` has no business there.
    """
    own = {service: (f"^{service}$", "^amq\\.default$", f"^{service}$") for service in SERVICES}
    rights = own | {OPERATOR: ("^$", "^$", "^$"), ADMIN: (".*", ".*", ".*")}
    return {
        "vhosts": [{"name": VHOST}],
        "users": [
            {"name": name, "password": passwords[name], "tags": "administrator" if name == ADMIN else ""}
            for name in rights
        ],
        "permissions": [
            {"user": name, "vhost": VHOST, "configure": configure, "write": write, "read": read}
            for name, (configure, write, read) in rights.items()
        ],
    }


def _keys(*names: str) -> str:
    return " ".join(f"~{name}" for name in names)
