"""`login`: how long others wait while fifty people sign in at once."""

from concurrent.futures import ThreadPoolExecutor
from statistics import mean
from threading import Barrier
from urllib.parse import urlsplit

from bianmin.client import Client, Person
from tests.bench.figure import Figure, await_acknowledged, found_company, fresh_stack
from tests.bench.load import Load, Measured, post, run

PEOPLE = 50
PASSWORD = "seven otters swim upstream"
READERS = 4
READS = 1200
"""About as many as are answered until all have signed in."""
ROUNDS = 2
"""As many as one address may have: a hundred tries in a quarter of an hour."""
RATIO = 3


def measure() -> list[Figure]:
    """The p99 of a list that four clients read again and again, while fifty sign in at once, to the same at rest.

    A password takes a tenth of a second of a core to check, on half of the cores at most. The mean of two rounds
    counts; each round of logins is the same fifty people, each with a password of his own.
    """
    with fresh_stack() as stack, stack.client() as client:
        port = urlsplit(stack.await_up().base_url).port
        assert port is not None
        administrator = found_company(stack, client)
        client.post(administrator, "/hr/api/sites", code="A", name="A 小区")
        logins = [_invited(client, administrator, number) for number in range(PEOPLE)]
        await_acknowledged(stack)
        reads = Load(port, READERS, [_get("/hr/api/people", administrator)] * READS)
        run(reads)
        rest, busy, signed_in = [], [], []
        for _ in range(ROUNDS):
            rest.append(_measured(reads))
            begin = Barrier(2)
            with ThreadPoolExecutor(2) as pool:
                signing_in = pool.submit(_measured, Load(port, PEOPLE, logins), begin)
                busy.append(pool.submit(_measured, reads, begin).result())
                signed_in.append(signing_in.result())
    idle, loaded = mean(one.p99_ms for one in rest), mean(one.p99_ms for one in busy)
    return [
        Figure("login: p99 of others at rest", idle, "ms"),
        Figure(f"login: p99 of others while {PEOPLE} sign in", loaded, "ms"),
        Figure("login: to rest", loaded / idle, "", RATIO),
        Figure("login: p99 of signing in, all at once", max(one.p99_ms for one in signed_in), "ms"),
    ]


def _invited(client: Client, administrator: Person, number: int) -> str:
    """The request by which a person signs in, who was hired, invited, and chose a password."""
    facts = {"name": f"员 {number}", "role": "clerk", "department": "front_desk", "all_sites": True}
    person_id = client.post(administrator, "/hr/api/people", **facts)["id"]
    invited = client.post(administrator, f"/hr/api/people/{person_id}/invitation", login=f"clerk{number}")
    client.post(None, "/hr/api/invitations/accept", secret=invited["secret"], password=f"{PASSWORD} {number}")
    return post("/hr/api/sessions", {"login": f"clerk{number}", "password": f"{PASSWORD} {number}"})


def _get(path: str, who: Person) -> str:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {who.token}\r\n\r\n"


def _measured(load: Load, begin: Barrier | None = None) -> Measured:
    """Raises RuntimeError when anything was refused."""
    done = run(load, begin=begin)
    if done.errors:
        raise RuntimeError(f"{done.errors} of {len(load.requests)} requests were refused")
    return done
