"""PySpark's daemon, which forks Python workers, with everything loaded that the workers need.

    spark.python.daemon.module  udfs.base.worker_daemon

Java starts it with the executor's Python, which must have this module: in its environment, or in
its current folder. ``--py-files`` are unknown to a daemon.

A worker imports NumPy, Arrow, Numba and our modules, and loads compiled loops: 1.5 s of processor
time before its first row, on each core. A daemon that has loaded them forks workers that have them
too, and share the memory. On one machine it starts ahead, while Java starts: the process that Java
launches as its daemon then hands over its standard streams and environment, and waits for the end.
This takes 2.3 s of 19 from a run over 85 records, of which 0.8 s without the start ahead.

What cannot be loaded here is loaded by the workers, as with PySpark's own daemon. Models are not
loaded here, nor PyTorch, whose threads do not survive a fork.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from pathlib import Path
from select import select

DAEMON = "udfs.base.worker_daemon"
"""This module, as Spark's setting names it."""

MODULES = "TAOJIN_WORKER_MODULES"
"""Environment variable: names of modules that workers need, separated by commas."""

_SOCKET = "TAOJIN_WORKER_DAEMON"
"""Environment variable: path of the socket at which a daemon that was started ahead listens."""

_FIXED = {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}
"""Variables that take effect when Python or NumPy is loaded, and Spark's defaults for them."""

_AHEAD = "--ahead"
_END_S = 5.0
_MESSAGE_BYTES = 1 << 20
_DONE = b"1"


def main() -> None:
    """Be PySpark's daemon, or hand over to the one that was started ahead."""
    if not _handed_over():
        load_modules(os.environ.get(MODULES, ""))
        _serve()


def load_modules(names: str) -> None:
    """Import modules, load their compiled loops and keep the garbage collector from both.

    Forking is safe on Linux alone: macOS ends processes that fork with some libraries loaded.

    Args:
        names: Modules, separated by commas; none loads nothing.
    """
    if not names or sys.platform != "linux":
        return
    gc.disable()
    try:
        # Java reads the daemon's port from the standard output.
        with redirect_stdout(sys.stderr):
            for name in ("pyspark.worker", *names.split(",")):
                importlib.import_module(name)
            jit = sys.modules.get("udfs.base.jit")
            if jit is not None:
                jit.load_cached_loops()
    except Exception as error:  # whatever it is: a worker meets it again, where it has a message
        print(f"worker daemon: {type(error).__name__}: {error}", file=sys.stderr)
    gc.enable()
    gc.freeze()


@contextmanager
def daemon_ahead(python: str, modules: Sequence[str], log: Path | None = None) -> Iterator[None]:
    """Start the daemon of a Spark application on this machine before Java, which finds it.

    It ends with Spark's session, with this block where Java never asks for it, or with this
    process.

    Args:
        python: Executable of the workers.
        modules: Names of the modules that workers need.
        log: File for what it prints before Java's streams are its own; None leaves it on the
            terminal.
    """
    with ExitStack() as held:
        if modules and sys.platform == "linux":
            # Without it, the daemon loads the modules when Java starts it.
            with suppress(OSError):
                held.enter_context(_started(python, ",".join(modules), log))
        yield


@contextmanager
def _started(python: str, modules: str, log: Path | None) -> Iterator[None]:
    """Start a daemon that waits for Java's, and end it where that never comes.

    Raises:
        OSError: the system gives no process or socket, or the path of the latter is too long.
    """
    with (
        tempfile.TemporaryDirectory(prefix="taojin-") as folder,
        socket.socket(socket.AF_UNIX) as listening,
        ExitStack() as held,
    ):
        path = str(Path(folder) / "socket")
        listening.bind(path)
        listening.listen()
        # It ends, if nobody connects, when the other end of its standard input is closed.
        read_end, write_end = os.pipe()
        held.callback(os.close, write_end)
        with os.fdopen(read_end, "rb") as standard_input, ExitStack() as files:
            daemon = subprocess.Popen(
                [python, "-m", DAEMON, _AHEAD, str(listening.fileno()), modules],
                env={**_FIXED, **os.environ},
                stdin=standard_input,
                stderr=None if log is None else files.enter_context(log.open("ab")),
                pass_fds=[listening.fileno()],
            )
        listening.close()
        os.environ[_SOCKET] = path
        try:
            yield
        except KeyboardInterrupt:  # nobody will wait until it has loaded what workers need
            daemon.terminate()
            raise
        finally:
            del os.environ[_SOCKET]
            held.close()
            with suppress(subprocess.TimeoutExpired):
                daemon.wait(timeout=_END_S)


def _serve_ahead(listening: socket.socket, modules: str) -> None:
    """Load modules, then be the daemon of the first process that connects."""
    # As Java's own children: a terminal's interrupt is for the driver.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    load_modules(modules)
    ready, _, _ = select([listening.fileno(), 0], [], [])
    if listening.fileno() not in ready:
        return
    launcher, _ = listening.accept()
    listening.close()
    message, streams, _, _ = socket.recv_fds(launcher, _MESSAGE_BYTES, 3)
    while part := launcher.recv(_MESSAGE_BYTES):
        message += part
    start = json.loads(message)
    if any(start["env"].get(name) != os.environ.get(name) for name in _FIXED):
        return
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
        os.close(stream)
    os.environ.clear()
    os.environ.update(start["env"])
    sys.path[:] = start["path"]
    sys.argv[:] = start["argv"]
    launcher.sendall(_DONE)
    _serve()


def _handed_over() -> bool:
    """Hand over to the daemon that was started ahead, and wait until it ends.

    False where there is none, another launch has it, or its environment was another.
    """
    path = os.environ.get(_SOCKET)
    if path is None:
        return False
    start = {"env": dict(os.environ), "path": sys.path, "argv": sys.argv}
    with socket.socket(socket.AF_UNIX) as daemon:
        try:
            daemon.connect(path)
            socket.send_fds(daemon, [json.dumps(start).encode()], [0, 1, 2])
            daemon.shutdown(socket.SHUT_WR)
            if daemon.recv(1) != _DONE:
                return False
        except OSError:
            return False
        os.close(0)
        os.close(1)
        with suppress(OSError):
            daemon.recv(1)
    return True


def _serve() -> None:
    from pyspark import daemon

    daemon.manager()


if __name__ == "__main__":
    if sys.argv[1:2] == [_AHEAD]:
        _serve_ahead(socket.socket(fileno=int(sys.argv[2])), sys.argv[3])
    else:
        main()
