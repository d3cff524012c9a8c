"""Files of a model hub: hf://ORG/NAME@REVISION/PATH over plain https.

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
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import quote

from udfs.http_file import CONTENT_RANGE, USER_AGENT
from udfs.retry import RemoteReadError, Retries, RetryPolicy, raise_for_status

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
