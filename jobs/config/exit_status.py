"""The exit statuses of all commands: --help and jobs/README.md list them from here.

Errors that have a status of their own, whatever raises them, are here too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from enum import IntEnum


class ExitStatus(IntEnum):
    """What the exit status of a command says."""

    DONE = 0
    FAILED = 1
    WRONG_REQUEST = 2
    NOTHING = 3
    INTERRUPTED = 130
    TERMINATED = 143


class NothingRead(RuntimeError):
    """No input file could be opened."""


class NothingCameOut(RuntimeError):
    """All that was read failed, or the last stage kept nothing."""


MEANINGS = {
    ExitStatus.DONE: "done",
    ExitStatus.FAILED: "a stage, a store or a machine failed; the same command goes on from what "
    "is committed",
    ExitStatus.WRONG_REQUEST: "the request is wrong: no stage was run by it",
    ExitStatus.NOTHING: "everything that was read failed, or nothing came out; "
    "run.allow_empty=true makes this 0",
    ExitStatus.INTERRUPTED: "stopped by Ctrl-C; the same command goes on from what is committed",
    ExitStatus.TERMINATED: "stopped by SIGTERM; as with Ctrl-C",
}
"""Of the commands that run stages."""

MEANINGS_WITHOUT_STAGES = {
    ExitStatus.DONE: "done",
    ExitStatus.FAILED: "a service refused the request, or a check found a difference",
    ExitStatus.WRONG_REQUEST: "the request is wrong, or a file cannot be used",
    ExitStatus.INTERRUPTED: "stopped by Ctrl-C",
}
"""Of the commands that run without Spark."""


def exit_status_help(meanings: Mapping[ExitStatus, str] = MEANINGS) -> str:
    """Return exit statuses as lines for --help."""
    lines = (f"  {status:<4d} {words}" for status, words in meanings.items())
    return "\n".join(["exit status:", *lines])


def exit_status_table() -> str:
    """Return the exit statuses of stages as a table in Markdown."""
    rows = [f"| {status:d} | {words} |" for status, words in MEANINGS.items()]
    return "\n".join(["| exit status | meaning |", "|---|---|", *rows])


def until_interrupted(command: str, main: Callable[[], int]) -> int:
    """Run a command without stages; Ctrl-C ends it with one line. Returns its exit status."""
    try:
        return main()
    except KeyboardInterrupt:
        print(f"{command}: stopped by Ctrl-C", file=sys.stderr)
        return ExitStatus.INTERRUPTED
