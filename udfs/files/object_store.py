"""Reads of one file of a store through pyarrow, tried again where that is worth it.

A file of an object store or of HDFS, read from front to end with one block ahead.

A store answers a ranged request after tens of milliseconds, whatever its length. While a block is
parsed, the next one is on its way; a block that fails is asked for again, alone.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from udfs.files.retry import Retries, RetryPolicy

# The stores' own clients try again too, ten times with back-off (`udfs.files.uris`): these tries
# are for what their patience does not cover, such as a connection that is reset in mid-answer.
_STORE_ATTEMPTS = 2
_DENIED = ("ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "HTTP status 403")

T = TypeVar("T")


class StoreReads:
    """One file, opened when it is first asked for. One thread's."""

    def __init__(self, open_file: Callable[[], Any], name: str, policy: RetryPolicy) -> None:
        """Say which file, and how long it is tried for.

        Args:
            open_file: Gives the file as pyarrow's open_input_file does.
            name: For messages: without credentials.
            policy: Of which no more than two attempts are used.
        """
        self._open_file = open_file
        self._name = name
        self._policy = replace(policy, attempts=min(_STORE_ATTEMPTS, policy.attempts))
        self._file: Any = None

    def size(self) -> int:
        """The length of the file in bytes. Raises as `read`."""
        return self._tried(lambda file: int(file.size()))

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from `offset` on: `length` of them, fewer only where the file ends before.

        Raises:
            FileNotFoundError: There is no such file.
            PermissionError: It may not be read.
            OSError: It cannot be read, after retries.
        """

        def read(file: Any) -> bytes:
            # At the end of the file, and behind it, the stores' answers differ.
            there = min(length, file.size() - offset)
            return bytes(file.read_at(there, offset)) if there > 0 else b""

        return self._tried(read)

    def close(self) -> None:
        """Close the file; a later read opens it again."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _tried(self, ask: Callable[[Any], T]) -> T:
        retries = Retries(self._policy, self._name)
        while True:
            try:
                if self._file is None:
                    self._file = self._open_file()
                return ask(self._file)
            except (FileNotFoundError, PermissionError):
                raise
            except OSError as error:
                self.close()
                if any(mark in str(error) for mark in _DENIED):
                    raise PermissionError(f"access denied: {self._name}") from error
                retries.wait(error, 0)


BLOCK_BYTES = 8 << 20


class StoreFile(io.RawIOBase):
    """A readable, seekable file. Holds two blocks at most.

    Raises:
        FileNotFoundError: There is no such file.
        PermissionError: It may not be read.
        OSError: It cannot be read, after retries.
    """

    def __init__(self, reads: StoreReads, block_bytes: int = BLOCK_BYTES) -> None:
        super().__init__()
        self._reads = reads
        self._block_bytes = block_bytes
        self._at = 0
        self._block = memoryview(b"")
        self._block_start = 0
        self._ahead: tuple[int, Future[bytes]] | None = None
        # One thread asks for every block, so that one connection serves them all.
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
        """Move; nothing is asked of the store before the next read."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError("seek before the start of the file")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, or less of it: what is there of the block; 0 at the end of the file."""
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
        """Close the connection, when what is on its way has come."""
        if not self.closed:
            self._block, self._ahead = memoryview(b""), None
            self._thread.submit(self._reads.close)
            self._thread.shutdown(wait=True)
        super().close()

    def _take_block(self) -> None:
        """Make the block that begins at the position the current one."""
        follows = self._at == self._block_start + len(self._block)
        ahead, self._ahead = self._ahead, None
        if ahead is None or ahead[0] != self._at:
            ahead = self._asked(self._at)
        data = ahead[1].result()
        if not data:
            raise OSError(f"the file became shorter while it was read: byte {self._at}")
        self._block, self._block_start = memoryview(data), self._at
        end = self._at + len(data)
        if follows and end < self._size:  # who jumps about has no use for what comes next
            self._ahead = self._asked(end)

    def _asked(self, start: int) -> tuple[int, Future[bytes]]:
        return start, self._thread.submit(self._reads.read, start, self._block_bytes)
