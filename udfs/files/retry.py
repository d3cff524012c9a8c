"""Trying again: which answers are worth it, how often, and how long to wait in between."""

from __future__ import annotations

import http.client
import random
import time
import urllib.error
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime

RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long a remote file is tried for.

    Attributes:
        attempts: Failures in a row, with less than `progress_bytes` read between two of them,
            before the error is raised.
        first_delay_s: Wait after the first failure; doubled at each further one, times a
            random factor of 0.5 to 1 so that a thousand workers do not come back together.
        max_delay_s: The longest wait, a server's Retry-After included.
        timeout_s: Without a byte for this long a connection counts as broken.
    """

    attempts: int = 8
    first_delay_s: float = 0.5
    max_delay_s: float = 60.0
    timeout_s: float = 60.0
    progress_bytes: int = 1 << 20


class RemoteReadError(OSError):
    """A remote file that could not be read to its end; the message has no credentials."""


class StatusError(OSError):
    """An answer that says to come again: its status, and the headers that may say when."""

    def __init__(self, status: int, headers: Message) -> None:
        super().__init__(f"status {status}")
        self.headers = headers


class Retries:
    """The failures of one read, counted against a policy."""

    def __init__(self, policy: RetryPolicy, name: str) -> None:
        self._policy = policy
        self._name = name  # for messages: without credentials
        self._failures = 0
        self._failed_at = 0

    def wait(self, error: Exception, at: int, headers: Message | None = None) -> None:
        """Sleep before the next try.

        Args:
            at: Byte at which it failed: a failure far behind the last one is a first one.
            headers: Of the answer, where there was one; its Retry-After is honoured.
        Raises:
            RemoteReadError: there have been tries enough.
        """
        policy = self._policy
        if at - self._failed_at >= policy.progress_bytes:
            self._failures = 0
        self._failed_at = at
        self._failures += 1
        if self._failures >= policy.attempts:
            raise RemoteReadError(
                f"given up after {self._failures} tries at byte {at} of {self._name}: "
                f"{_cause(error)}"
            ) from None
        delay = policy.first_delay_s * 2 ** (self._failures - 1) * random.uniform(0.5, 1.0)
        time.sleep(min(max(delay, _asked_delay_s(headers)), policy.max_delay_s))


def raise_for_status(status: int, name: str) -> None:
    """Raise for a status that trying again does not change.

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


def _asked_delay_s(headers: Message | None) -> float:
    """Seconds that Retry-After asks for, as a number or as a date; 0 where it asks for none."""
    asked = (headers.get("Retry-After") or "").strip() if headers is not None else ""
    if not asked or asked.isdigit():
        return float(asked or 0)
    try:
        until = parsedate_to_datetime(asked)
    except ValueError:
        return 0.0
    return (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


def _cause(error: Exception) -> str:
    """What failed, without the URL that some messages hold."""
    if isinstance(error, urllib.error.HTTPError):
        return f"status {error.code}"
    if isinstance(error, urllib.error.URLError):
        return f"{type(error.reason).__name__}: {error.reason}"
    if isinstance(error, StatusError):
        return str(error)
    if isinstance(error, http.client.HTTPException):
        return type(error).__name__
    return f"{type(error).__name__}: {error}"
