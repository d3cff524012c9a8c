"""Ranges of files behind https://, each one bounded GET, over a connection that stays open.

`udfs.files.http_file` reads a file to its end: a GET that is given up early costs its connection,
and a TLS handshake for each capture costs more than the capture. Here every response is read to
its last byte, so that the connection serves the next one.
"""

from __future__ import annotations

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from udfs.files.http_client import CONTENT_RANGE, HttpClient, finish
from udfs.files.retry import FINAL_ERRORS, RemoteReadError, Retries, RetryPolicy

_PIECE_BYTES = 128 << 10  # read1() allocates the bytes that it may return


class HttpRanges:
    """Reads ranges of the files of one or several hosts. For one thread; `close` it."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._client = HttpClient(policy.timeout_s)
        self._whole: _WholeFile | None = None

    def read(self, url: str, name: str, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset` on, fewer only where the file ends before.

        Args:
            name: The url for messages, without credentials.
        Raises:
            FileNotFoundError: 404 or 410.
            PermissionError: 401 or 403.
            RemoteReadError: any other status, given up after retries, or the file was replaced
                by another one between two tries.
        """
        retries = Retries(self._policy, name)
        wanted = _Range(url, name, offset, length)
        while len(wanted.data) < length:
            try:
                if self._append(wanted):
                    break
            except FINAL_ERRORS:
                self.close()
                raise
            except (OSError, HTTPError) as error:
                self.close()
                retries.wait(error, len(wanted.data))
        return bytes(wanted.data)

    def close(self) -> None:
        """Close the connections; a later read opens new ones."""
        self._whole = None
        self._client.close()

    def _append(self, wanted: _Range) -> bool:
        """Append the data of one response; return whether the file ends there."""
        whole = self._whole
        if whole is not None and whole.url == wanted.url and whole.at <= wanted.at:
            return whole.append_to(wanted)
        if whole is not None:
            self.close()  # a response that was not read to its end blocks its connection
        last = wanted.offset + wanted.length - 1
        response = self._client.request("GET", wanted.url, wanted.name, f"{wanted.at}-{last}")
        if response.status == 416:
            finish(response)
            return True
        wanted.check_etag(response.headers.get("ETag"))
        if response.status == 200:
            # A server without ranges. Reads come in the file's order, so the response is kept and
            # the file read once: another GET would send the whole file again.
            self._whole = _WholeFile(wanted.url, response)
            return self._whole.append_to(wanted)
        given = CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
        if (
            given is None
            or int(given[1]) != wanted.at
            or not (wanted.at <= int(given[2]) < wanted.offset + wanted.length)
        ):
            raise RemoteReadError(
                f"the server sent another range than the one requested: {wanted.name}"
            )
        missing = int(given[2]) - wanted.at + 1
        while missing > 0:
            piece = response.read1(min(missing, _PIECE_BYTES))
            if not piece:
                raise ConnectionError("the connection ended early")
            wanted.data += piece
            missing -= len(piece)
        finish(response)
        return given[3] != "*" and int(given[2]) + 1 >= int(given[3])


class _Range:
    """A requested range, and the data of it so far."""

    def __init__(self, url: str, name: str, offset: int, length: int) -> None:
        self.url = url
        self.name = name
        self.offset = offset
        self.length = length
        self.data = bytearray()
        self._etag: str | None = None

    @property
    def at(self) -> int:
        """Offset in the file of the first missing byte."""
        return self.offset + len(self.data)

    def check_etag(self, etag: str | None) -> None:
        """Raise RemoteReadError where the data so far is of another version of the file."""
        if self.data and self._etag and etag and etag != self._etag:
            raise RemoteReadError(f"the file changed during the read: {self.name}")
        self._etag = etag


class _WholeFile:
    """The response of a server that sends the whole file whatever range was requested."""

    def __init__(self, url: str, response: BaseHTTPResponse) -> None:
        self.url = url
        self.at = 0
        self._response = response
        self._size = response.length_remaining

    def append_to(self, wanted: _Range) -> bool:
        """Append to a range that is not before the position; return whether the file ends there."""
        while self.at < wanted.at:
            if not self._piece(wanted.at - self.at):
                return True
        while len(wanted.data) < wanted.length:
            piece = self._piece(wanted.length - len(wanted.data))
            if not piece:
                return True
            wanted.data += piece
        return self.at == self._size

    def _piece(self, most: int) -> bytes:
        piece = self._response.read1(min(most, _PIECE_BYTES))
        self.at += len(piece)
        if not piece and self._size is not None and self.at < self._size:
            raise ConnectionError("the connection ended early")
        return piece
