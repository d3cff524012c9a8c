"""Pages judged in a process of their own, so that one which kills it is a counted failure.

A library in machine code that stops on one page in a thousand million takes its Python worker
along, and so does every other attempt at the split. So the first attempt at a split is as fast as
can be, and any later one, which only a lost worker asks for, hands each page to a helper: when that
dies or does not answer, the page is the reason, and a new helper goes on with the next.
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
from udfs.warc.reader import Damage, WarcRecord

LOST = "lost_worker"
"""Failure reason of a page at which a process ends."""
NO_ANSWER = "no_answer"
"""Failure reason of a page that a process does not come to an end with."""
LIMIT_S = 600.0
"""Seconds for a page: the worst within the limits of the settings takes two, and the first may have
to wait for what is compiled."""

_COMMAND = (sys.executable, "-P", "-m", "udfs.extract.isolated_worker")


def careful_outcomes(
    records: Iterable[WarcRecord | Damage],
    warc_path: str,
    options: PageOptions,
    command: Sequence[str] = _COMMAND,
    limit_s: float = LIMIT_S,
) -> Iterator[Outcome]:
    """One outcome for every record, in order, as `udfs.extract.pages.page_outcome` gives it; a
    failure of the reasons above where it gives none.

    Args:
        command: Starts a helper, given two descriptors: to read from and to write to.
        limit_s: Seconds for a page.
    """
    helper = _Helper(command)
    try:
        for record in records:
            if isinstance(record, Damage):
                yield page_outcome(record, warc_path, options)
                continue
            helper.start()
            found = helper.ask((record, warc_path, options), limit_s)
            if isinstance(found, str):
                helper.stop()
                found = Failed(record.offset, found, record.field("warc-target-uri") or "")
            yield found
    finally:
        helper.stop()


class _Helper:
    """A process that judges pages, if it runs."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: Connection
        self._questions: Connection

    def start(self) -> None:
        """Start it where it does not run."""
        if self._process is not None:
            return
        (asked, asks), (answers, answered) = os.pipe(), os.pipe()
        # What Spark has put on the path of this process is not in its environment.
        path = os.pathsep.join(part or os.getcwd() for part in sys.path)
        self._process = subprocess.Popen(
            [*self._command, str(asked), str(answered)],
            pass_fds=(asked, answered),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": path},
        )
        os.close(asked)
        os.close(answered)
        self._questions = Connection(asks, readable=False)
        self._answers = Connection(answers, writable=False)

    def ask(self, question: tuple[WarcRecord, str, PageOptions], limit_s: float) -> Outcome | str:
        """Its answer, or the reason why there is none."""
        try:
            self._questions.send(question)
            if not self._answers.poll(limit_s):
                return NO_ANSWER
            answer: Outcome = self._answers.recv()
        except (EOFError, OSError):
            return LOST
        return answer

    def stop(self) -> None:
        """End it, whatever it does."""
        if self._process is None:
            return
        self._questions.close()
        self._answers.close()
        self._process.kill()
        self._process.wait()
        self._process = None


def serve(asked: Connection, answers: Connection) -> None:
    """Answer until nobody asks any more."""
    with suppress(EOFError):
        while True:
            record, warc_path, options = asked.recv()
            answers.send(page_outcome(record, warc_path, options))


def main(argv: Sequence[str]) -> None:
    """A helper's process."""
    asked, answered = map(int, argv)
    serve(Connection(asked, writable=False), Connection(answered, readable=False))


if __name__ == "__main__":
    main(sys.argv[1:])
