"""Bounded stretches of files wherever they lie: local, s3://, gs://, hdfs://, https://."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Any

from udfs.files import canonical_uri, filesystem, redact, scheme_of
from udfs.http_ranges import HttpRanges
from udfs.retry import Retries, RetryPolicy

# The stores' own clients try again too, ten times with back-off (`udfs.files`): these tries are
# for what their patience does not cover, such as a connection that is reset in mid-answer.
_STORE_ATTEMPTS = 2
_DENIED = ("ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "HTTP status 403")


class RangeReader:
    """Reads stretches of files. One thread's; a context manager.

    The file that was read last stays open: stretches come file by file.
    """

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._http = HttpRanges(policy)
        self._uri: str | None = None
        self._file: Any = None

    def read(self, uri: str, offset: int, length: int) -> bytes:
        """The bytes from `offset` on: `length` of them, fewer only where the file ends before.

        Raises:
            FileNotFoundError: There is no such file.
            PermissionError: It may not be read.
            OSError: It cannot be read, after retries where these are worth it.
        """
        canonical = canonical_uri(uri)
        scheme = scheme_of(canonical)
        if scheme in ("http", "https"):
            return self._http.read(canonical, redact(canonical), offset, length)
        if scheme == "":
            return self._read_open(canonical, offset, length)
        attempts = min(_STORE_ATTEMPTS, self._policy.attempts)
        retries = Retries(replace(self._policy, attempts=attempts), redact(canonical))
        while True:
            try:
                return self._read_open(canonical, offset, length)
            except (FileNotFoundError, PermissionError):
                raise
            except OSError as error:
                self._close_file()
                if any(mark in str(error) for mark in _DENIED):
                    raise PermissionError(f"access denied: {redact(canonical)}") from error
                retries.wait(error, 0)

    def close(self) -> None:
        """Close what is open; a later read opens it again."""
        self._close_file()
        self._http.close()

    def __enter__(self) -> RangeReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read_open(self, uri: str, offset: int, length: int) -> bytes:
        if uri != self._uri:
            self._close_file()
            store, path = filesystem(uri)
            self._file = store.open_input_file(path)
            self._uri = uri
        # At the end of the file, and behind it, the stores' answers differ.
        length = min(length, self._file.size() - offset)
        return bytes(self._file.read_at(length, offset)) if length > 0 else b""

    def _close_file(self) -> None:
        file, self._file, self._uri = self._file, None, None
        if file is not None:
            file.close()
