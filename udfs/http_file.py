"""A file behind https:// read from front to end, over as many connections as it takes.

The standard library's client and not fsspec's: fsspec reads in blocks, a request each (a
1 GB file is hundreds of requests to a host that asks for few), its event-loop thread does not
survive the fork that makes Spark's Python workers, and it gives up where a dropped connection
only has to be asked for the rest. Here a file is one GET; when the connection breaks, another
one with `Range` goes on at the byte where it broke.
"""

from __future__ import annotations

import http.client
import io
import random
import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from typing import IO, Any

_RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_CONTENT_RANGE = re.compile(r"bytes\s+(\d+)-(\d+)/(\d+|\*)")
_SKIP_BYTES = 1 << 20
_USER_AGENT = "taojin (Common Crawl reader)"


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


class HttpFile(io.RawIOBase):
    """A readable, seekable file over HTTP(S).

    Raises:
        FileNotFoundError: 404 or 410.
        PermissionError: 401 or 403.
        RemoteReadError: Any other status, given up after retries, or the file was replaced
            by another while being read.
    """

    def __init__(self, url: str, name: str, policy: RetryPolicy) -> None:
        super().__init__()
        self._url = url
        self._name = name
        self._policy = policy
        self._at = 0
        self._size: int | None = None
        self._etag: str | None = None
        self._response: Any = None
        self._failures = 0
        self._failed_at = 0
        self._connect()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; the request that follows from it is made by the next read."""
        if whence == io.SEEK_CUR:
            offset += self._at
        elif whence == io.SEEK_END:
            if self._size is None:
                raise io.UnsupportedOperation(f"length not known: {self._name}")
            offset += self._size
        if offset < 0:
            raise ValueError("seek before the start of the file")
        if offset != self._at:
            self._drop()
            self._at = offset
        return offset

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        return b"".join(iter(lambda: self.read(_SKIP_BYTES), b""))

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; b"" only at the end of the file."""
        if size is None or size < 0:
            return self.readall()
        while size > 0:
            if self._size is not None and self._at >= self._size:
                return b""
            try:
                if self._response is None:
                    self._connect()
                data: bytes = self._response.read(size)
            except (OSError, http.client.HTTPException) as error:
                if isinstance(error, (FileNotFoundError, PermissionError, RemoteReadError)):
                    raise
                self._wait(error, None)
                continue
            if data:
                self._at += len(data)
                return data
            if self._size is None or self._at >= self._size:
                return b""
            # http.client reports a connection that ends early as an empty read.
            self._wait(ConnectionError("the connection ended early"), None)
        return b""

    def close(self) -> None:
        self._drop()
        super().close()

    def _drop(self) -> None:
        response, self._response = self._response, None
        if response is not None:
            response.close()

    def _connect(self) -> None:
        """Open a connection that delivers the byte at the position next."""
        while True:
            try:
                self._response = self._request()
                return
            except urllib.error.HTTPError as error:
                error.close()
                if error.code == 416 and self._at > 0:
                    self._response = io.BytesIO()
                    return
                _raise_for(error.code, self._name)
                self._wait(error, error.headers)
            except (FileNotFoundError, PermissionError, RemoteReadError):
                raise
            except (OSError, http.client.HTTPException) as error:
                self._wait(error, None)

    def _request(self) -> Any:
        headers = {"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"}
        if self._at:
            headers["Range"] = f"bytes={self._at}-"
        request = urllib.request.Request(self._url, headers=headers)
        response = urllib.request.urlopen(request, timeout=self._policy.timeout_s)
        etag = response.headers.get("ETag")
        if self._etag is not None and etag is not None and etag != self._etag:
            response.close()
            raise RemoteReadError(f"the file changed while it was read: {self._name}")
        self._etag = self._etag or etag
        skip = 0
        if response.status == 206:
            given = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
            if given is None or int(given[1]) != self._at:
                response.close()
                raise RemoteReadError(f"the server sent another range than asked: {self._name}")
            total = None if given[3] == "*" else int(given[3])
        else:
            length = response.headers.get("Content-Length")
            total = int(length) if length and length.isdigit() else None
            skip = self._at  # a server without ranges
        if self._size is not None and total is not None and total != self._size:
            response.close()
            raise RemoteReadError(f"the file changed while it was read: {self._name}")
        self._size = total if total is not None else self._size
        while skip > 0:
            passed = response.read(min(skip, _SKIP_BYTES))
            if not passed:
                response.close()
                raise ConnectionError("the connection ended early")
            skip -= len(passed)
        return response

    def _wait(self, error: Exception, headers: Message | None) -> None:
        """Sleep before the next try; raises when there have been enough."""
        self._drop()
        policy = self._policy
        if self._at - self._failed_at >= policy.progress_bytes:
            self._failures = 0
        self._failed_at = self._at
        self._failures += 1
        if self._failures >= policy.attempts:
            raise RemoteReadError(
                f"given up after {self._failures} tries at byte {self._at} of {self._name}: "
                f"{_cause(error)}"
            ) from None
        delay = policy.first_delay_s * 2 ** (self._failures - 1) * random.uniform(0.5, 1.0)
        asked = headers.get("Retry-After", "") if headers is not None else ""
        if asked.strip().isdigit():
            delay = max(delay, float(asked))
        time.sleep(min(delay, policy.max_delay_s))


def head_size(url: str, timeout_s: float = 10.0) -> int | None:
    """Length of a remote file by one HEAD request; None when the server does not say.

    Raises:
        FileNotFoundError: 404 or 410.
    """
    request = urllib.request.Request(url, method="HEAD", headers={"User-Agent": _USER_AGENT})
    try:
        response: IO[bytes]
        with urllib.request.urlopen(request, timeout=timeout_s) as response:
            length = response.headers.get("Content-Length")  # type: ignore[attr-defined]
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (404, 410):
            raise FileNotFoundError("no such remote file") from None
        return None
    except (OSError, http.client.HTTPException):
        return None  # reading retries and reports; planning only wants a size
    return int(length) if length and length.isdigit() else None


def _raise_for(status: int, name: str) -> None:
    """Raise for a status that trying again does not change."""
    if status in (404, 410):
        raise FileNotFoundError(f"no such remote file ({status}): {name}")
    if status in (401, 403):
        raise PermissionError(f"access denied ({status}): {name}")
    if status not in _RETRIED_STATUS:
        raise RemoteReadError(f"the server answered {status}: {name}")


def _cause(error: Exception) -> str:
    """What failed, without the URL that some messages hold."""
    if isinstance(error, urllib.error.HTTPError):
        return f"status {error.code}"
    if isinstance(error, urllib.error.URLError):
        return f"{type(error.reason).__name__}: {error.reason}"
    return f"{type(error).__name__}: {error}"
