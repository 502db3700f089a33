"""Which backups stay."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bianmin.backup.keeping import DAYS, MONTHS, prune, superfluous
from bianmin.backup.programs import BackupFailed, Programs
from bianmin.backup.taking import NAME, Backup

FIRST = datetime(2025, 1, 1, 2, tzinfo=UTC)


def backup(at: datetime, folder: Path = Path("/backups"), first_wal: str = "000000010000000000000001") -> Backup:
    return Backup(folder / at.strftime(NAME), at, 1, 18, "1", first_wal, "bianmin", "bianmin", {}, {})


def test_of_two_years_of_nights_35_days_and_the_last_of_13_months_stay() -> None:
    nights = [backup(FIRST + timedelta(days=day)) for day in range(730)]
    going = superfluous(nights)
    kept = [night.taken_at.date().isoformat() for night in nights if night not in going]
    assert kept[-DAYS:] == [night.taken_at.date().isoformat() for night in nights[-DAYS:]]
    assert kept[:-DAYS] == [
        "2025-12-31",
        "2026-01-31",
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
        "2026-05-31",
        "2026-06-30",
        "2026-07-31",
        "2026-08-31",
        "2026-09-30",
        "2026-10-31",
    ]


@given(st.lists(st.integers(0, 900 * 24), unique=True, max_size=60))
def test_the_newest_stays_and_no_backup_goes_for_want_of_newer_ones(hours: list[int]) -> None:
    backups = [backup(FIRST + timedelta(hours=hour)) for hour in hours]
    going = superfluous(backups)
    assert superfluous([b for b in backups if b not in going]) == []
    if backups:
        assert max(backups, key=lambda b: b.taken_at) not in going
    days = {b.taken_at.date() for b in backups}
    months = {(b.taken_at.year, b.taken_at.month) for b in backups}
    assert len(backups) - len(going) >= max(min(len(days), DAYS), min(len(months), MONTHS))


def write(backup: Backup) -> None:
    backup.folder.mkdir(parents=True)
    backup.write()


def test_pruning_names_first_and_deletes_only_backups_and_the_log_none_of_the_days_needs(tmp_path: Path) -> None:
    backups, wal = tmp_path / "backups", tmp_path / "wal"
    for day in range(40):
        write(backup(FIRST + timedelta(days=day), backups, f"0000000100000000000000{day + 16:02X}"))
    wal.mkdir()
    for number in range(16, 60):
        (wal / f"0000000100000000000000{number:02X}").touch()
    (wal / "00000002.history").touch()
    (backups / "2025-01-01-kept-for-the-tax-office").mkdir()
    (backups / ".unfinished").mkdir()
    before = set(tmp_path.rglob("*"))
    named = prune(backups, Programs(), wal=wal)
    assert set(tmp_path.rglob("*")) == before
    deleted = prune(backups, Programs(), wal=wal, delete=True)
    assert [Path(name).name for name in deleted] == [Path(name).name for name in named]
    gone = {path.name for path in before - set(tmp_path.rglob("*"))} - {"bianmin.json"}
    assert gone == {Path(name).name for name in named}
    assert sorted(name for name in gone if name.startswith("2025")) == [
        f"2025-01-0{day}T020000Z" for day in range(1, 6)
    ]
    assert sorted(name for name in gone if name.startswith("0")) == [
        f"0000000100000000000000{n:02X}" for n in range(16, 21)
    ]


def test_without_a_backup_no_log_is_pruned(tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="all of the log is kept"):
        prune(tmp_path, Programs(), wal=tmp_path, delete=True)
