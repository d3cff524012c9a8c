"""Bounded stretches of files wherever they lie: local, s3://, gs://, hdfs://, https://."""

from __future__ import annotations

from functools import partial
from types import TracebackType

from udfs.files import canonical_uri, filesystem, redact, scheme_of
from udfs.http_ranges import HttpRanges
from udfs.retry import RetryPolicy
from udfs.store_reads import StoreReads


class RangeReader:
    """Reads stretches of files. One thread's; a context manager.

    The file that was read last stays open: stretches come file by file.
    """

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._http = HttpRanges(policy)
        self._uri: str | None = None
        self._reads: StoreReads | None = None

    def read(self, uri: str, offset: int, length: int) -> bytes:
        """The bytes from `offset` on: `length` of them, fewer only where the file ends before.

        Raises:
            FileNotFoundError: There is no such file.
            PermissionError: It may not be read.
            OSError: It cannot be read, after retries where these are worth it.
        """
        canonical = canonical_uri(uri)
        if scheme_of(canonical) in ("http", "https"):
            return self._http.read(canonical, redact(canonical), offset, length)
        if canonical != self._uri or self._reads is None:
            self._close_file()
            store, path = filesystem(canonical)
            opened = partial(store.open_input_file, path)
            self._reads = StoreReads(opened, redact(canonical), self._policy)
            self._uri = canonical
        return self._reads.read(offset, length)

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

    def _close_file(self) -> None:
        reads, self._reads, self._uri = self._reads, None, None
        if reads is not None:
            reads.close()
