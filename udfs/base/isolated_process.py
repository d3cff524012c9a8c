"""A process that does the work which may kill it: its death or silence loses one piece of work.

A native library that crashes on one input in a thousand million kills its Python worker, in every
attempt at the task. Work that is sent to an isolated process ends there with a named reason
instead, and a new process continues with the next piece.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

LOST = "lost_worker"
"""The answer for work that kills the process."""
NO_ANSWER = "no_answer"
"""The answer for work that the process does not finish in time."""


class IsolatedProcess:
    """A process that answers requests one after another; started when needed.

    Requests and answers are pickled; an answer is never one of the texts LOST and NO_ANSWER.

    Args:
        command: Starts the process; two file descriptors are appended, for requests and answers,
            and the process gives them to `serve`.
    """

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

    def answer(self, request: object, limit_s: float) -> Any:
        """Return the answer to a request; LOST or NO_ANSWER, with the process stopped, where there
        is none. Starts the process where it is not running.

        Args:
            limit_s: Seconds to wait for the answer.
        """
        self.start()
        try:
            self._requests.send(request)
            if self._answers.poll(limit_s):
                return self._answers.recv()
            found = NO_ANSWER
        except (EOFError, OSError):
            found = LOST
        self.stop()
        return found

    def stop(self) -> None:
        """Kill the process."""
        if self._process is None:
            return
        self._requests.close()
        self._answers.close()
        self._process.kill()
        self._process.wait()
        self._process = None


def serve(descriptors: Sequence[str], answer: Callable[[Any], object]) -> None:
    """Answer requests until the other side closes the connection.

    Args:
        descriptors: Numbers of the file descriptors of requests and answers, as the process gets
            them behind its command.
    """
    requests, answers = map(int, descriptors)
    incoming, outgoing = Connection(requests, writable=False), Connection(answers, readable=False)
    with suppress(EOFError):
        while True:
            outgoing.send(answer(incoming.recv()))
