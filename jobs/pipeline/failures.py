"""Failures of a command as a user should read them: one line, what to do, and the exit status.

Errors of the project say themselves what is wrong. Those of Python, of a store's client, of Java
and of Spark are recognised by their messages, for which there is no other sign in most of them.
"""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.errors import PySparkException

from jobs.config import ConfigError
from jobs.config.exit_status import ExitStatus, NothingCameOut, NothingRead
from jobs.pipeline.changes import NotAgreed
from jobs.pipeline.interruption import Terminated
from jobs.run.console import say
from jobs.run.java_runtime import NoJava
from jobs.run.lease import OutputInUse
from jobs.transforms.spark_errors import innermost_cause
from udfs.files.store_clients import NoSuchBucket
from udfs.files.uris import InputNotFound

_WRONG_REQUEST = (ConfigError, InputNotFound, NoSuchBucket, OutputInUse, NotAgreed, NoJava)
_NOTHING = (NothingRead, NothingCameOut)
_OWN_ROOMS = ("jobs.", "udfs.")
_QUOTED = re.compile(r"'([^']+)'")
_FILE_ERRORS = {
    errno.ENOTDIR: "a file is in the place of a folder: choose another path, or remove the file",
    errno.EEXIST: "a file is in the place of a folder: choose another path, or remove the file",
    errno.EISDIR: "a folder is in the place of a file: choose another path",
    errno.EACCES: "permission denied: choose another path, or ask for the right to use this one",
    errno.EPERM: "permission denied: choose another path, or ask for the right to use this one",
    errno.EROFS: "is on a disk that is only read: choose another path",
    errno.ENOENT: "does not exist",
}
"""What a user can do about the errors that files have."""
_CONTINUES = "the same command then goes on from there"


@dataclass(frozen=True)
class _Known:
    """A cause that is told by what messages say of it."""

    pattern: re.Pattern[str]
    words: str
    """What is wrong and what to do; `{0}` is the first group that the pattern found."""
    is_request: bool = False
    """Whether the same command can never work, if it is found before any stage runs."""


def _known(pattern: str, words: str, *, is_request: bool = False) -> _Known:
    return _Known(re.compile(pattern), words, is_request)


_KNOWN = (
    _known(
        r"(?:(/[^\s:'\"()]+)[^\n]*)?(?:No space left on device|Disk quota exceeded|\[Errno 28\])",
        "a disk is full{0}: free space there, or set spark.local.dir and TMPDIR to a larger disk; "
        + _CONTINUES,
    ),
    _known(
        r"NO_SUCH_BUCKET|NoSuchBucket|The specified bucket does not exist|no such bucket",
        "there is no such bucket{0}: check its name and AWS_ENDPOINT_URL_S3",
        is_request=True,
    ),
    _known(
        r"ACCESS_DENIED|AccessDenied|INVALID_ACCESS_KEY_ID|InvalidAccessKeyId|"
        r"SIGNATURE_DOES_NOT_MATCH|NoAuthWithAWSException|NoCredentials|access denied: (\S+)|"
        r"Unable to load (?:AWS )?credentials|HTTP (?:response code|status) 403|Forbidden",
        "the store denies access{0}: give credentials by AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, a profile or the machine's role, or set AWS_NO_SIGN_REQUEST=YES "
        "for public data",
        is_request=True,
    ),
    _known(
        r"NETWORK_CONNECTION|curlCode|UnknownHostException|Could not resolve host|"
        r"ConnectException: .*[Cc]onnection refused|UnresolvedAddress|NewConnectionError|"
        r"NameResolutionError|No route to host",
        "a store or host cannot be reached{0}: check the network, the address and "
        "AWS_ENDPOINT_URL_S3; " + _CONTINUES,
    ),
    _known(
        r"Python worker exited unexpectedly|Python worker .*crashed|SIGKILL|exit code 137|"
        r"[Kk]illed by YARN|beyond (?:the )?(?:physical )?memory limit|OOMKilled",
        "a worker was killed, most often since memory ran out: give executors more "
        "(spark.executor.memoryOverhead), or run fewer tasks at once (local[N] in spark.master, "
        "spark.executor.cores); " + _CONTINUES,
    ),
    _known(
        r"OutOfMemoryError|GC overhead limit|Cannot allocate memory|MemoryError",
        "memory ran out: raise spark.driver.memory, on a cluster spark.executor.memory, or run "
        "fewer tasks at once (local[N] in spark.master); " + _CONTINUES,
    ),
    _known(
        r"ClassNotFoundException: Class (org\.apache\.hadoop\.fs\.\S+) not found|"
        r"No FileSystem for scheme \"?(\w+)",
        "Spark has no classes for this kind of store{0}: add its packages to spark.jars.packages "
        "(conf/spark-store.conf)",
        is_request=True,
    ),
    _known(
        r"Answer from Java side is empty|Error while sending or receiving|"
        r"An error occurred while trying to connect to the Java server",
        "Java has ended while Spark was working, most often since the system killed it when "
        "memory ran out: lower spark.driver.memory, or run fewer tasks at once; " + _CONTINUES,
    ),
    _known(
        r"Service 'sparkDriver' could not bind|Cannot assign requested address",
        "Spark cannot listen at this machine's address: set SPARK_LOCAL_IP=127.0.0.1",
    ),
)


@dataclass(frozen=True)
class Failure:
    """What a user is told of an error."""

    status: ExitStatus
    words: str
    is_own: bool
    """Whether it is told apart by the project itself, so that a traceback adds nothing."""


class StageFailed(RuntimeError):
    """A stage ended with an error, which is the cause of this one."""

    def __init__(self, stage: str) -> None:
        super().__init__(stage)
        self.stage = stage


@contextmanager
def failures_named(stage: str) -> Iterator[None]:
    """Say of an error in the block that a stage failed by it, unless it is a wrong request."""
    try:
        yield
    except (*_WRONG_REQUEST, *_NOTHING):
        raise
    except Exception as error:
        raise StageFailed(stage) from error


def failure_of(error: BaseException) -> Failure:
    """Say what an error means."""
    in_stage = ""
    if isinstance(error, StageFailed) and error.__cause__ is not None:
        in_stage, error = f"{error.stage} failed: ", error.__cause__
    if isinstance(error, _WRONG_REQUEST):
        return Failure(ExitStatus.WRONG_REQUEST, str(error), is_own=True)
    if isinstance(error, _NOTHING):
        return Failure(ExitStatus.NOTHING, str(error), is_own=True)
    if type(error).__module__.startswith(_OWN_ROOMS):
        return Failure(ExitStatus.FAILED, in_stage + str(error), is_own=True)
    text = _text_of(error)
    for known in _KNOWN:
        if found := known.pattern.search(text):
            place = next((f" ({group})" for group in found.groups() if group), "")
            is_request = known.is_request and not in_stage
            status = ExitStatus.WRONG_REQUEST if is_request else ExitStatus.FAILED
            return Failure(status, in_stage + known.words.format(place), is_own=False)
    if isinstance(error, OSError):
        status = ExitStatus.FAILED if in_stage else ExitStatus.WRONG_REQUEST
        return Failure(status, in_stage + _file_words(error), is_own=False)
    if isinstance(error, Py4JError | PySparkException):
        return Failure(ExitStatus.FAILED, in_stage + innermost_cause(text), is_own=False)
    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return Failure(ExitStatus.FAILED, in_stage + words.partition("\n")[0], is_own=False)


def report_failure(
    command: str, error: BaseException, log: Path | None = None, *, is_verbose: bool = False
) -> ExitStatus:
    """Write what went wrong as the last line; the traceback goes to the log.

    Args:
        log: The command's log file; None where it has none.
        is_verbose: Whether to print the traceback before the line.
    Returns:
        The exit status.
    """
    if isinstance(error, KeyboardInterrupt):
        return _report_stop(command, error)
    failure = failure_of(error)
    more = ""
    if is_verbose or (log is None and "PYSPARK_GATEWAY_PORT" in os.environ):
        traceback.print_exception(error, file=sys.stderr)
    elif not failure.is_own or log is not None:
        more = _keep_traceback(error, log)
    say(
        "failed",
        f"{command}: {failure.words}{more}",
        status=int(failure.status),
        reason=failure.words,
        log=None if log is None else str(log),
    )
    return failure.status


def _report_stop(command: str, error: KeyboardInterrupt) -> ExitStatus:
    is_terminated = isinstance(error, Terminated)
    status = ExitStatus.TERMINATED if is_terminated else ExitStatus.INTERRUPTED
    by = "SIGTERM" if is_terminated else "Ctrl-C"
    text = (
        f"{command}: stopped by {by}\nwhat was committed stays; the same command goes on from there"
    )
    say("stopped", text, status=int(status), signal=by)
    return status


def _keep_traceback(error: BaseException, log: Path | None) -> str:
    """Write a traceback to the log. Returns where it is to be found, as the end of a line."""
    if log is None:
        return " (--verbose shows where)"
    with suppress(OSError), log.open("a", encoding="utf-8") as file:  # its disk may be full
        traceback.print_exception(error, file=file)
    return f" (details: {log})"


def _text_of(error: BaseException) -> str:
    """Return the whole message of an error and of those that it follows from."""
    texts = []
    seen: BaseException | None = error
    while seen is not None:
        try:
            said = str(seen)
        except Py4JError:  # Java, which would say it, has ended
            said = ""
        texts.append(said if isinstance(seen, Py4JJavaError) else f"{type(seen).__name__}: {said}")
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return "\n".join(texts)


def _file_words(error: OSError) -> str:
    """Say which file could not be used, why, and what to do."""
    quoted = _QUOTED.search(str(error))  # pyarrow's errors have the path in their words alone
    path = error.filename or (None if quoted is None else quoted[1])
    if path is None or error.errno is None:
        return str(error).partition("\n")[0]
    why = _FILE_ERRORS.get(error.errno)
    return f"{path}: {why or os.strerror(error.errno).lower()}"
