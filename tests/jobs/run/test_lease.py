"""Leases: one run at a time on an output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobs.run.lease import Lease, LeaseLost, OutputInUse, Process, lease_of, this_process
from jobs.run.store import Store
from tests.jobs.conftest import ROOT

EXPIRY_S = 300.0


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path / "out"))


def leases(store: Store) -> list[str]:
    return store.list_names("_lease")


def age(store: Store, name: str, seconds: float) -> None:
    """Make a lease as old as if it had been written so long ago."""
    path = Path(store.root) / "_lease" / name
    then = time.time() - seconds
    os.utime(path, (then, then))


def rename_holder(store: Store, name: str, **changes: object) -> None:
    """Change what a lease says of its process."""
    holder = json.loads(store.read_bytes("_lease", name)) | changes
    store.write_bytes(json.dumps(holder).encode(), "_lease", name)


HOLD = """
import sys, time
from jobs.run.lease import Lease
from jobs.run.store import Store

lease = Lease(Store.at(sys.argv[1]), 300.0)
lease.acquire()
print(lease.name, flush=True)
time.sleep(600)
"""


@contextmanager
def other_process(store: Store) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that holds the output's lease; gives it, and the lease's name."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, store.root], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_the_lease_of_a_killed_process_is_taken_over_at_once(store: Store) -> None:
    with other_process(store) as (process, name):
        with pytest.raises(OutputInUse, match=f"process {process.pid} on .*wait until"):
            Lease(store, EXPIRY_S).acquire()
        assert leases(store) == [name]
        process.kill()  # its parent has not asked how it ended: it is a zombie for a while
        while (
            this_process().system is not None
            and not Process(**json.loads(store.read_bytes("_lease", name))).has_ended()
        ):
            time.sleep(0.01)
        with lease_of(store, EXPIRY_S) as lease:
            assert leases(store) == [lease.name]


def test_a_process_with_the_number_of_a_dead_one_is_not_taken_for_it(store: Store) -> None:
    dead = Lease(store, EXPIRY_S)
    dead.acquire()
    rename_holder(store, dead.name, started="1")
    with lease_of(store, EXPIRY_S) as lease:
        assert leases(store) == [lease.name]


@pytest.mark.parametrize(
    "unknown",
    [
        {"host": "elsewhere"},
        {"system": "another boot"},
        {"system": None},
        {"system": None, "started": None},
    ],
)
def test_of_a_process_that_cannot_be_seen_the_lease_has_to_expire(
    store: Store, unknown: dict[str, object]
) -> None:
    other = Lease(store, EXPIRY_S)
    other.acquire()
    rename_holder(store, other.name, process=2**22 + 1, **unknown)
    with pytest.raises(OutputInUse, match=f"remove _lease/{other.name}"):
        Lease(store, EXPIRY_S).acquire()


def test_a_lease_that_cannot_be_read_has_to_expire(store: Store) -> None:
    for text in (b"", b"3", b'{"host": "h"}', b'{"host": "h", "process": 1, "new": 2}'):
        store.write_bytes(text, "_lease", "other.json")
        with pytest.raises(OutputInUse, match=r"remove _lease/other\.json"):
            Lease(store, EXPIRY_S).acquire()
    age(store, "other.json", EXPIRY_S + 5)
    with lease_of(store, EXPIRY_S):
        pass


def test_a_second_run_steps_back_and_leaves_the_first_alone(store: Store) -> None:
    with lease_of(store, EXPIRY_S) as first:
        with pytest.raises(OutputInUse, match=f"process {os.getpid()}"), lease_of(store, EXPIRY_S):
            pass
        assert leases(store) == [first.name]
        first.check()
    with lease_of(store, EXPIRY_S):
        pass
    assert leases(store) == []


def test_a_lease_is_given_back_after_an_error(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), lease_of(store, EXPIRY_S):
        raise ZeroDivisionError
    assert leases(store) == []


def test_the_lease_of_a_dead_run_expires(store: Store) -> None:
    dead = Lease(store, EXPIRY_S)
    dead.acquire()
    age(store, dead.name, dead.expiry_s - 5)
    rename_holder(store, dead.name, host="elsewhere")
    age(store, dead.name, dead.expiry_s - 5)
    with pytest.raises(OutputInUse, match=f"on elsewhere.*remove _lease/{dead.name}"):
        Lease(store, EXPIRY_S).acquire()
    age(store, dead.name, dead.expiry_s + 5)
    with lease_of(store, EXPIRY_S) as lease:
        assert leases(store) == [lease.name]


def test_a_run_that_was_held_up_learns_that_it_lost_the_output(store: Store) -> None:
    slow = Lease(store, EXPIRY_S)
    slow.acquire()
    slow.check()
    age(store, slow.name, 2 * slow.expiry_s)
    with lease_of(store, EXPIRY_S), pytest.raises(LeaseLost):
        slow.check()


def test_a_run_that_did_not_renew_in_time_does_not_trust_its_file(store: Store) -> None:
    lease = Lease(store, 0.05)
    lease.acquire()
    time.sleep(0.1)
    with pytest.raises(LeaseLost):
        lease.check()


def test_a_lease_is_renewed_while_its_run_lives(store: Store) -> None:
    lease = Lease(store, 10.0)
    lease.acquire()
    age(store, lease.name, 2 * lease.expiry_s)
    renewing = threading.Thread(target=lease.renew_until_released)
    renewing.start()
    while time.time() - store.modified("_lease", lease.name) > lease.expiry_s:
        time.sleep(0.01)
    with pytest.raises(OutputInUse):
        Lease(store, EXPIRY_S).acquire()
    lease.release()
    renewing.join()
    assert leases(store) == []


def test_a_lost_lease_is_not_written_again(store: Store) -> None:
    lease = Lease(store, 0.5)
    lease.acquire()
    store.delete("_lease", lease.name)
    lease.renew_until_released()
    assert leases(store) == []


def test_of_many_that_begin_together_at_most_one_goes_on(store: Store) -> None:
    begin = threading.Barrier(8)
    going: list[Lease] = []

    def run() -> None:
        lease = Lease(store, EXPIRY_S)
        begin.wait()
        try:
            lease.acquire()
        except OutputInUse:
            return
        going.append(lease)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(going) <= 1
    assert leases(store) == [lease.name for lease in going]
