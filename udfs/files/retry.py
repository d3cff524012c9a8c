"""Retries of remote reads: after which failures, how many, and with what delays."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from urllib3.exceptions import HTTPError, ProtocolError

RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Limits of the retries of a remote file.

    Attributes:
        attempts: Consecutive failures, with less than `progress_bytes` read between two of them,
            before the error is raised.
        first_delay_s: Delay after the first failure; doubled at each further one, times a
            random factor of 0.5 to 1 so that a thousand workers do not retry together.
        max_delay_s: The longest delay, a server's Retry-After included.
        timeout_s: A connection without a byte for this long counts as broken.
    """

    attempts: int = 8
    first_delay_s: float = 0.5
    max_delay_s: float = 60.0
    timeout_s: float = 60.0
    progress_bytes: int = 1 << 20


class RemoteReadError(OSError):
    """A remote file could not be read to its end; the message has no credentials."""


FINAL_ERRORS = (FileNotFoundError, PermissionError, RemoteReadError)
"""Errors that another try does not change."""


class StatusError(OSError):
    """A response whose status is worth a retry; its headers may say when."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(f"status {status}")
        self.headers = headers


class Retries:
    """The failures of one read, counted against a policy."""

    def __init__(self, policy: RetryPolicy, name: str) -> None:
        self._policy = policy
        self._name = name  # for messages: without credentials
        self._failures = 0
        self._failed_at = 0

    def wait(self, error: Exception, at: int) -> None:
        """Sleep before the next try, as long as a StatusError's Retry-After asks for, or longer.

        Args:
            at: Byte at which it failed: a failure far behind the last one counts as the first.
        Raises:
            RemoteReadError: the policy allows no further try.
        """
        policy = self._policy
        if at - self._failed_at >= policy.progress_bytes:
            self._failures = 0
        self._failed_at = at
        self._failures += 1
        if self._failures >= policy.attempts:
            raise RemoteReadError(
                f"{self._name}: given up after {self._failures} tries at byte {at}: {_cause(error)}"
            ) from None
        delay = policy.first_delay_s * 2 ** (self._failures - 1) * random.uniform(0.5, 1.0)
        stated = _retry_after_s(error.headers) if isinstance(error, StatusError) else 0.0
        time.sleep(min(max(delay, stated), policy.max_delay_s))


def raise_for_status(status: int, name: str) -> None:
    """Raise for a status that a retry does not change.

    Raises:
        FileNotFoundError: 404, 410.
        PermissionError: 401, 403.
        RemoteReadError: any other that is not in RETRIED_STATUS.
    """
    if status in (404, 410):
        raise FileNotFoundError(f"no such remote file ({status}): {name}")
    if status in (401, 403):
        raise PermissionError(f"access denied ({status}): {name}")
    if status not in RETRIED_STATUS:
        raise RemoteReadError(f"the server answered {status}: {name}")


def _retry_after_s(headers: Mapping[str, str]) -> float:
    """Seconds that Retry-After states, as a number or as a date; 0 where it states none."""
    stated = (headers.get("Retry-After") or "").strip()
    if not stated or stated.isdigit():
        return float(stated or 0)
    try:
        until = parsedate_to_datetime(stated)
    except ValueError:
        return 0.0
    return (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


def _cause(error: Exception) -> str:
    """What failed, without the URL that some of urllib3's messages hold."""
    if isinstance(error, StatusError):
        return str(error)
    if isinstance(error, ProtocolError):
        return f"the connection ended early: {type(error.args[-1]).__name__}"
    if isinstance(error, HTTPError):
        origin = error.__cause__ or error.__context__
        if not isinstance(origin, OSError):
            return type(error).__name__
        error = origin
    return f"{type(error).__name__}: {error}"
