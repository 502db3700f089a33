"""What can go wrong and is told to whoever asked, as an RFC 9457 problem."""

from collections.abc import Iterable


class Problem(Exception):
    """Something the caller can mend: a stable code, a sentence, the rule behind it, and what is allowed."""

    status = 400

    def __init__(self, code: str, detail: str, *, rule: str = "", allowed: Iterable[str] = ()) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.rule = rule
        self.allowed = tuple(allowed)

    def __str__(self) -> str:
        return f"{self.detail} [{self.rule}]" if self.rule else self.detail


class RuleBroken(Problem):
    """The rulebook or the state of things does not allow this step now (409)."""

    status = 409


class Malformed(Problem):
    """What was sent cannot be meant so (422)."""

    status = 422


class NotFound(Problem):
    """There is no such thing, or none at a site of the person asking (404)."""

    status = 404

    def __init__(self, what: str, key: object) -> None:
        super().__init__("not_found", f"no {what} {key} at your sites")


class NotYourRole(Problem):
    """The person asking may not do this (403)."""

    status = 403


class NotSignedIn(Problem):
    """No valid token came with the request (401)."""

    status = 401


class NotYet(Exception):
    """A message came before the one it stands on; it waits in the inbox and is tried again."""
