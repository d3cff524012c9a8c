"""Ctrl-C and SIGTERM: Java and its Python workers end with the command, in silence.

PySpark's own handler calls Java on the connection that the interrupted call still uses, and prints
what comes of it. Here Java is told to end, so that each call that waits for it fails, in whatever
thread; nothing is lost by that, since a wave counts only when it is committed.
"""

from __future__ import annotations

import signal
import subprocess
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from pyspark import SparkContext
from pyspark.java_gateway import launch_gateway

_JAVA_ENDS_S = 15.0
"""Seconds in which Java removes its temporary files; it is killed after that."""


class Terminated(KeyboardInterrupt):
    """The process was told to end by SIGTERM."""


@contextmanager
def stopped_by_signals(*, ends_java: bool = False) -> Iterator[None]:
    """Raise KeyboardInterrupt for SIGINT and `Terminated` for SIGTERM while the block runs.

    Only the main thread gets signals; in others the block just runs. An interrupt that the process
    was started to ignore stays ignored.

    Args:
        ends_java: Whether this command starts Java, which then ends with it; the jobs of another
            Java are cancelled.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _: FrameType | None) -> NoReturn:
        _silence_threads()
        java, context = _started_java(), SparkContext._active_spark_context
        if ends_java and java is not None:
            java.terminate()
            threading.Thread(target=_end, args=(java,), daemon=True).start()
        elif context is not None:
            # By a thread: each has its own connection to Java.
            threading.Thread(target=context.cancelAllJobs, daemon=True).start()
        stopped.append(Terminated() if number == signal.SIGTERM else KeyboardInterrupt())
        raise stopped[-1]

    stopped: list[KeyboardInterrupt] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN or number == signal.SIGTERM:
            signal.signal(number, stop)
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        if not stopped:
            raise
        if ends_java:
            _end_starting_java(error)
            java = _started_java()
            if java is not None:
                _end(java)
        # What was being cleaned up may have failed by Java's end.
        raise stopped[0] from (None if error is stopped[0] else error)
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _started_java() -> subprocess.Popen[bytes] | None:
    """Return the Java that this process has started; None under spark-submit."""
    java: subprocess.Popen[bytes] | None = getattr(SparkContext._gateway, "proc", None)
    return java


def _end_starting_java(error: BaseException) -> None:
    """End a Java that PySpark was starting: only the function that was interrupted knows it."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        process = frame.f_locals.get("proc") if frame.f_code is launch_gateway.__code__ else None
        if isinstance(process, subprocess.Popen):
            process.kill()  # it has written nothing yet
            process.wait()


def _silence_threads() -> None:
    """Keep threads that wait for Java from printing what becomes of their calls."""
    threading.excepthook = lambda _: None
    context = SparkContext._active_spark_context
    accumulators = getattr(context, "_accumulatorServer", None)
    if accumulators is not None:
        accumulators.handle_error = lambda *_: None


def _end(java: subprocess.Popen[bytes]) -> None:
    """Wait until Java has ended; kill it if that takes long."""
    try:
        java.wait(_JAVA_ENDS_S)
    except subprocess.TimeoutExpired:
        java.kill()
        java.wait()
