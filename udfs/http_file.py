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
import re
import urllib.error
import urllib.request
from email.message import Message
from typing import IO, Any
from urllib.parse import quote

from udfs.retry import RemoteReadError, Retries, RetryPolicy, raise_for_status

CONTENT_RANGE = re.compile(r"bytes\s+(\d+)-(\d+)/(\d+|\*)")
_URL_CHARACTERS = "%/?:@&=+$,;#!'()*[]~"
_SKIP_BYTES = 1 << 20
USER_AGENT = "taojin (Common Crawl reader)"


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
        self._retries = Retries(policy, name)
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
                raise_for_status(error.code, self._name)
                self._wait(error, error.headers)
            except (FileNotFoundError, PermissionError, RemoteReadError):
                raise
            except (OSError, http.client.HTTPException) as error:
                self._wait(error, None)

    def _request(self) -> Any:
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
        if self._at:
            headers["Range"] = f"bytes={self._at}-"
        request = urllib.request.Request(ascii_url(self._url), headers=headers)
        response = urllib.request.urlopen(request, timeout=self._policy.timeout_s)
        etag = response.headers.get("ETag")
        if self._etag is not None and etag is not None and etag != self._etag:
            response.close()
            raise RemoteReadError(f"the file changed while it was read: {self._name}")
        self._etag = self._etag or etag
        skip = 0
        if response.status == 206:
            given = CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
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
        self._retries.wait(error, self._at, headers)


def ascii_url(url: str) -> str:
    """The url as a request may hold it; what is quoted already stays as it is.

    >>> ascii_url("https://h/空 a%20b?x=1&y=é")
    'https://h/%E7%A9%BA%20a%20b?x=1&y=%C3%A9'
    """
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host}{slash}{quote(path, safe=_URL_CHARACTERS)}"


def head_size(url: str, timeout_s: float = 10.0) -> int | None:
    """Length of a remote file by one HEAD request; None when the server does not say.

    Raises:
        FileNotFoundError: 404 or 410.
    """
    request = urllib.request.Request(
        ascii_url(url), method="HEAD", headers={"User-Agent": USER_AGENT}
    )
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
