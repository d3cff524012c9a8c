"""A file of an object store or of HDFS through pyarrow, in blocks, with one block read ahead.

A store answers a ranged request after tens of milliseconds, whatever its length: while a block is
parsed, the next one is being fetched. A block that fails is retried alone.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from udfs.files.retry import Retries, RetryPolicy

# The stores' own clients retry too, ten times with back-off (`udfs.files.uris`): these tries are
# for failures that they do not retry, such as a connection that is reset during a response.
_STORE_ATTEMPTS = 2
_DENIED = ("ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "HTTP status 403")

T = TypeVar("T")


class StoreReads:
    """Ranged reads of one file with retries. The first read opens it. For one thread."""

    def __init__(self, open_file: Callable[[], Any], name: str, policy: RetryPolicy) -> None:
        """Remember how to open the file.

        Args:
            open_file: Returns the file as pyarrow's open_input_file does.
            name: For messages: without credentials.
            policy: At most two of its attempts are used.
        """
        self._open_file = open_file
        self._name = name
        self._policy = replace(policy, attempts=min(_STORE_ATTEMPTS, policy.attempts))
        self._file: Any = None

    def size(self) -> int:
        """Return the length of the file in bytes. Raises as `read`."""
        return self._with_retries(lambda file: int(file.size()))

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset` on, fewer only where the file ends before.

        Raises:
            FileNotFoundError: There is no such file.
            PermissionError: Access is denied.
            OSError: The read failed, after retries.
        """

        def read(file: Any) -> bytes:
            # At the end of the file, and behind it, stores answer differently.
            there = min(length, file.size() - offset)
            return bytes(file.read_at(there, offset)) if there > 0 else b""

        return self._with_retries(read)

    def close(self) -> None:
        """Close the file; a later read opens it again."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _with_retries(self, request: Callable[[Any], T]) -> T:
        retries = Retries(self._policy, self._name)
        while True:
            try:
                if self._file is None:
                    self._file = self._open_file()
                return request(self._file)
            except (FileNotFoundError, PermissionError):
                raise
            except OSError as error:
                self.close()
                if any(mark in str(error) for mark in _DENIED):
                    raise PermissionError(f"access denied: {self._name}") from error
                retries.wait(error, 0)


BLOCK_BYTES = 8 << 20


class StoreFile(io.RawIOBase):
    """A readable, seekable file. Holds at most two blocks in memory.

    Raises:
        FileNotFoundError: There is no such file.
        PermissionError: Access is denied.
        OSError: The read failed, after retries.
    """

    def __init__(self, reads: StoreReads, block_bytes: int = BLOCK_BYTES) -> None:
        super().__init__()
        self._reads = reads
        self._block_bytes = block_bytes
        self._at = 0
        self._block = memoryview(b"")
        self._block_start = 0
        self._ahead: tuple[int, Future[bytes]] | None = None
        # One thread requests every block, so that one connection serves them all.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-file")
        try:
            self._size = self._thread.submit(reads.size).result()
        except BaseException:
            self.close()
            raise

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; the store gets no request before the next read."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError(f"seek to {start + offset}, before the start of the file")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read at most the rest of the current block; 0 at the end of the file."""
        if self._at >= self._size:
            return 0
        if not self._block_start <= self._at < self._block_start + len(self._block):
            self._take_block()
        start = self._at - self._block_start
        piece = self._block[start : start + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        """Close the file, after the block that is being fetched has arrived."""
        if not self.closed:
            self._block, self._ahead = memoryview(b""), None
            self._thread.submit(self._reads.close)
            self._thread.shutdown(wait=True)
        super().close()

    def _take_block(self) -> None:
        """Make the current block the one that begins at the position."""
        follows = self._at == self._block_start + len(self._block)
        ahead, self._ahead = self._ahead, None
        if ahead is None or ahead[0] != self._at:
            ahead = self._fetch(self._at)
        data = ahead[1].result()
        if not data:
            raise OSError(f"the file became shorter during the read: no byte {self._at}")
        self._block, self._block_start = memoryview(data), self._at
        end = self._at + len(data)
        if follows and end < self._size:  # after a seek the next block may not be needed
            self._ahead = self._fetch(end)

    def _fetch(self, start: int) -> tuple[int, Future[bytes]]:
        return start, self._thread.submit(self._reads.read, start, self._block_bytes)
