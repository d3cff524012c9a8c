"""Files of a store, block by block with one ahead, and what a bad store does to them."""

from __future__ import annotations

import io
import random
import threading
from collections.abc import Callable

import pytest

from tests.udfs.files.test_http_ranges import CONTENT, FAST
from udfs.files.object_store import StoreFile, StoreReads
from udfs.files.retry import RemoteReadError

BLOCK = 1_000


class _Store:
    """A file as pyarrow opens it, which notes what was asked of it."""

    def __init__(self, answer: Callable[[int, int], bytes] | None = None) -> None:
        self.asked: list[int] = []
        self.arrived = threading.Condition()
        self.answer = answer or (lambda offset, length: CONTENT[offset : offset + length])
        self.opened = 0
        self.closed = 0

    def open(self) -> _Store:
        self.opened += 1
        return self

    def size(self) -> int:
        return len(CONTENT)

    def read_at(self, length: int, offset: int) -> bytes:
        with self.arrived:
            self.asked.append(offset)
            self.arrived.notify_all()
        return self.answer(offset, length)

    def close(self) -> None:
        self.closed += 1

    def wait_for(self, requests: int) -> None:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.asked) >= requests, timeout=600)


def opened(store: _Store) -> StoreFile:
    return StoreFile(StoreReads(store.open, "s3://bucket/a", FAST), BLOCK)


def test_read_from_front_to_end_every_block_is_asked_for_once() -> None:
    store = _Store()
    with opened(store) as file:
        assert file.read() == CONTENT
        assert file.read(1) == b""
    assert store.asked == list(range(0, len(CONTENT), BLOCK))
    assert (store.opened, store.closed) == (1, 1)


def test_the_next_block_is_on_its_way_while_one_is_read() -> None:
    store = _Store()
    with opened(store) as file:
        assert file.read(1) == CONTENT[:1]
        store.wait_for(2)
        assert store.asked == [0, BLOCK]
        assert file.read(BLOCK) == CONTENT[1:BLOCK]  # what is there of the block
        assert store.asked == [0, BLOCK]


def test_who_jumps_about_gets_no_block_ahead() -> None:
    store = _Store()
    with opened(store) as file:
        for at in (50_000, 10_000, 90_000):
            file.seek(at)
            assert file.read(5) == CONTENT[at : at + 5]
    assert store.asked == [50_000, 10_000, 90_000]


def test_any_seek_and_read_is_that_of_the_bytes() -> None:
    rng = random.Random(5)
    plain = io.BytesIO(CONTENT)
    with io.BufferedReader(opened(_Store()), 64) as file:
        for _ in range(2_000):
            if rng.random() < 0.3:
                offset, whence = rng.choice(
                    [
                        (rng.randrange(len(CONTENT) + 50), io.SEEK_SET),
                        (-rng.randrange(99), io.SEEK_END),
                    ]
                )
                assert file.seek(offset, whence) == plain.seek(offset, whence)
            size = rng.randrange(3_000)
            assert file.read(size) == plain.read(size)
            assert file.tell() == plain.tell()


def test_a_block_that_fails_is_asked_for_again_alone() -> None:
    failures = {3_000, 7_000}

    def answer(offset: int, length: int) -> bytes:
        if offset in failures:
            failures.remove(offset)
            raise OSError("curlCode: 56, Failure when receiving data from the peer")
        return CONTENT[offset : offset + length]

    store = _Store(answer)
    with opened(store) as file:
        assert file.read() == CONTENT
    assert len(store.asked) == len(CONTENT) // BLOCK + 2
    assert store.asked.count(3_000) == store.asked.count(7_000) == 2


def test_a_store_that_stays_down_is_an_error_where_it_is_read() -> None:
    def answer(offset: int, length: int) -> bytes:
        if offset >= 3_000:
            raise OSError("no route")
        return CONTENT[offset : offset + length]

    with opened(_Store(answer)) as file:
        read = b""
        while len(read) < 3_000:
            read += file.read(BLOCK)
        assert read == CONTENT[:3_000]
        with pytest.raises(RemoteReadError, match="s3://bucket/a"):
            file.read(1)


def test_a_file_that_became_shorter_is_an_error_and_no_endless_loop() -> None:
    with (
        opened(_Store(lambda offset, length: b"")) as file,
        pytest.raises(OSError, match="shorter"),
    ):
        file.read(1)


def test_a_file_that_is_not_there_is_said_at_once() -> None:
    def missing() -> _Store:
        raise FileNotFoundError("s3://bucket/none")

    with pytest.raises(FileNotFoundError):
        StoreFile(StoreReads(missing, "s3://bucket/none", FAST), BLOCK)
    assert not [t for t in threading.enumerate() if t.name.startswith("store-file")]


def test_closing_waits_for_what_is_on_its_way_and_leaves_no_thread() -> None:
    store = _Store()
    file = opened(store)
    file.read(1)
    file.close()
    file.close()
    assert store.closed == 1
    assert not [t for t in threading.enumerate() if t.name.startswith("store-file")]


class _Moody:
    """A pyarrow file that answers as the test says."""

    def __init__(self, answers: list[bytes | OSError]) -> None:
        self.answers = answers
        self.closed = 0

    def size(self) -> int:
        return 4

    def read_at(self, length: int, offset: int) -> bytes:
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    def close(self) -> None:
        self.closed += 1


def test_a_store_is_tried_again_when_its_own_client_has_given_up() -> None:
    file = _Moody([OSError("curlCode: 56"), b"here", *[OSError("no")] * 9])
    reads = StoreReads(lambda: file, "s3://bucket/a", FAST)
    assert reads.read(0, 4) == b"here"
    with pytest.raises(RemoteReadError, match="s3://bucket/a: given up after 2 tries at byte 0"):
        reads.read(0, 4)
    assert (len(file.answers), file.closed) == (7, 3)
