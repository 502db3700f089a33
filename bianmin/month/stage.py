"""What everybody in the play shares: the world, the people, the jobs, and how far each of them is."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from bianmin.client import Client, Person, Refused
from bianmin.importing.mapping import Mapped, Mapping
from bianmin.month.cast import ZONE, Cast, Team
from bianmin.month.fates import Job, draw_jobs, working_days
from bianmin.month.owners import as_told
from bianmin.month.quiet import World

DEPARTMENT_OF = {
    "water": "engineering",
    "electricity": "engineering",
    "cleaning": "environment",
    "greening": "environment",
}
SLOTS = (time(9, 30), time(14, 40))
"""When requests come in."""

VISITS = (time(14, 0), time(10, 30))
"""When the work agreed in each slot is done: the same afternoon, or the next working morning."""


class PlayedWrong(Exception):
    """The services let something through that the rulebook forbids, or forgot what the play relies on."""


class Stage:
    """One month of the company, as its people share it."""

    def __init__(self, world: World, cast: Cast, rows: Sequence[Mapped], mapping: Mapping, *, seed: int) -> None:
        self.world = world
        self.client: Client = world.client
        self.cast = cast
        self.mapping = mapping
        self.seed = seed
        self.first = self.today()
        self.last = (self.first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        self.month = f"{self.first:%Y-%m}"
        rows = [as_told(row) for row in rows]
        self.jobs = draw_jobs(rows, seed=seed, first=self.first, slots=len(SLOTS), holidays=cast.holidays)
        self.by_request: dict[str, Job] = {}
        self.people = {person.id: person for person in cast.everybody()}
        self.team_of = {team.code: team for team in cast.teams}
        self.visits: dict[tuple[date, int], list[Job]] = defaultdict(list)
        self.reworks: list[Job] = []
        self.open_jobs: set[str] = set()
        self.noticed_at: set[str] = set()

    # --- time and chance -----------------------------------------------------------------------------------------

    def today(self) -> date:
        """The day it is at the sites."""
        return self.world.now.astimezone(ZoneInfo(ZONE)).date()

    def at(self, day: date, hour: time, **later: float) -> None:
        """Move the clock to an hour of a day at the sites, and somewhat later."""
        self.world.move_to(self.moment(day, hour) + timedelta(**later))

    @staticmethod
    def moment(day: date, hour: time) -> datetime:
        """An hour of a day at the sites."""
        return datetime.combine(day, hour, ZoneInfo(ZONE))

    def working_day_after(self, day: date, days: int = 1) -> date:
        """The first working day at least so many days later."""
        return working_days(day + timedelta(days=days), day + timedelta(days=days + 2))[0]

    def draw(self, key: str, what: str) -> Random:
        """Chance for one question, the same for the same seed whatever was drawn before."""
        return Random(f"{self.seed}:{key}:{what}")  # noqa: S311  # a play, not a secret

    # --- who ------------------------------------------------------------------------------------------------------

    def clerk(self, job: Job) -> Person:
        """The clerk who handles the request."""
        return self.draw(job.key, "clerk").choice(self.team(job).clerks)

    def team(self, job: Job) -> Team:
        """The people of the request's site."""
        return self.team_of[job.row.site_code]

    def department(self, job: Job) -> str:
        """The department that does the work."""
        return DEPARTMENT_OF[job.row.fields["trade"]]

    def head(self, job: Job) -> Person:
        """The head of that department at that site."""
        return self.team(job).heads[self.department(job)]

    # --- doing ----------------------------------------------------------------------------------------------------

    def post(self, person: Person, path: str, **body: Any) -> Any:
        """Somebody acts."""
        return self.client.post(person, path, **body)

    def must_refuse(self, why: str, person: Person, path: str, **body: Any) -> None:
        """Somebody tries what the rulebook forbids; `why` says what. Raises PlayedWrong when it is let through."""
        try:
            self.post(person, path, **body)
        except Refused as refused:
            if refused.status != 409:
                raise
        else:
            raise PlayedWrong(why)


def see_alerts(stage: Stage) -> None:
    """Heads and desk heads look at what they were told, and confirm it."""
    for team in stage.cast.teams:
        for reader, services in (
            (team.desk_head, ("intake", "finance")),
            *((head, ("intake", "dispatch")) for head in team.heads.values()),
        ):
            for service in services:
                for alert in stage.client.pages(reader, f"/{service}/api/alerts"):
                    stage.post(reader, f"/{service}/api/alerts/{alert['id']}/seen")
