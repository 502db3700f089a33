"""Who may see which page: the dependency every file of pages uses, and the people a field offers."""

from services.hr.pages.words import WORDS
from services.hr.queries.posts import LookedPeople, find_people
from services.hr.rules.access import MAY
from shared.ui.views import View, views

see = views("hr", MAY, WORDS)

OFFERED = 1000
"""People a field offers at most."""


def colleagues(view: View, *, role: str | None = None) -> list[tuple[str, str]]:
    """The people of his sites who work there now, as a field offers them; heads of departments and their people."""
    found = find_people(view.session, view.actor, looked=LookedPeople(role=role), after=None, limit=OFFERED).items
    ordered = sorted(found, key=lambda one: (one.department, one.role, one.name))
    return [(str(one.id), f"{one.name} · {view.label(one.role)}") for one in ordered]
