"""One run at a time on an output: a lease that is renewed while a run lives, and expires after it.

A lease is a small file under the output. A run writes its own, then looks for others: any that
was written less than ``run.lease_s`` ago makes it step back. Two that begin at the same moment may
both step back, and never go on both, since each writes before it looks. Ages are differences of
the times that the store itself gave to files, so the clocks of the machines do not matter.
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
    """Another run works on the output."""


class LeaseLost(RuntimeError):
    """The run was held up for so long that another one may have begun."""


@dataclass
class Lease:
    """The right to write to an output."""

    store: Store
    expiry_s: float
    """Seconds after which a lease that was not renewed counts for nothing: its run is gone."""
    name: str = field(default_factory=lambda: f"{uuid.uuid4().hex}.json")
    _ended: threading.Event = field(default_factory=threading.Event)
    _written: float = 0.0  # time.monotonic() of the last renewal

    def take(self) -> None:
        """Raise OutputInUse if another run has the output."""
        written = self._write()
        for name in self.store.list_names(_LEASES):
            if name == self.name or not name.endswith(".json"):
                continue
            try:
                age = written - self.store.modified(_LEASES, name)
            except FileNotFoundError:
                continue  # its run has stepped back meanwhile
            if age < self.expiry_s:
                holder = self._holder(name)
                self.give_back()
                raise OutputInUse(
                    f"{self.store.root}: another run works on it ({holder}), or ended less than "
                    f"{self.expiry_s:.0f} s ago without saying so. If you know that it is gone, "
                    f"remove {_LEASES}/{name} there"
                )
            self.store.delete(_LEASES, name)

    def check(self) -> None:
        """Raise LeaseLost if this run no longer has the output: before it declares work done."""
        is_late = time.monotonic() - self._written > self.expiry_s
        if is_late or self.name not in self.store.list_names(_LEASES):
            raise LeaseLost(
                f"{self.store.root}: this run was held up for more than {self.expiry_s:.0f} s, "
                "and another one has taken the output"
            )

    def renew_until_given_back(self) -> None:
        """Keep it alive; for a thread of its own."""
        while not self._ended.wait(self.expiry_s / 5):
            try:
                self.check()
                self._write()
            except LeaseLost:
                return  # the next check of the run itself ends it
            except OSError as error:
                print(f"lease of {self.store.root} not renewed: {error}", file=sys.stderr)

    def give_back(self) -> None:
        """Let the next run begin at once."""
        self._ended.set()
        self.store.delete(_LEASES, self.name)

    def _write(self) -> float:
        """Write it, or write it again. Returns when, by the store's clock."""
        holder = {"host": socket.gethostname(), "process": os.getpid()}
        self._written = time.monotonic()  # before: the file is younger, never older
        self.store.write_bytes(json.dumps(holder).encode(), _LEASES, self.name)
        return self.store.modified(_LEASES, self.name)

    def _holder(self, name: str) -> str:
        try:
            holder = json.loads(self.store.read_bytes(_LEASES, name))
        except FileNotFoundError:
            return "which has just ended"
        return f"process {holder['process']} on {holder['host']}"


@contextmanager
def lease_of(store: Store, expiry_s: float) -> Iterator[Lease]:
    """The output's lease for the time of the block.

    Raises:
        OutputInUse: another run has it.
    """
    lease = Lease(store, expiry_s)
    lease.take()
    renewing = threading.Thread(target=lease.renew_until_given_back, daemon=True)
    renewing.start()
    try:
        yield lease
    finally:
        lease.give_back()
        renewing.join()
