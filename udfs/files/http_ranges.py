"""Stretches of files behind https://, each one bounded GET, over a connection that stays open.

`udfs.files.http_file` reads a file to its end: a GET that is left early costs its connection, and a
TLS handshake a capture is more than the capture. Here every answer is read to its last byte, and
the connection serves the next one.
"""

from __future__ import annotations

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from udfs.files.http_client import CONTENT_RANGE, HttpClient, finish
from udfs.files.retry import FINAL_ERRORS, RemoteReadError, Retries, RetryPolicy

_PIECE_BYTES = 128 << 10  # read1() allocates the bytes that it may return


class HttpRanges:
    """Reads stretches of the files of one or several hosts. One thread's; `close` it."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._client = HttpClient(policy.timeout_s)
        self._whole: _WholeAnswer | None = None

    def read(self, url: str, name: str, offset: int, length: int) -> bytes:
        """The bytes from `offset` on: `length` of them, fewer only where the file ends before.

        Args:
            name: The url for messages, without credentials.
        Raises:
            FileNotFoundError: 404 or 410.
            PermissionError: 401 or 403.
            RemoteReadError: any other status, given up after retries, or the file was replaced
                by another between two tries.
        """
        retries = Retries(self._policy, name)
        stretch = _Stretch(url, name, offset, length)
        while len(stretch.got) < length:
            try:
                if self._append(stretch):
                    break
            except FINAL_ERRORS:
                self.close()
                raise
            except (OSError, HTTPError) as error:
                self.close()
                retries.wait(error, len(stretch.got))
        return bytes(stretch.got)

    def close(self) -> None:
        """Close the connections; a later read opens new ones."""
        self._whole = None
        self._client.close()

    def _append(self, stretch: _Stretch) -> bool:
        """Append what one answer gives; whether the file ends there."""
        whole = self._whole
        if whole is not None and whole.url == stretch.url and whole.at <= stretch.at:
            return whole.append_to(stretch)
        if whole is not None:
            self.close()  # an answer that was not read to its end blocks its connection
        last = stretch.offset + stretch.length - 1
        response = self._client.request("GET", stretch.url, stretch.name, f"{stretch.at}-{last}")
        if response.status == 416:
            finish(response)
            return True
        stretch.check_etag(response.headers.get("ETag"))
        if response.status == 200:
            # No ranges here. The stretches come in the file's order, so the answer is kept and
            # the file read once: another GET would be the whole file again.
            self._whole = _WholeAnswer(stretch.url, response)
            return self._whole.append_to(stretch)
        given = CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
        if (
            given is None
            or int(given[1]) != stretch.at
            or not (stretch.at <= int(given[2]) < stretch.offset + stretch.length)
        ):
            raise RemoteReadError(f"the server sent another range than asked: {stretch.name}")
        missing = int(given[2]) - stretch.at + 1
        while missing > 0:
            piece = response.read1(min(missing, _PIECE_BYTES))
            if not piece:
                raise ConnectionError("the connection ended early")
            stretch.got += piece
            missing -= len(piece)
        finish(response)
        return given[3] != "*" and int(given[2]) + 1 >= int(given[3])


class _Stretch:
    """What is asked for, and what there is of it so far."""

    def __init__(self, url: str, name: str, offset: int, length: int) -> None:
        self.url = url
        self.name = name
        self.offset = offset
        self.length = length
        self.got = bytearray()
        self._etag: str | None = None

    @property
    def at(self) -> int:
        """Place in the file of the first missing byte."""
        return self.offset + len(self.got)

    def check_etag(self, etag: str | None) -> None:
        """Refuse to join the parts of two versions of a file."""
        if self.got and self._etag and etag and etag != self._etag:
            raise RemoteReadError(f"the file changed while it was read: {self.name}")
        self._etag = etag


class _WholeAnswer:
    """The answer of a server that sends the whole file whatever range was asked for."""

    def __init__(self, url: str, response: BaseHTTPResponse) -> None:
        self.url = url
        self.at = 0
        self._response = response
        self._size = response.length_remaining

    def append_to(self, stretch: _Stretch) -> bool:
        """Append to a stretch that is not behind the position; whether the file ends there."""
        while self.at < stretch.at:
            if not self._piece(stretch.at - self.at):
                return True
        while len(stretch.got) < stretch.length:
            piece = self._piece(stretch.length - len(stretch.got))
            if not piece:
                return True
            stretch.got += piece
        return self.at == self._size

    def _piece(self, most: int) -> bytes:
        piece = self._response.read1(min(most, _PIECE_BYTES))
        self.at += len(piece)
        if not piece and self._size is not None and self.at < self._size:
            raise ConnectionError("the connection ended early")
        return piece
