"""The lease of an output: one run at a time.

A lease is a small file under the output, renewed while its run lives. A run writes its own, then
looks for others; if one was written less than ``run.lease_s`` ago, the run gives up. Two runs that
start at the same moment may both give up but never both continue, since each writes before it
looks. Ages are differences of the store's own file times, so the clocks of the machines do not
matter.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from jobs.run.store import Store

_LEASES = "_lease"


class OutputInUse(RuntimeError):
    """Another run holds the lease of the output."""


class LeaseLost(RuntimeError):
    """The run did not renew its lease in time, so another one may have started."""


@dataclass
class Lease:
    """The right to write to an output, held by one run at a time."""

    store: Store
    expiry_s: float
    """Seconds after the last renewal at which a lease expires."""
    name: str = field(default_factory=lambda: f"{uuid.uuid4().hex}.json")
    _ended: threading.Event = field(default_factory=threading.Event)
    _written: float = 0.0  # time.monotonic() of the last renewal

    def acquire(self) -> None:
        """Take the lease. Raises OutputInUse if another run holds it."""
        written = self._write()
        for name in self.store.list_names(_LEASES):
            if name == self.name or not name.endswith(".json"):
                continue
            try:
                age = written - self.store.modified(_LEASES, name)
            except FileNotFoundError:
                continue  # its run has ended meanwhile
            if age < self.expiry_s:
                holder = self._holder(name)
                self.release()
                raise OutputInUse(
                    f"{self.store.root}: another run works on this output ({holder}), or was "
                    f"killed less than {self.expiry_s:.0f} s ago. If it no longer runs, remove "
                    f"{_LEASES}/{name} there"
                )
            self.store.delete(_LEASES, name)

    def check(self) -> None:
        """Raise LeaseLost if this run no longer holds the lease; called before each commit."""
        is_late = time.monotonic() - self._written > self.expiry_s
        if is_late or self.name not in self.store.list_names(_LEASES):
            raise LeaseLost(
                f"{self.store.root}: this run did not renew its lease for more than "
                f"{self.expiry_s:.0f} s, and another run may have started on the output"
            )

    def renew_until_released(self) -> None:
        """Renew the lease until `release` is called; runs in a thread."""
        while not self._ended.wait(self.expiry_s / 5):
            try:
                self.check()
                self._write()
            except LeaseLost:
                return  # the run's next `check` raises it
            except OSError as error:
                print(
                    f"{self.store.root}: the lease could not be renewed: {error}", file=sys.stderr
                )

    def release(self) -> None:
        """Remove the lease, so that the next run can start at once."""
        self._ended.set()
        self.store.delete(_LEASES, self.name)

    def _write(self) -> float:
        """Write the lease file; return its time by the store's clock."""
        holder = {"host": socket.gethostname(), "process": os.getpid()}
        self._written = time.monotonic()  # before: the file is younger, never older
        self.store.write_bytes(json.dumps(holder).encode(), _LEASES, self.name)
        return self.store.modified(_LEASES, self.name)

    def _holder(self, name: str) -> str:
        try:
            holder = json.loads(self.store.read_bytes(_LEASES, name))
        except FileNotFoundError:
            return "it has just ended"
        return f"process {holder['process']} on {holder['host']}"


@contextmanager
def lease_of(store: Store, expiry_s: float) -> Iterator[Lease]:
    """Hold the output's lease while the block runs.

    Raises:
        OutputInUse: another run holds it.
    """
    lease = Lease(store, expiry_s)
    lease.acquire()
    renewing = threading.Thread(target=lease.renew_until_released, daemon=True)
    renewing.start()
    try:
        yield lease
    finally:
        lease.release()
        renewing.join()
