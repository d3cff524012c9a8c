"""Files of a model hub: hf://ORG/NAME@REVISION/PATH over plain https.

The environment says where and as whom, as users of the hub's own library expect: ``HF_ENDPOINT``,
``HF_TOKEN`` (or the file that ``HF_TOKEN_PATH`` or ``HF_HOME`` name) and ``HF_HUB_OFFLINE``.

Source: the hub's ``/ORG/NAME/resolve/REVISION/PATH``, which answers with the file or redirects to a
store that holds it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import IO, cast
from urllib.parse import quote

from udfs.files.http_file import HttpFile
from udfs.files.retry import RetryPolicy

HUB = "hf://"

_URI = re.compile(r"hf://(?P<repo>[\w.-]+/[\w.-]+)@(?P<revision>[^/@\s]+)/(?P<path>[^?#\s]+)")
_ENDPOINT = "https://huggingface.co"
_TRUE = frozenset({"1", "on", "yes", "true"})


def open_hub_file(uri: str, policy: RetryPolicy | None = None) -> IO[bytes]:
    """Open a file of the hub for reading.

    Raises:
        FileNotFoundError: no such repository, revision or file (or none that the token may see).
        PermissionError: the hub refuses the token, or a request without one.
        OSError: HF_HUB_OFFLINE is set; or anything else that prevents the read.
        ValueError: the URI has another form.
    """
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in _TRUE:
        raise OSError(f"HF_HUB_OFFLINE is set: {uri} is not fetched; unset it, or use a local path")
    try:
        file = HttpFile(hub_url(uri), uri, policy or RetryPolicy(), _token())
    except PermissionError as error:
        raise PermissionError(
            f"{error}; set HF_TOKEN to a token that may read this repository"
        ) from None
    return cast(IO[bytes], file)


def hub_url(uri: str) -> str:
    """The https URL of an hf:// URI.

    A revision is a commit, a tag or a branch; one with a slash has it as %2F. The catalogue's
    digest fixes what the file holds, wherever a branch moves.

    Raises:
        ValueError: the URI has another form.

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
    """The user's token, from the environment or from where the hub's own login writes it."""
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
