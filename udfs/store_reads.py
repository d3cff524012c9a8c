"""Reads of one file of a store through pyarrow, tried again where that is worth it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from udfs.retry import Retries, RetryPolicy

# The stores' own clients try again too, ten times with back-off (`udfs.files`): these tries are
# for what their patience does not cover, such as a connection that is reset in mid-answer.
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
