"""What may lie on a queue and is no message of this house: one function of bytes for each malformed form."""

import base64
import json
from typing import Any
from uuid import uuid4


def _task(service: str, **changes: Any) -> dict[str, Any]:
    """A task as Celery on Redis has it; `changes` are its parts, `task`, `content` and `body` too."""
    content = changes.pop("content", [[], {"envelopes": []}, {"callbacks": None, "errbacks": None}])
    id_ = str(uuid4())
    task: dict[str, Any] = {
        "body": base64.b64encode(json.dumps(content).encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": changes.pop("task", f"{service}.CallbackMissed"),
            "id": id_,
            "retries": 0,
            "root_id": id_,
            "parent_id": None,
            "argsrepr": "-",
            "kwargsrepr": "-",
        },
        "properties": {
            "correlation_id": id_,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": service},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid4()),
        },
    }
    return task | changes


def _without(task: dict[str, Any], part: str) -> dict[str, Any]:
    return {name: value for name, value in task.items() if name != part}


def _named(**named: Any) -> list[Any]:
    return [[], named, {"callbacks": None}]


def malformed(service: str) -> dict[str, bytes]:
    """The forms, by what is wrong with them, as they lie in the queue of `service`."""
    tasks: dict[str, Any] = {
        "an empty list": [],
        "null": None,
        "a number": 7,
        "a body of another shape": _task(service, content={"a": 1}),
        "a body that is not base64": _task(service, body="%%% no base64 %%%"),
        "a body that is not JSON": _task(service, body=base64.b64encode(b"{not json").decode()),
        "a body that is null": _task(service, body=None),
        "a pickle": _task(service, **{"content-type": "application/x-python-serialize", "content-encoding": "binary"}),
        "a content type nobody knows": _task(service, **{"content-type": "application/x-nonsense"}),
        "a task nobody knows": _task(service, task=f"{service}.Nonsense"),
        "a task of another service": _task(service, task="intake.acknowledged"),
        "other argument names": _task(service, content=_named(nonsense=1)),
        "positional arguments": _task(service, content=[[1, 2, 3], {}, {}]),
        "envelopes that are no list": _task(service, content=_named(envelopes=5)),
        "an envelope of nonsense": _task(service, content=_named(envelopes=[{"id": 1}])),
        "an envelope that is null": _task(service, content=_named(envelopes=[None])),
        "acknowledgements of nonsense": _task(
            service, task=f"{service}.acknowledged", content=_named(receiver="hr", ids=["nonsense"])
        ),
        "no headers": _without(_task(service), "headers"),
        "headers that are a list": _task(service, headers=[]),
        "no properties": _without(_task(service), "properties"),
        "five megabytes": _task(service, content=_named(envelopes=["x" * 5_000_000])),
    }
    raw = {
        "nothing": b"",
        "text that is not JSON": b"not json",
        "bytes that are no text": b"\xff\xfe\x00\x80",
        "a task cut off in the middle": json.dumps(_task(service)).encode()[:200],
    }
    return raw | {what: json.dumps(task).encode() for what, task in tasks.items()}
