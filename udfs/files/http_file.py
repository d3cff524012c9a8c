"""A file behind https:// read from front to end, over as many connections as it takes.

The standard library's client and not fsspec's: fsspec reads in blocks, a request each (a
1 GB file is hundreds of requests to a host that asks for few), its event-loop thread does not
survive the fork that makes Spark's Python workers, and it gives up where a dropped connection
only has to be asked for the rest. Here a file is one GET; when the connection breaks, another
one with `Range` goes on at the byte where it broke.

Files of a model hub: hf://ORG/NAME@REVISION/PATH over plain https.

The environment says where and as whom, as users of the hub's own library expect: ``HF_ENDPOINT``,
``HF_TOKEN`` (or the file that ``HF_TOKEN_PATH`` or ``HF_HOME`` lead to) and ``HF_HUB_OFFLINE``.

Source: the hub's ``/ORG/NAME/resolve/REVISION/PATH``, which answers with the file or redirects to a
store that holds it.
"""

from __future__ import annotations

import http.client
import io
import os
import re
import urllib.error
import urllib.request
from email.message import Message
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import quote

from udfs.files.retry import RemoteReadError, Retries, RetryPolicy, raise_for_status

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


HUB = "hf://"

_URI = re.compile(r"hf://(?P<repo>[\w.-]+/[\w.-]+)@(?P<revision>[^/@\s]+)/(?P<path>[^?#\s]+)")
_ENDPOINT = "https://huggingface.co"
_TRUE = frozenset({"1", "on", "yes", "true"})
_BUFFER_BYTES = 1 << 20


class HubFile(io.RawIOBase):
    """A file of the hub, read once from front to end over as many connections as it takes."""

    def __init__(self, uri: str, policy: RetryPolicy) -> None:
        super().__init__()
        self._name = uri
        self._url = hub_url(uri)
        self._token = _token()
        self._timeout_s = policy.timeout_s
        self._retries = Retries(policy, uri)
        self._at = 0
        self._size: int | None = None
        self._response: Any = None
        self._connect()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """At least one byte unless the file is at its end."""
        while True:
            try:
                if self._response is None:
                    self._connect()
                data = self._response.read(len(buffer))
            except (OSError, http.client.HTTPException) as error:
                if isinstance(error, FileNotFoundError | PermissionError | RemoteReadError):
                    raise
                self._wait(error)
                continue
            if data or self._size is None or self._at >= self._size:
                buffer[: len(data)] = data
                self._at += len(data)
                return len(data)
            # http.client reports a connection that ends early as an empty read.
            self._wait(ConnectionError("the connection ended early"))

    def close(self) -> None:
        self._drop()
        super().close()

    def _connect(self) -> None:
        while True:
            try:
                self._response = self._request()
                return
            except urllib.error.HTTPError as error:
                error.close()
                raise_for_status(error.code, self._name)
                self._wait(error, error.headers)
            except (FileNotFoundError, PermissionError, RemoteReadError):
                raise
            except (OSError, http.client.HTTPException) as error:
                self._wait(error)

    def _request(self) -> Any:
        request = urllib.request.Request(self._url, headers={"User-Agent": USER_AGENT})
        request.add_header("Accept-Encoding", "identity")
        if self._at:
            request.add_header("Range", f"bytes={self._at}-")
        if self._token:
            # Unredirected: the store that the hub sends us to must not see it.
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        response = urllib.request.urlopen(request, timeout=self._timeout_s)
        given = CONTENT_RANGE.match(response.headers.get("Content-Range") or "")
        if self._at and (given is None or int(given[1]) != self._at):
            response.close()
            raise RemoteReadError(f"the server sent another range than asked: {self._name}")
        length = response.headers.get("Content-Length") or ""
        if self._size is None and length.isdigit():
            self._size = int(length)
        return response

    def _wait(self, error: Exception, headers: Any = None) -> None:
        self._drop()
        self._retries.wait(error, self._at, headers)

    def _drop(self) -> None:
        response, self._response = self._response, None
        if response is not None:
            response.close()


def open_hub_file(uri: str, policy: RetryPolicy | None = None) -> IO[bytes]:
    """Open a file of the hub for reading.

    Raises:
        FileNotFoundError: no such repository, revision or file (or none for this token).
        PermissionError: the token, or its absence, is refused.
        OSError: HF_HUB_OFFLINE is set; or anything else that keeps it from being read.
        ValueError: the URI has another shape.
    """
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in _TRUE:
        raise OSError(f"HF_HUB_OFFLINE is set: {uri} is not fetched")
    try:
        file = HubFile(uri, policy or RetryPolicy())
    except PermissionError as error:
        raise PermissionError(f"{error}; HF_TOKEN is the token that the hub is shown") from None
    return cast(IO[bytes], io.BufferedReader(file, _BUFFER_BYTES))


def hub_url(uri: str) -> str:
    """The https URL of an hf:// URI.

    A revision is a commit, a tag or a branch; one with a slash has it as %2F. What the file holds
    is fixed by its digest, whatever a branch moves to.

    Raises:
        ValueError: the URI has another shape.

    >>> hub_url("hf://org/name@main/model.bin")
    'https://huggingface.co/org/name/resolve/main/model.bin'
    """
    found = _URI.fullmatch(uri)
    if found is None or ".." in found["path"].split("/"):
        raise ValueError(f"{uri}: expected hf://ORG/NAME@REVISION/PATH")
    endpoint = (os.environ.get("HF_ENDPOINT") or _ENDPOINT).rstrip("/")
    revision, path = quote(found["revision"], safe="%"), quote(found["path"], safe="%/")
    return f"{endpoint}/{found['repo']}/resolve/{revision}/{path}"


def _token() -> str:
    """The user's token, from the environment or from where the hub's own login leaves it."""
    if os.environ.get("HF_HUB_DISABLE_IMPLICIT_TOKEN", "").lower() in _TRUE:
        return ""
    token = os.environ.get("HF_TOKEN", "").strip()
    if token:
        return token
    home = Path(os.environ.get("HF_HOME") or _cache_home() / "huggingface").expanduser()
    path = Path(os.environ.get("HF_TOKEN_PATH") or home / "token").expanduser()
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def _cache_home() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
