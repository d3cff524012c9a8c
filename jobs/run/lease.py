"""The lease of an output: one run at a time.

A lease is a small file under the output, renewed while its run lives. A run writes its own, then
looks for others; if one was written less than ``run.lease_s`` ago, the run gives up. Two runs that
start at the same moment may both give up but never both continue, since each writes before it
looks. Ages are differences of the store's own file times, so the clocks of the machines do not
matter. A lease of a process of this machine that has ended is taken over at once.
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
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from jobs.run.store import Store

_LEASES = "_lease"


class OutputInUse(RuntimeError):
    """Another run holds the lease of the output."""


class LeaseLost(RuntimeError):
    """The run did not renew its lease in time, so another one may have started."""


@dataclass(frozen=True)
class Process:
    """A process that holds a lease, with what tells it from later ones that get its number."""

    host: str
    process: int
    """Process id."""
    system: str | None = None
    """Boot of the machine and namespace of process ids; None where the system does not say."""
    started: str | None = None
    """Start of the process in ticks of the kernel; None where the system does not say."""

    def is_visible(self) -> bool:
        """Whether this process can see if that one runs: both have one machine and container."""
        here = this_process()
        return self.system is not None and (self.host, self.system) == (here.host, here.system)

    def has_ended(self) -> bool:
        """Whether the process has surely ended."""
        return self.is_visible() and self.started != _start_of(self.process)


def this_process() -> Process:
    """Return the running process."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        system = f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:  # no Linux
        system = None
    return Process(socket.gethostname(), os.getpid(), system, _start_of(os.getpid()))


def _start_of(process: int) -> str | None:
    """Return when a process of this machine started; None if there is none that runs."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()  # a name in brackets may hold anything
    return None if state in "ZX" else fields[18]


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
            holder = self._holder(name)
            if age < self.expiry_s and not (holder is not None and holder.has_ended()):
                self.release()
                raise OutputInUse(self._refusal(name, holder))
            with suppress(FileNotFoundError):  # another run that begins has removed it, too
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
        self._written = time.monotonic()  # before: the file is younger, never older
        holder = json.dumps(asdict(this_process()))
        self.store.write_bytes(holder.encode(), _LEASES, self.name)
        return self.store.modified(_LEASES, self.name)

    def _holder(self, name: str) -> Process | None:
        """Return the process that wrote a lease; None where the lease is gone or not readable."""
        try:
            return Process(**json.loads(self.store.read_bytes(_LEASES, name)))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def _refusal(self, name: str, holder: Process | None) -> str:
        who = "" if holder is None else f" (process {holder.process} on {holder.host})"
        if holder is not None and holder.is_visible():
            return (
                f"{self.store.root}: another run works on this output{who}; wait until it has "
                "ended, or end it"
            )
        return (
            f"{self.store.root}: another run works on this output{who}, or was killed less than "
            f"{self.expiry_s:.0f} s ago. If it no longer runs, remove {_LEASES}/{name} there"
        )


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
