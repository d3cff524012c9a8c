"""Extract pages in an isolated process, so that a page which kills it becomes a counted failure.

A native library that crashes on one page in a thousand million kills its Python worker, in every
attempt at the split. The first attempt at a split extracts in the worker itself; any later one,
which follows a lost worker, sends each page to an isolated process. When that dies or does not
answer, the page is counted as a failure, and a new process continues with the next page.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection

from udfs.extract.outcomes import Failed, Outcome
from udfs.extract.pages import PageOptions, page_outcome
from udfs.warc.records import Damage, WarcRecord

LOST = "lost_worker"
"""Failure reason of a page that kills the process."""
NO_ANSWER = "no_answer"
"""Failure reason of a page that the process does not finish in time."""
LIMIT_S = 600.0
"""Seconds for a page: the slowest within the default limits takes two, and the first one may wait
for compilation."""

_COMMAND = (sys.executable, "-P", "-m", "udfs.extract.isolated_worker")


def isolated_outcomes(
    records: Iterable[WarcRecord | Damage],
    warc_path: str,
    options: PageOptions,
    command: Sequence[str] = _COMMAND,
    limit_s: float = LIMIT_S,
) -> Iterator[Outcome]:
    """Yield the outcome of every record, in order, as `udfs.extract.pages.page_outcome` returns it;
    a failure with LOST or NO_ANSWER where it returns none.

    Args:
        command: Starts the process; two file descriptors are appended, for requests and answers.
        limit_s: Seconds for a page.
    """
    process = _IsolatedProcess(command)
    try:
        for record in records:
            if isinstance(record, Damage):
                yield page_outcome(record, warc_path, options)
                continue
            process.start()
            found = process.outcome((record, warc_path, options), limit_s)
            if isinstance(found, str):
                process.stop()
                found = Failed(record.offset, found, record.field("warc-target-uri") or "")
            yield found
    finally:
        process.stop()


class _IsolatedProcess:
    """A process that extracts pages; started when needed."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: Connection
        self._requests: Connection

    def start(self) -> None:
        """Start the process unless it is running."""
        if self._process is not None:
            return
        (requests_out, requests_in), (answers_out, answers_in) = os.pipe(), os.pipe()
        # Spark extends the path of this process, not its environment.
        path = os.pathsep.join(part or os.getcwd() for part in sys.path)
        self._process = subprocess.Popen(
            [*self._command, str(requests_out), str(answers_in)],
            pass_fds=(requests_out, answers_in),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": path},
        )
        os.close(requests_out)
        os.close(answers_in)
        self._requests = Connection(requests_in, readable=False)
        self._answers = Connection(answers_out, writable=False)

    def outcome(
        self, request: tuple[WarcRecord, str, PageOptions], limit_s: float
    ) -> Outcome | str:
        """Return the outcome of a page, or LOST or NO_ANSWER."""
        try:
            self._requests.send(request)
            if not self._answers.poll(limit_s):
                return NO_ANSWER
            answer: Outcome = self._answers.recv()
        except (EOFError, OSError):
            return LOST
        return answer

    def stop(self) -> None:
        """Kill the process."""
        if self._process is None:
            return
        self._requests.close()
        self._answers.close()
        self._process.kill()
        self._process.wait()
        self._process = None


def serve(requests: Connection, answers: Connection) -> None:
    """Answer requests until the other side closes the connection."""
    with suppress(EOFError):
        while True:
            record, warc_path, options = requests.recv()
            answers.send(page_outcome(record, warc_path, options))


def main(argv: Sequence[str]) -> None:
    """Run the isolated process; arguments are the file descriptors of requests and answers."""
    requests, answers = map(int, argv)
    serve(Connection(requests, writable=False), Connection(answers, readable=False))


if __name__ == "__main__":
    main(sys.argv[1:])
