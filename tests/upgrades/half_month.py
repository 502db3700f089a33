"""Half of a month, lived by one version of the code and gone on with by another.

As a program it lives the first half with whatever `bianmin` is on the path and leaves in `first/` what an operator has
when he upgrades: a dump of the database with messages under way and deadlines passed, who the people are, and the data
keys; beside them what the people of the play had in mind. It was run once, with the first version that is supported:

    git worktree add --detach ../first FIRST            # FIRST: docs/upgrading.md
    (cd ../first && PYTHONPATH=. PYTHON ../bianmin/tests/upgrades/half_month.py)     # its own tree and packages
"""

import json
import lzma
import shutil
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import fields
from datetime import date, time, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine
from sqlalchemy.orm import Session

from bianmin import cli
from bianmin.backup.programs import Programs, libpq
from bianmin.client import Client, Person
from bianmin.importing.mapping import Mapped, read_mapping
from bianmin.importing.sending import map_rows, open_table
from bianmin.month.cast import Cast, Team, found_company
from bianmin.month.fates import Callback, Job, Paying, Revisiting, Visiting
from bianmin.month.play import Play
from bianmin.month.quiet import World
from bianmin.stack import Stack
from shared import clock
from tests.folders import reachable_folder

FIRST = Path(__file__).parent / "first"
ROWS = 250
"""Of the example's five hundred: some eighty jobs, each kind of trouble among them."""
LAST_DAY = date(2026, 4, 15)

_FATES = {"callback": Callback, "visiting": Visiting, "paying": Paying, "revisiting": Revisiting}
_IN_MIND = ("stage", "desk", "departments", "money", "discipline")
_SHARED = {"world", "client", "cast", "mapping", "jobs", "people", "team_of", "stage", "desk", "departments"}
"""What each of the people's attributes is that the play has anyway."""


def rows() -> list[Mapped]:
    """What happens in this month."""
    mapping = read_mapping(cli.EXAMPLES / "nyc311.toml")
    return map_rows(open_table(cli.EXAMPLES / "nyc311.csv", mapping), mapping)[0][:ROWS]


def play_of(world: World, cast: Cast) -> Play:
    """The month, from its first day on."""
    return Play(world, cast, rows(), read_mapping(cli.EXAMPLES / "nyc311.toml"), seed=1)


# --- what the people have in mind, as JSON ------------------------------------------------------------------------


def saved(play: Play) -> dict[str, Any]:
    """All that a play knows beside the services."""
    places = {id(job): number for number, job in enumerate(play.stage.jobs)}

    def plain(thing: Any) -> Any:
        match thing:
            case Job():
                return {"job": places[id(thing)]}
            case Person():
                return {"person": thing.id}
            case Team():
                return {"team": thing.code}
            case Enum():
                return thing.value
            case date():
                return {"date": thing.isoformat()}
            case Mapping():
                return {"pairs": [[plain(key), plain(value)] for key, value in thing.items()]}
            case set() | frozenset():
                return {"set": sorted((plain(one) for one in thing), key=str)}
            case tuple():
                return {"tuple": [plain(one) for one in thing]}
            case list():
                return [plain(one) for one in thing]
        return thing

    return {
        "jobs": [
            {"row": job.row.number} | {f.name: plain(getattr(job, f.name)) for f in fields(Job) if f.name != "row"}
            for job in play.stage.jobs
        ],
        "mind": {
            name: {key: plain(value) for key, value in vars(getattr(play, name)).items() if key not in _SHARED}
            for name in _IN_MIND
        },
    }


def gone_on_with(play: Play, held: Mapping[str, Any]) -> None:
    """Give a play that has not begun what another one knew."""
    stage = play.stage
    by_row = {row.number: row for row in rows()}

    def meant(thing: Any) -> Any:
        if isinstance(thing, list):
            return [meant(one) for one in thing]
        if not isinstance(thing, dict):
            return thing
        ((kind, value),) = thing.items()
        match kind:
            case "job":
                return stage.jobs[value]
            case "person":
                return stage.people[value]
            case "team":
                return stage.team_of[value]
            case "date":
                return date.fromisoformat(value)
            case "pairs":
                return {meant(key): meant(one) for key, one in value}
            case "set":
                return {meant(one) for one in value}
        return tuple(meant(one) for one in value)

    stage.jobs[:] = [
        Job(
            row=by_row[job["row"]],
            **{
                key: _FATES[key](value) if key in _FATES else meant(value) for key, value in job.items() if key != "row"
            },
        )
        for job in held["jobs"]
    ]
    for name in _IN_MIND:
        for key, value in held["mind"][name].items():
            setattr(getattr(play, name), key, meant(value))
    stage.visits = defaultdict(list, stage.visits)


# --- the first half -----------------------------------------------------------------------------------------------


def live(folder: Path, to: Path) -> None:
    """Live it in an installation in `folder`, and leave in `to` what goes on."""
    stack = Stack(folder, simulated_at=cli.MONTH_BEGINS)
    with stack.running() as address, Client(address.base_url, while_waiting=stack.watch) as client:
        world = World(client, address.database_url)
        codes = sorted({row.site_code for row in rows()})
        cast = found_company(world, address.founder_secret, codes, today=date(2026, 4, 1))
        play = play_of(world, cast)
        day = play.stage.first
        while day <= LAST_DAY:
            print(day, flush=True)  # noqa: T201  # run by hand
            play._day(day)
            day += timedelta(days=1)
        client.while_waiting = lambda: None  # whoever is stopped stays so
        for worker in stack.supervisor.children[1:]:
            worker.stop()
        leave_messages_under_way(client, cast)
        with Session(create_engine(address.database_url, poolclass=NullPool)) as session, session.begin():
            clock.move(session, play.stage.moment(day, time(9)) + timedelta(seconds=1))  # deadlines pass unseen
        _dump(address.database_url, to / "database.sql.xz")
        cli._write_people(to, cast)
        (to / "play.json.xz").write_bytes(_packed(json.dumps(saved(play), ensure_ascii=False)))
        shutil.copy2(folder / "data-keys", to / "data-keys")


def leave_messages_under_way(client: Client, cast: Cast) -> None:
    """What hr tells everybody, and nobody waits for."""
    for team in cast.teams:
        client.post(
            cast.administrator,
            "/hr/api/people",
            name=f"{team.code} 新人",
            role="worker",
            department="engineering",
            site_ids=[team.site_id],
            all_sites=False,
            shift_start="08:00",
            shift_end="17:30",
        )


def _dump(url: str, to: Path) -> None:
    """The logins and the whole database, as docs/recovery.md (F) says it."""
    programs, (there, _) = Programs(), libpq(url)
    roles = programs.run("pg_dumpall", "--roles-only", "--no-role-passwords", "-d", there)
    database = programs.run("pg_dump", "--format=plain", there)
    to.write_bytes(_packed(f"{roles}\n\\set ON_ERROR_STOP on\n{database}"))


def _packed(words: str) -> bytes:
    return lzma.compress(words.encode(), preset=9 | lzma.PRESET_EXTREME)


def unpacked(name: str) -> str:
    """What it left under that name."""
    return lzma.decompress((FIRST / name).read_bytes()).decode()


if __name__ == "__main__":
    FIRST.mkdir(exist_ok=True)
    with reachable_folder() as folder:
        live(folder / "data", FIRST)
