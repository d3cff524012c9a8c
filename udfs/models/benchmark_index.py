"""The questions of benchmarks as a file in which a text's n-grams of characters are looked up.

Each question has the n-grams of those of its texts that are as long as one; where none is, those of
its texts joined, and where these are shorter too, one n-gram of all of it. N-grams of many
questions are left out: they are the wording of a benchmark, and say nothing of a question.

The file, little-endian: magic; the header's length (8 bytes) and its JSON; then arrays that start
at multiples of 64 bytes. It is mapped into memory, so that the workers of a machine share it. Of
50,000 questions of 110 characters it has 55 to 77 MB.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import Int64Array, UInt8Array, UInt32Array, UInt64Array
from udfs.base.code_points import encode_texts
from udfs.models.overlap_text import FOLD_VERSION, fold_texts, gram_keys

INDEX_VERSION = 1
"""To be raised with every change of the file, or of what questions have for n-grams."""

MAX_QUESTIONS = 10
"""Most questions that an n-gram may belong to; those of more are left out."""
SHARED = 1 << 31
"""Numbers from here on are places in ``shared``."""

_MAGIC = b"TAOJINBQ"
_ALIGNED = 64
_KEY_BITS = 64
_KEYS_A_BUCKET = 4
_BITS_A_KEY = 8


class IndexFileError(ValueError):
    """A file is no index of questions, or a damaged one."""


class NoQuestions(ValueError):
    """No question is long enough to be searched for."""


class Question(NamedTuple):
    """A question of a benchmark."""

    benchmark: int
    """Number of its benchmark."""
    name: str
    """Its id, or the number of its row from 1."""
    texts: tuple[str, ...]
    """Its texts: question, options, answer, ...; one or more."""


@dataclass(frozen=True)
class BenchmarkIndex:
    """Questions of benchmarks, as they are looked up."""

    size: int
    """Characters of an n-gram."""
    sizes: tuple[int, ...]
    """Lengths that n-grams have: ``size``, and shorter ones of short questions."""
    benchmarks: tuple[str, ...]
    keys: UInt64Array
    """Keys of the n-grams, ascending, shape (n-grams,)."""
    buckets: UInt32Array
    """The first key of each value of the upper bits, and the number of keys."""
    filter: UInt8Array
    """A bit for each value of the upper bits: whether a key has them."""
    owners: UInt32Array
    """The question of each n-gram; or ``SHARED`` and the place in ``shared`` where its questions
    are, behind their number. Shape (n-grams,)."""
    shared: UInt32Array
    totals: UInt32Array
    """Different n-grams of each question, shape (questions,)."""
    benchmark_of: UInt32Array
    """Shape (questions,)."""
    name_bytes: UInt8Array
    """Names of the questions in UTF-8, end to end."""
    name_ends: Int64Array
    """Shape (questions,)."""

    def question(self, number: int) -> tuple[str, str]:
        """The benchmark of a question, and its name there."""
        begin = int(self.name_ends[number - 1]) if number else 0
        name = self.name_bytes[begin : int(self.name_ends[number])].tobytes().decode()
        return self.benchmarks[int(self.benchmark_of[number])], name


_ARRAYS: dict[str, npt.DTypeLike] = {
    "keys": "<u8",
    "buckets": "<u4",
    "filter": "|u1",
    "owners": "<u4",
    "shared": "<u4",
    "totals": "<u4",
    "benchmark_of": "<u4",
    "name_bytes": "|u1",
    "name_ends": "<i8",
}


def index_bytes(
    benchmarks: Sequence[str], questions: Sequence[Question], size: int, min_chars: int
) -> bytes:
    """Return the file of questions: the same for the same ones in the same order.

    A question whose texts, folded, are those of one before it is left out. Memory: about 90 bytes
    for each character of the questions.

    Args:
        benchmarks: Their names, by number.
        size: Characters of an n-gram.
        min_chars: Fewest folded characters of a question.
    Raises:
        NoQuestions: none is long enough, or all have the same wording.
    """
    grams = _grams_of(questions, size, min_chars)
    numbers = np.flatnonzero(grams.totals)  # of the questions that are kept
    if not len(numbers):
        raise NoQuestions(
            f"none of {len(questions):,} questions has {min_chars} letters or digits that tell it "
            "from others"
        )
    renumbered = np.zeros(len(questions), dtype=np.uint32)
    renumbered[numbers] = np.arange(len(numbers))
    of_grams = renumbered[grams.questions]
    firsts = _firsts_of_runs(grams.keys)
    counts = np.diff(firsts, append=len(grams.keys))
    keys = grams.keys[firsts]
    names = [questions[number].name.encode() for number in numbers.tolist()]
    owners, shared = _owners(of_grams, firsts, counts)
    arrays = {
        "keys": keys,
        "buckets": _buckets(keys),
        "filter": _filter(keys),
        "owners": owners,
        "shared": shared,
        "totals": grams.totals[numbers],
        "benchmark_of": [questions[number].benchmark for number in numbers.tolist()],
        "name_bytes": np.frombuffer(b"".join(names), dtype=np.uint8),
        "name_ends": np.cumsum([len(name) for name in names]),
    }
    settings = {"size": size, "sizes": grams.sizes, "benchmarks": list(benchmarks)}
    return _packed(settings, {name: np.asarray(a, _ARRAYS[name]) for name, a in arrays.items()})


def load_index(path: Path) -> BenchmarkIndex:
    """Map an index into memory.

    Raises:
        IndexFileError: the file is of another format or version, or cut off.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if path.stat().st_size < len(_MAGIC) + 8 or file.read(len(_MAGIC)) != _MAGIC:
            raise IndexFileError(f"{path}: is no index of benchmark questions")
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    begin = len(_MAGIC) + 8
    end = begin + int.from_bytes(content[len(_MAGIC) : begin], "little")
    try:
        header = json.loads(content[begin:end])
        if header["version"] != [INDEX_VERSION, FOLD_VERSION]:
            raise IndexFileError(f"{path}: is of version {header['version']}; make it again")
        arrays: dict[str, Any] = {
            name: np.frombuffer(content, _ARRAYS[name], count, offset)
            if count
            else np.empty(0, _ARRAYS[name])
            for name, (offset, count) in header["arrays"].items()
        }
        return BenchmarkIndex(
            size=header["size"],
            sizes=tuple(header["sizes"]),
            benchmarks=tuple(header["benchmarks"]),
            **arrays,
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, IndexFileError):
            raise
        raise IndexFileError(f"{path}: is damaged: {error!r}") from error


class _Grams(NamedTuple):
    """N-grams of questions, each once a question."""

    keys: UInt64Array
    """Ascending, shape (pairs,)."""
    questions: Int64Array
    """The question of each, ascending among equal keys."""
    totals: Int64Array
    """Number of n-grams of every question; 0 for one that is left out."""
    sizes: list[int]
    """Their lengths, longest first."""


def _grams_of(questions: Sequence[Question], size: int, min_chars: int) -> _Grams:
    """The n-grams by which questions are found."""
    encoded = encode_texts([text for question in questions for text in question.texts])
    folded = fold_texts(encoded.codes, encoded.starts, encoded.stops)
    counts = np.array([len(question.texts) for question in questions], dtype=np.int64)
    bounds = np.append(0, np.cumsum(counts))
    owners = np.repeat(np.arange(len(questions)), counts)
    begin, end = folded.offsets[bounds[:-1]], folded.offsets[bounds[1:]]
    wanted = _first_copies(folded.codes, begin, end) & (end - begin >= max(min_chars, 1))
    is_long = np.diff(folded.offsets) >= size
    has_long = np.zeros(len(questions), dtype=np.bool_)
    has_long[owners[is_long]] = True
    parts = np.flatnonzero(is_long & wanted[owners])
    wholes = np.flatnonzero(wanted & ~has_long)
    stretch_of = np.concatenate([owners[parts], wholes])
    order = np.argsort(stretch_of, kind="stable")
    begins = np.concatenate([folded.offsets[:-1][parts], begin[wholes]])[order]
    ends = np.concatenate([folded.offsets[1:][parts], end[wholes]])[order]
    stretch_of = stretch_of[order]
    keys, stretches = gram_keys(folded.codes, begins, ends, size)
    lengths = np.minimum(ends - begins, size)[stretches]
    by_key = np.argsort(keys, kind="stable")  # questions stay ascending among equal keys
    keys, lengths, its = keys[by_key], lengths[by_key], stretch_of[stretches[by_key]]
    is_new = np.append(True, (keys[1:] != keys[:-1]) | (its[1:] != its[:-1]))[: len(keys)]
    keys, lengths, its = keys[is_new], lengths[is_new], its[is_new]
    firsts = _firsts_of_runs(keys)
    holders = np.diff(firsts, append=len(keys))
    is_rare = np.repeat(holders <= MAX_QUESTIONS, holders)
    keys, lengths, its = keys[is_rare], lengths[is_rare], its[is_rare]
    totals = np.bincount(its, minlength=len(questions))
    return _Grams(keys, its, totals, sorted(set(np.unique(lengths).tolist()), reverse=True))


def _first_copies(codes: UInt32Array, begin: Int64Array, end: Int64Array) -> npt.NDArray[np.bool_]:
    """Whether each stretch of folded texts is the first of its wording."""
    seen: set[bytes] = set()
    is_first = np.zeros(len(begin), dtype=np.bool_)
    for number, (start, stop) in enumerate(zip(begin.tolist(), end.tolist(), strict=True)):
        wording = codes[start:stop].tobytes()
        is_first[number] = wording not in seen
        seen.add(wording)
    return is_first


def _firsts_of_runs(ascending: UInt64Array) -> Int64Array:
    """The place of the first of each run of equal values."""
    return np.flatnonzero(np.append(True, ascending[1:] != ascending[:-1])[: len(ascending)])


def _owners(
    questions: UInt32Array, firsts: Int64Array, counts: Int64Array
) -> tuple[UInt32Array, UInt32Array]:
    """``owners`` and ``shared`` of a `BenchmarkIndex`, of questions that lie by n-gram."""
    owners = questions[firsts].astype(np.uint32)
    is_shared = counts > 1
    sizes = counts[is_shared] + 1
    places = np.cumsum(sizes) - sizes
    owners[is_shared] = SHARED + places
    shared = np.zeros(int(sizes.sum()), dtype=np.uint32)
    is_member = np.ones(len(shared), dtype=np.bool_)
    is_member[places] = False
    shared[places] = counts[is_shared]
    shared[is_member] = questions[np.repeat(is_shared, counts)]
    return owners, shared


def _buckets(keys: UInt64Array) -> UInt32Array:
    bits = max(1, (len(keys) // _KEYS_A_BUCKET).bit_length())
    upper = keys >> np.uint64(_KEY_BITS - bits)
    return np.searchsorted(upper, np.arange((1 << bits) + 1, dtype=np.uint64)).astype(np.uint32)


def _filter(keys: UInt64Array) -> UInt8Array:
    bits = max(3, (len(keys) * _BITS_A_KEY).bit_length())
    flags = np.zeros(1 << bits, dtype=np.bool_)
    flags[keys >> np.uint64(_KEY_BITS - bits)] = True
    return np.packbits(flags, bitorder="little")


def _packed(settings: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> bytes:
    """The file of settings and arrays."""
    header = {"version": [INDEX_VERSION, FOLD_VERSION], **settings, "arrays": {}}
    # Places follow from the header's length, which follows from them: room for all digits.
    room = len(json.dumps(header, ensure_ascii=False).encode()) + 64 * len(arrays)
    at = _aligned(len(_MAGIC) + 8 + room)
    for name, array in arrays.items():
        header["arrays"][name] = [at, len(array)]
        at = _aligned(at + array.nbytes)
    said = json.dumps(header, ensure_ascii=False).encode().ljust(room)
    content = bytearray(at)
    content[: len(_MAGIC) + 8 + room] = _MAGIC + room.to_bytes(8, "little") + said
    for name, array in arrays.items():
        place = header["arrays"][name][0]
        content[place : place + array.nbytes] = array.tobytes()
    return bytes(content)


def _aligned(place: int) -> int:
    return -(-place // _ALIGNED) * _ALIGNED
