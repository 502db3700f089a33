"""Where the code goes through the walls between sites: here, for these reasons, and nowhere else."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

DOORS = {
    "services/dispatch/queries/duties.py": "a worker's day is done when it is done at all his sites",
    "services/dispatch/queries/owner_links.py": "an owner who comes to sign is of no site until his link says which",
    "services/dispatch/queries/hours.py": "paid hours count wherever he did them, by the limit of his home site",
    "services/dispatch/queries/people.py": "his day is read on the clock of his home site",
    "services/dispatch/queries/teams.py": "how many jobs a colleague has, at all his sites",
    "services/finance/actions/calculation.py": "one wage bears fines of several sites",
    "services/finance/actions/price.py": "the price book is one for all sites, and their time zones",
    "services/finance/api/ledger.py": "an export is a second transaction of the same request",
    "services/hr/queries/ladders.py": "he offended before, wherever that was",
    "services/hr/actions/case.py": "a person answers a case about himself, wherever it is",
    "services/hr/actions/login.py": "a password is none of the company's names, at whatever site",
    "services/hr/actions/site.py": "a site just opened is nobody's yet",
    "services/hr/queries/cases.py": "a person reads the cases about himself, wherever they are",
    "services/hr/queries/demo.py": "whoever looks around a simulation is of no site yet",
    "services/hr/queries/statements.py": "a person reads what he is paid, at each site",
    "services/hr/papers/decision.py": "a person prints the letter of a case about himself, wherever it is",
    "services/hr/papers/pay.py": "a person prints what he is paid, at whatever site",
    "shared/paper_routes.py": "whoever has a paper asks whether it holds, whatever site it is of",
    "shared/audit_routes.py": "an export is a second transaction of the same request",
    "services/intake/queries/owner.py": "an owner who comes by his link is of no site until the link says which",
    "services/intake/actions/importing.py": "a row imported at another site is not imported again",
}


def test_every_door_through_the_walls_is_listed_with_its_reason() -> None:
    through = re.compile(r"\b(across_sites|act_everywhere|act_as|act_at)\(|app\.sites|every_site=True")
    found = {
        str(path.relative_to(ROOT))
        for folder in ("services", "shared", "bianmin")
        for path in (ROOT / folder).rglob("*.py")
        if "migrations" not in path.parts and through.search(path.read_text(encoding="utf-8"))
    }
    made_here = {
        "shared/audit_triggers.py",
        "shared/db.py",
        "shared/walls.py",
        "shared/people.py",
        "shared/installation.py",
    }
    read_all = {"bianmin/verify/run.py", "bianmin/backup/programs.py", "shared/resealing.py"}
    assert found == set(DOORS) | made_here | read_all
