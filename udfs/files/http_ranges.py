"""Stretches of files behind https://, each one bounded GET, over a connection that stays open.

`udfs.files.http_file` reads a file to its end: a GET that is left early costs its connection, and a
TLS handshake a capture is more than the capture. Here every answer is read to its last byte, and
the connection serves the next one.
"""

from __future__ import annotations

import base64
import http.client
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from udfs.files.http_file import CONTENT_RANGE, USER_AGENT, ascii_url
from udfs.files.retry import RemoteReadError, Retries, RetryPolicy, StatusError, raise_for_status

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_PIECE_BYTES = 1 << 20
# What a server's closing of an idle connection looks like to the next request on it.
_STALE = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


class HttpRanges:
    """Reads stretches of the files of one or several hosts. One thread's; `close` it."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._links: dict[tuple[str, str], _Link] = {}
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
            except (FileNotFoundError, PermissionError, RemoteReadError):
                self.close()
                raise
            except (OSError, http.client.HTTPException) as error:
                self.close()
                headers = error.headers if isinstance(error, StatusError) else None
                retries.wait(error, len(stretch.got), headers)
        return bytes(stretch.got)

    def close(self) -> None:
        """Close the connections; a later read opens new ones."""
        self._whole = None
        for link in self._links.values():
            link.connection.close()
        self._links.clear()

    def _append(self, stretch: _Stretch) -> bool:
        """Append what one answer gives; whether the file ends there."""
        whole = self._whole
        if whole is not None and whole.url == stretch.url and whole.at <= stretch.at:
            return whole.append_to(stretch)
        if whole is not None:
            self.close()  # an answer that was not read to its end blocks its connection
        response = self._answer(stretch)
        if response.status == 416:
            self._finish(response)
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
            piece = response.read(min(missing, _PIECE_BYTES))
            if not piece:
                # http.client reports a connection that ends early as an empty read.
                raise ConnectionError("the connection ended early")
            stretch.got += piece
            missing -= len(piece)
        self._finish(response)
        return given[3] != "*" and int(given[2]) + 1 >= int(given[3])

    def _answer(self, stretch: _Stretch) -> Any:
        """The response to a GET of a stretch's missing part: 200, 206 or 416, after redirects."""
        last = stretch.offset + stretch.length - 1
        headers = {
            "User-Agent": USER_AGENT,
            "Accept-Encoding": "identity",
            "Range": f"bytes={stretch.at}-{last}",
        }
        url = stretch.url
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._get(url, headers)
            if response.status in (200, 206, 416):
                return response
            self._finish(response)
            if response.status not in _REDIRECTS:
                raise_for_status(response.status, stretch.name)
                raise StatusError(response.status, response.headers)
            url = urljoin(url, response.headers.get("Location", ""))
            if urlsplit(url).scheme not in ("http", "https"):
                break
        raise RemoteReadError(f"redirected to nowhere: {stretch.name}")

    def _get(self, url: str, headers: dict[str, str]) -> Any:
        parts = urlsplit(url)
        key = (parts.scheme, parts.netloc)
        kept = self._links.get(key)
        if kept is not None:
            try:
                return kept.get(url, headers)
            except _STALE:
                kept.connection.close()  # idle for too long: not a failure of the file
        link = self._links[key] = _link(*key, self._policy.timeout_s)
        return link.get(url, headers)

    def _finish(self, response: Any) -> None:
        """Read an answer to its end, which frees its connection; a long one is not worth it."""
        response.read(_PIECE_BYTES)
        if not response.isclosed():
            self.close()


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

    def __init__(self, url: str, response: Any) -> None:
        self.url = url
        self.at = 0
        self._response = response
        length = response.headers.get("Content-Length") or ""
        self._size = int(length) if length.isdigit() else None

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
        piece: bytes = self._response.read(min(most, _PIECE_BYTES))
        self.at += len(piece)
        if not piece and self._size is not None and self.at < self._size:
            raise ConnectionError("the connection ended early")
        return piece


@dataclass(frozen=True, slots=True)
class _Link:
    """A connection, and what is different on it when it leads to a proxy."""

    connection: http.client.HTTPConnection
    to_proxy: bool  # which takes the whole url; a tunnelled connection leads to the host
    headers: dict[str, str]

    def get(self, url: str, headers: dict[str, str]) -> Any:
        parts = urlsplit(ascii_url(url))
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        target = parts.geturl() if self.to_proxy else path
        self.connection.request("GET", target, headers={**headers, **self.headers})
        return self.connection.getresponse()


def _link(scheme: str, host: str, timeout_s: float) -> _Link:
    """A connection to a host, through the proxy that the environment names for it."""
    proxy = getproxies().get(scheme)
    if not proxy or proxy_bypass(host):
        return _Link(_connection(scheme, host, timeout_s), False, {})
    through = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    login = {}
    if through.username is not None:
        pair = f"{unquote(through.username)}:{unquote(through.password or '')}"
        login["Proxy-Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    address = through.netloc.rpartition("@")[2]
    if scheme == "http":
        return _Link(_connection(through.scheme, address, timeout_s), True, login)
    # http.client makes the tunnel on a plain connection and turns to TLS inside it.
    connection = _connection("https", address, timeout_s)
    connection.set_tunnel(host, headers=login)
    return _Link(connection, False, {})


def _connection(scheme: str, host: str, timeout_s: float) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, timeout=timeout_s, context=context)
    return http.client.HTTPConnection(host, timeout=timeout_s)
