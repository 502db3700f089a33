"""RPO 0: whoever was told that it is committed is right, though the database's disk is gone [promise 29]."""

import os
import signal
import threading
from pathlib import Path

import pytest

from bianmin.backup.restoring import restore
from bianmin.backup.taking import take
from bianmin.children import NeverCame, wait_until
from tests.recovery.cluster import Cluster
from tests.recovery.desk import CLERKS, Desk

ROUNDS = int(os.environ.get("RECOVERY_ROUNDS", "2"))
RECEIPTS = 120
"""Acknowledged in each round after its backup was taken."""


def test_the_data_directory_is_destroyed_under_load_again_and_again_and_no_acknowledged_receipt_is_lost(
    cluster: Cluster, desk: Desk, place: Path
) -> None:
    desk.take(CLERKS)
    healthy = cluster.violated()  # a desk without the three other services violates what the four must agree on
    for number in range(ROUNDS):
        wal = place / f"wal-{number}"
        with cluster.receiving(wal):
            backup = take(cluster.url, place / "backups", cluster.programs)
            desk.busy_until(cluster.destroy, receipts=RECEIPTS)
        restore(backup, cluster.directory, cluster.programs, wal=wal)
        cluster.start()
        held = desk.held()
        lost = desk.acknowledged.items() - held.items()
        assert not lost
        assert len(held) - len(desk.acknowledged) <= CLERKS * (number + 1)  # each clerk may not have heard of his last
        # until the next round's receiver is there
        cluster.do("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
        assert cluster.violated() == healthy


def test_without_waiting_for_the_receiver_acknowledged_receipts_are_lost(
    cluster: Cluster, desk: Desk, place: Path
) -> None:
    """That the test above can fail: the same disaster, but no commit waits."""
    with cluster.receiving(place / "wal", synchronous=False) as receiver:
        backup = take(cluster.url, place / "backups", cluster.programs)
        assert receiver.process is not None
        receiver.process.send_signal(signal.SIGSTOP)
        desk.busy_until(cluster.destroy, receipts=RECEIPTS)
    restore(backup, cluster.directory, cluster.programs, wal=place / "wal")
    cluster.start()
    assert len(desk.acknowledged.items() - desk.held().items()) >= RECEIPTS


def test_while_the_receiver_is_away_commits_wait_longer_than_any_statement_may_and_go_on_when_it_is_back(
    cluster: Cluster, desk: Desk, place: Path
) -> None:
    """A statement's timeout does not end the waiting: it would be told as a commit that may be lost."""
    cluster.do("ALTER ROLE bianmin_finance SET statement_timeout = '300ms'")
    with cluster.receiving(place / "wal") as receiver:
        desk.take(1)
        assert receiver.process is not None
        receiver.process.send_signal(signal.SIGSTOP)
        clerk = threading.Thread(target=desk.take, args=(1,))
        clerk.start()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query = 'COMMIT'"
        wait_until("the commit to wait", lambda: cluster.ask(waiting) == 1, seconds=30)
        with pytest.raises(NeverCame):
            wait_until("what must not come", lambda: not clerk.is_alive(), seconds=2)
        assert len(desk.acknowledged) == 1
        receiver.process.send_signal(signal.SIGCONT)
        clerk.join(60)
        assert len(desk.acknowledged) == 2


def test_a_service_without_its_receiver_goes_on_once_it_is_knowingly_told_to(
    cluster: Cluster, desk: Desk, place: Path
) -> None:
    with cluster.receiving(place / "wal"):
        desk.take(1)
    clerk = threading.Thread(target=desk.take, args=(1,))
    clerk.start()
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    wait_until("the commit to wait", lambda: cluster.ask(waiting) == 1, seconds=30)
    cluster.do("ALTER SYSTEM SET synchronous_standby_names = ''", "SELECT pg_reload_conf()")  # as docs/recovery.md says
    clerk.join(60)
    assert len(desk.acknowledged) == 2


def test_a_waiting_commit_that_is_cancelled_is_acknowledged_all_the_same_which_is_why_nobody_may_cancel_one(
    cluster: Cluster, desk: Desk, place: Path
) -> None:
    with cluster.receiving(place / "wal"):
        desk.take(1)
    clerk = threading.Thread(target=desk.take, args=(1,))
    clerk.start()
    cancel = "SELECT count(*) FILTER (WHERE pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    wait_until("the commit to wait", lambda: cluster.ask(cancel) == 1, seconds=30)
    clerk.join(60)
    assert len(desk.acknowledged) == 2
