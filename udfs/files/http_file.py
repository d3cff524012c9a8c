"""A file behind https:// as a readable, seekable file object.

A file is one GET; when the connection breaks, another one with `Range` goes on at the byte where
it broke.
"""

from __future__ import annotations

import io
from typing import Any

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from udfs.files.http_client import CONTENT_RANGE, HttpClient, finish
from udfs.files.retry import (
    FINAL_ERRORS,
    RemoteReadError,
    Retries,
    RetryPolicy,
    raise_for_status,
)

_PIECE_BYTES = 256 << 10  # read1() allocates the bytes that it may return
_HEAD_TIMEOUT_S = 10.0


class HttpFile(io.RawIOBase):
    """A readable, seekable file over HTTP(S).

    Raises:
        FileNotFoundError: 404 or 410.
        PermissionError: 401 or 403.
        RemoteReadError: any other status, given up after retries, or the file was replaced
            by another one during the read.
    """

    def __init__(self, url: str, name: str, policy: RetryPolicy, token: str = "") -> None:
        """Send the first request, whose answer shows whether there is such a file.

        Args:
            name: The url for messages, without credentials.
            token: For the Authorization header of requests to the url's own host.
        """
        super().__init__()
        self._url = url
        self._name = name
        self._token = token
        self._client = HttpClient(policy.timeout_s)
        self._retries = Retries(policy, name)
        self._at = 0
        self._size: int | None = None
        self._etag: str | None = None
        self._response: BaseHTTPResponse | None = None
        while self._response is None:
            try:
                self._response = self._request()
            except FINAL_ERRORS:
                raise
            except (OSError, HTTPError) as error:
                self._retries.wait(error, 0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; the next read sends the request that this needs."""
        if whence == io.SEEK_CUR:
            offset += self._at
        elif whence == io.SEEK_END:
            if self._size is None:
                raise io.UnsupportedOperation(f"{self._name}: the server does not state its length")
            offset += self._size
        if offset < 0:
            raise ValueError(f"{self._name}: seek to {offset}, before the start of the file")
        if offset != self._at:
            self._drop()
            self._at = offset
        return offset

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        return b"".join(iter(lambda: self.read(_PIECE_BYTES), b""))

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; b"" only at the end of the file."""
        if size is None or size < 0:
            return self.readall()
        while size > 0 and (self._size is None or self._at < self._size):
            try:
                if self._response is None:
                    self._response = self._request()
                # Not read(): it would lose the bytes that come before a connection breaks.
                data = self._response.read1(min(size, _PIECE_BYTES))
                if not data and self._size is not None:
                    raise ConnectionError("the connection ended early")
            except FINAL_ERRORS:
                raise
            except (OSError, HTTPError) as error:
                self._drop()
                self._retries.wait(error, self._at)
                continue
            self._at += len(data)
            return data
        return b""

    def close(self) -> None:
        self._drop()
        super().close()

    def _drop(self) -> None:
        """Give up the response, and with it the connection that the rest of it blocks."""
        response, self._response = self._response, None
        if response is not None:
            response.close()
            self._client.close()

    def _request(self) -> BaseHTTPResponse:
        """A response that delivers the byte at the position next."""
        rest = f"{self._at}-" if self._at else ""
        response = self._client.request("GET", self._url, self._name, rest, self._token)
        if response.status == 416:  # behind the end: nothing comes
            finish(response)
            if not self._at:
                raise_for_status(response.status, self._name)
            return response
        etag = response.headers.get("ETag")
        total, skip = response.length_remaining, 0
        if response.status == 206:
            given = CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
            if given is None or int(given[1]) != self._at:
                response.close()
                raise RemoteReadError(
                    f"the server sent another range than the one requested: {self._name}"
                )
            total = None if given[3] == "*" else int(given[3])
        else:
            skip = self._at  # a server without ranges
        if (None not in (self._etag, etag) and etag != self._etag) or (
            None not in (self._size, total) and total != self._size
        ):
            response.close()
            raise RemoteReadError(f"the file changed during the read: {self._name}")
        self._etag = self._etag or etag
        self._size = total if total is not None else self._size
        while skip > 0:
            skipped = response.read1(min(skip, _PIECE_BYTES))
            if not skipped:
                break  # a shorter file than the position: nothing comes
            skip -= len(skipped)
        return response


def head_size(url: str, name: str) -> int | None:
    """Length of a remote file by one HEAD request; None when the server does not state it.

    Args:
        name: The url for messages, without credentials.
    Raises:
        FileNotFoundError: 404 or 410.
    """
    client = HttpClient(_HEAD_TIMEOUT_S)
    try:
        length = client.request("HEAD", url, name).headers.get("Content-Length") or ""
    except FileNotFoundError:
        raise
    except (OSError, HTTPError):
        return None  # reading retries and reports; planning only needs a size
    finally:
        client.close()
    return int(length) if length.isdigit() else None
