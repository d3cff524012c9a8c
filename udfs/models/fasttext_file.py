"""Read the layout of a fastText file, and check it to its last byte before the native loader.

That loader trusts every number of a file: it allocates buffers by them, and looks up rows of a
matrix without a check. In a file that passes here no number refers to anything outside its data, so
that a damaged or hostile file is an error and not a crash.

Source: fastText's own format, version 12, and 11 of files from before 2017 (args.cc,
dictionary.cc, densematrix.cc, quantmatrix.cc, productquantizer.cc at v0.9.2).
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from udfs.base.model_constants import LABEL_PREFIX

LOSSES = {1: "hs", 2: "ns", 3: "softmax", 4: "ova"}

CENTROIDS = 256
"""Centroids of a part of a product quantiser: a code is a byte."""

_MAGIC = 793712314
_VERSIONS = (11, 12)
_SUPERVISED = 3
_WORD, _LABEL = 0, 1
# No useful model comes near these limits; within them time and memory grow with the file's size.
_MAX_DIM = 4096
_MAX_WORD_NGRAMS = 64
_MAX_SUBWORD_CHARS = 64
_MAX_ENTRY_BYTES = 1 << 16
_MAX_SUBWORDS = 1 << 29
_MAX_COUNT = 10**14
"""The tree of hierarchical softmax uses 1e15 as infinity."""

# magic, version; dim, ws, epoch, minCount, neg, wordNgrams, loss, model, bucket, minn, maxn,
# lrUpdateRate, and t as a double.
_START = struct.Struct("<14id")
_DICTIONARY = struct.Struct("<3i2q")  # entries, words, labels; tokens, pruned n-grams
_ENTRY = struct.Struct("<qb")  # count, type; after the entry's bytes and a NUL
_SHAPE = struct.Struct("<2q")
_QUANTISED = struct.Struct("<?2qi")  # separate norms, rows, columns, bytes of codes
_QUANTISER = struct.Struct("<4i")  # dim, parts, dim of a part, dim of the last part


class ModelFileError(ValueError):
    """A model file has another format, or is damaged or incomplete."""


@dataclass(frozen=True)
class FastTextHeader:
    """The settings and the dictionary of a model file."""

    version: int
    dim: int
    loss: str
    """hs, ns, softmax or ova."""
    word_ngrams: int
    labels: tuple[str, ...]
    """Without LABEL_PREFIX, in the file's order."""
    words: int
    is_quantised: bool
    max_subword_chars: int
    """Characters of the longest subword; 0 where only whole words are features."""


@dataclass(frozen=True)
class Quantiser:
    """The location of a product quantiser's centroids in the file."""

    parts: int
    part_dim: int
    """Columns of each part except the last, which may have fewer."""
    centroids: int
    """Offset of float32: for each part `CENTROIDS` rows of its columns."""


@dataclass(frozen=True)
class Matrix:
    """The location of a matrix in the file, as rows of float32 or as rows of codes."""

    rows: int
    columns: int
    values: int
    """Offset of float32, or of one byte a part where the matrix is quantised."""
    quantiser: Quantiser | None = None
    norms: int | None = None
    """Offset of one code a row, where norms are separate."""
    norm_centroids: int | None = None
    """Offset of the `CENTROIDS` norms that those codes refer to."""


@dataclass(frozen=True)
class FastTextLayout:
    """A checked file: its header, and the locations of its numbers. All offsets are in the file."""

    header: FastTextHeader
    bucket: int
    """Buckets of n-grams: their hashes are taken modulo this."""
    entries: list[bytes]
    """Words of the dictionary, then its labels."""
    pruned: int
    """N-grams that a pruned model keeps; -1 where the model is not pruned."""
    pruned_pairs: int
    """Offset of pairs of int32, one an n-gram: its bucket, and its row after those of the words."""
    input: Matrix
    """A row for each word, then for each n-gram."""
    output: Matrix
    """A row for each label."""


def read_fasttext_header(path: Path) -> FastTextHeader:
    """Check a whole ``.bin`` or ``.ftz`` file, and return its header.

    Raises:
        ModelFileError: it is not a supervised fastText model, or its numbers contradict each other
            or its size.
        OSError: it cannot be read.
    """
    with opened_fasttext(path) as (_, layout):
        return layout.header


@contextmanager
def opened_fasttext(path: Path) -> Iterator[tuple[mmap.mmap, FastTextLayout]]:
    """Open a file, check it, and give its bytes and its layout.

    No array may refer to the bytes when the context ends; a slice of them is a copy.

    Raises:
        ModelFileError: as `read_fasttext_header`.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if path.stat().st_size < _START.size:
            raise ModelFileError(
                f"{path}: {path.stat().st_size} bytes are too few for a fastText model: "
                f"expected at least {_START.size}"
            )
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data, _LayoutReader(data, str(path)).layout()


class _LayoutReader:
    """Reads a file in one pass; every number is checked before it is used."""

    def __init__(self, data: mmap.mmap, name: str) -> None:
        self._data = data
        self._name = name
        self._at = 0

    def layout(self) -> FastTextLayout:
        magic, version, dim, _ws, _epoch, _min_count, _neg, word_ngrams, loss, model, *rest = (
            self._take(_START, "settings")
        )
        bucket, min_chars, max_chars, _rate, _t = rest
        self._need(magic == _MAGIC, f"is not a fastText model (magic number {magic}, not {_MAGIC})")
        self._need(
            version in _VERSIONS, f"has fastText format {version}: expected one of {_VERSIONS}"
        )
        self._need(
            model == _SUPERVISED, f"is not a supervised model (kind {model}, not {_SUPERVISED})"
        )
        if version == 11:  # as the loader does: models of that version have no subwords
            max_chars = 0
        self._need(loss in LOSSES, f"implausible header: loss {loss}, expected one of {[*LOSSES]}")
        self._need(
            0 < dim <= _MAX_DIM and bucket >= 0,
            f"implausible header: dim {dim}, expected 1 to {_MAX_DIM}; bucket {bucket}, expected 0 "
            "or more",
        )
        self._need(
            0 <= word_ngrams <= _MAX_WORD_NGRAMS
            and 0 <= max_chars <= _MAX_SUBWORD_CHARS
            and min_chars >= 0,
            f"implausible header: n-grams of {word_ngrams} words, expected {_MAX_WORD_NGRAMS} at "
            f"most; of {min_chars} to {max_chars} characters, expected 0 to {_MAX_SUBWORD_CHARS}",
        )
        has_ngrams = word_ngrams > 1 or max_chars > 0
        self._need(bucket > 0 or not has_ngrams, "has n-grams but no bucket for them")
        words, labels, entries, pruned = self._dictionary(min_chars, max_chars)
        pruned_pairs = self._at - 8 * max(0, pruned)
        is_quantised = self._flag("quantised input")
        self._need(is_quantised or pruned < 0, "is pruned but not quantised: expected both")
        rows = words + (bucket if pruned < 0 else pruned)
        into = self._matrix(rows, dim, "input", is_quantised)
        out_is_quantised = self._flag("quantised output") and is_quantised
        out = self._matrix(len(labels), dim, "output", out_is_quantised)
        self._need(
            self._at == len(self._data), f"has {len(self._data) - self._at:,} bytes too many"
        )
        header = FastTextHeader(
            version, dim, LOSSES[loss], word_ngrams, tuple(labels), words, is_quantised, max_chars
        )
        return FastTextLayout(header, bucket, entries, pruned, pruned_pairs, into, out)

    def _dictionary(
        self, min_chars: int, max_chars: int
    ) -> tuple[int, list[str], list[bytes], int]:
        """Read the number of words, the labels, the entries, and the number of n-grams that a
        pruned model keeps, or -1."""
        entries, words, labels, _tokens, pruned = self._take(_DICTIONARY, "dictionary")
        self._need(
            words >= 0 and labels > 0 and words + labels == entries,
            f"has a dictionary of {entries} entries: expected {words} words and {labels} labels, "
            "one label at least",
        )
        self._need(-1 <= pruned < 2**31, f"has {pruned} pruned n-grams: expected -1 to {2**31 - 1}")
        self._fits(entries * (_ENTRY.size + 1), "dictionary")
        names = []
        texts = []
        chars = 0
        for number in range(entries):
            text = self._entry(number, _WORD if number < words else _LABEL)
            texts.append(text)
            if number < words:
                chars += len(text) + 2  # and the marks of its begin and end
            else:
                names.append(self._label(text))
        self._need(len(set(names)) == labels, "a label comes twice in the dictionary")
        lengths = max(0, max_chars - min_chars + 1) if max_chars > 0 else 0
        self._need(
            chars * lengths <= _MAX_SUBWORDS,
            f"has up to {chars * lengths:,} subwords: expected {_MAX_SUBWORDS:,} at most",
        )
        if pruned > 0:
            self._fits(8 * pruned, "pruned n-grams")
            pairs = np.frombuffer(self._data, dtype="<i4", count=2 * pruned, offset=self._at)
            places = pairs[1::2]
            is_inside = bool(((places >= 0) & (places < pruned)).all())
            del pairs, places  # the map cannot be closed while they refer to it
            self._need(is_inside, "has a pruned n-gram outside of the matrix")
            self._at += 8 * pruned
        return words, names, texts, pruned

    def _entry(self, number: int, kind: int) -> bytes:
        # A hundred thousand entries: messages are formatted only for wrong ones.
        end = self._data.find(b"\0", self._at, self._at + _MAX_ENTRY_BYTES)
        if end < 0:
            self._need(
                False,
                f"entry {number} of the dictionary has no end within {_MAX_ENTRY_BYTES:,} bytes",
            )
        text = self._data[self._at : end]
        self._at = end + 1 + _ENTRY.size
        if self._at > len(self._data):
            self._at = end + 1
            self._fits(_ENTRY.size, "dictionary")
        count, its_kind = _ENTRY.unpack_from(self._data, end + 1)
        if its_kind != kind:
            self._need(False, f"entry {number} of the dictionary is of kind {its_kind}, not {kind}")
        if not 0 <= count <= _MAX_COUNT:
            self._need(
                False,
                f"entry {number} of the dictionary counts {count}: expected 0 to {_MAX_COUNT}",
            )
        return text

    def _label(self, text: bytes) -> str:
        try:
            return text.decode("utf-8").removeprefix(LABEL_PREFIX)
        except UnicodeDecodeError:
            raise ModelFileError(f"{self._name}: the label {text!r} is not UTF-8") from None

    def _matrix(self, rows: int, columns: int, what: str, is_quantised: bool) -> Matrix:
        if is_quantised:
            return self._quantised_matrix(rows, columns, what)
        self._shape(self._take(_SHAPE, what), rows, columns, what)
        return Matrix(rows, columns, self._skip(4 * rows * columns, what))

    def _quantised_matrix(self, rows: int, columns: int, what: str) -> Matrix:
        self._flag(what, ahead=True)
        has_norms, *shape, codes = self._take(_QUANTISED, what)
        self._shape(tuple(shape), rows, columns, what)
        values = self._skip(max(0, codes), f"{what} codes")
        quantiser = self._quantiser(columns, what)
        self._need(
            codes == rows * quantiser.parts,
            f"{what} has {codes} bytes of codes: expected {rows * quantiser.parts}",
        )
        if not has_norms:
            return Matrix(rows, columns, values, quantiser)
        norms = self._skip(rows, f"{what} norms")
        lengths = self._quantiser(1, f"{what} norms")
        return Matrix(rows, columns, values, quantiser, norms, lengths.centroids)

    def _quantiser(self, columns: int, what: str) -> Quantiser:
        """Read the quantiser of a matrix of this many columns."""
        dim, parts, part_dim, last_dim = self._take(_QUANTISER, what)
        self._need(
            dim == columns
            and parts > 0
            and 0 < last_dim <= part_dim
            and (parts - 1) * part_dim + last_dim == dim,
            f"{what} quantised in {parts} parts of {part_dim}, the last of {last_dim}, for {dim}: "
            f"expected parts that add up to {columns}",
        )
        centroids = self._skip(4 * dim * CENTROIDS, f"{what} centroids")
        return Quantiser(parts, part_dim, centroids)

    def _shape(self, shape: tuple[int, ...], rows: int, columns: int, what: str) -> None:
        self._need(
            shape == (rows, columns),
            f"has an {what} matrix of {shape[0]} x {shape[1]}: expected {rows} x {columns}",
        )

    def _flag(self, what: str, ahead: bool = False) -> bool:
        """Read a byte that is 0 or 1, since any other value is undefined behaviour in C++.

        Args:
            ahead: Stay before the byte.
        """
        self._fits(1, what)
        value = self._data[self._at]
        self._need(value in (0, 1), f"{what} is flagged {value}: expected 0 or 1")
        self._at += 0 if ahead else 1
        return bool(value)

    def _take(self, shape: struct.Struct, what: str) -> tuple[int, ...]:
        self._fits(shape.size, what)
        values = shape.unpack_from(self._data, self._at)
        self._at += shape.size
        return values

    def _skip(self, count: int, what: str) -> int:
        """Skip a number of bytes, and return where they begin."""
        self._fits(count, what)
        self._at += count
        return self._at - count

    def _fits(self, count: int, what: str) -> None:
        left = len(self._data) - self._at
        self._need(count <= left, f"ends in its {what}: {count:,} bytes needed, {left:,} left")

    def _need(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise ModelFileError(f"{self._name}: {otherwise}")
