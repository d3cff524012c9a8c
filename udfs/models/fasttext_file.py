"""What a fastText file says of itself, read and checked to its last byte before the native loader.

That loader takes every number of the file on trust: it sizes its buffers by them, and a row of a
matrix is looked up without a check. A file that passes here has no number that leads outside of
what is there, so that a damaged or hostile one is an error and not a crash.

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

_MAGIC = 793712314
_VERSIONS = (11, 12)
_SUPERVISED = 3
_WORD, _LABEL = 0, 1
# Bounds that no model of use comes near; within them work and memory follow the file's size.
_MAX_DIM = 4096
_MAX_WORD_NGRAMS = 64
_MAX_SUBWORD_CHARS = 64
_MAX_ENTRY_BYTES = 1 << 16
_MAX_SUBWORDS = 1 << 29
_MAX_COUNT = 10**14
"""The tree of hierarchical softmax takes 1e15 for infinite."""

# magic, version; dim, ws, epoch, minCount, neg, wordNgrams, loss, model, bucket, minn, maxn,
# lrUpdateRate, and t as a double.
_START = struct.Struct("<14id")
_DICTIONARY = struct.Struct("<3i2q")  # entries, words, labels; tokens, pruned n-grams
_ENTRY = struct.Struct("<qb")  # count, type; after the entry's bytes and a NUL
_SHAPE = struct.Struct("<2q")
_QUANTISED = struct.Struct("<?2qi")  # norms apart, rows, columns, bytes of codes
_QUANTISER = struct.Struct("<4i")  # dim, parts, dim of a part, dim of the last part


CENTROIDS = 256
"""Centroids of a product quantiser, since a code is a byte."""


class ModelFileError(ValueError):
    """A file that is no supervised fastText model, or not a whole one."""


@dataclass(frozen=True)
class FastTextHeader:
    """What a model file says before its matrices."""

    version: int
    dim: int
    loss: str
    """hs, ns, softmax or ova."""
    word_ngrams: int
    labels: tuple[str, ...]
    """Without fastText's marker, in the file's order."""
    words: int
    is_quantised: bool
    max_subword_chars: int
    """Longest piece of a word that counts beside it; 0 where only whole words count."""


@dataclass(frozen=True)
class Quantiser:
    """Where the centroids of a product quantiser lie in the file."""

    parts: int
    part_dim: int
    """Columns of a part but the last, which may have fewer."""
    centroids: int
    """Offset of float32: of each part in turn `CENTROIDS` rows of its columns."""


@dataclass(frozen=True)
class Matrix:
    """Where a matrix lies in the file, as rows of float32 or as rows of codes."""

    rows: int
    columns: int
    values: int
    """Offset of float32; of one byte a part where the matrix is quantised."""
    quantiser: Quantiser | None = None
    norms: int | None = None
    """Offset of one code a row, where norms are apart."""
    norm_centroids: int | None = None
    """Offset of the `CENTROIDS` norms that those stand for."""


@dataclass(frozen=True)
class FastTextLayout:
    """A checked file: what it says, and where its numbers lie. All offsets are inside the file."""

    header: FastTextHeader
    bucket: int
    """Places that hashes of n-grams are taken modulo."""
    entries: list[bytes]
    """Words of the dictionary, then its labels."""
    pruned: int
    """N-grams that are left of a pruned model, -1 where none was taken out."""
    pruned_pairs: int
    """Offset of that many pairs of int32: place of an n-gram, row behind those of the words."""
    input: Matrix
    """A row for each word, then for each n-gram."""
    output: Matrix
    """A row for each label."""


def read_fasttext_header(path: Path) -> FastTextHeader:
    """Check a ``.bin`` or ``.ftz`` file, all of it, and say what it is.

    Raises:
        ModelFileError: it is no supervised fastText model, or its numbers do not fit each other
            and its size.
        OSError: it cannot be read.
    """
    with opened_fasttext(path) as (_, layout):
        return layout.header


@contextmanager
def opened_fasttext(path: Path) -> Iterator[tuple[mmap.mmap, FastTextLayout]]:
    """The bytes of a checked file, and where in them its numbers lie.

    No array may refer to the bytes when the context ends: a slice of them is a copy.

    Raises:
        ModelFileError: as `read_fasttext_header`.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if path.stat().st_size < _START.size:
            raise ModelFileError(
                f"{path}: {path.stat().st_size} bytes are too few for a fastText model"
            )
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data, _LayoutReader(data, str(path)).layout()


class _LayoutReader:
    """One pass over a file; every number is checked before it is used."""

    def __init__(self, data: mmap.mmap, name: str) -> None:
        self._data = data
        self._name = name
        self._at = 0

    def layout(self) -> FastTextLayout:
        magic, version, dim, _ws, _epoch, _min_count, _neg, word_ngrams, loss, model, *rest = (
            self._take(_START, "settings")
        )
        bucket, min_chars, max_chars, _rate, _t = rest
        self._need(magic == _MAGIC, f"is not a fastText model (magic number {magic})")
        self._need(version in _VERSIONS, f"fastText format {version}, expected one of {_VERSIONS}")
        self._need(model == _SUPERVISED, f"is not a supervised model (kind {model})")
        if version == 11:  # the loader does the same: models of then have no subwords
            max_chars = 0
        self._need(loss in LOSSES, f"implausible header (loss {loss})")
        self._need(
            0 < dim <= _MAX_DIM and bucket >= 0,
            f"implausible header (dim {dim}, bucket {bucket})",
        )
        self._need(
            0 <= word_ngrams <= _MAX_WORD_NGRAMS
            and 0 <= max_chars <= _MAX_SUBWORD_CHARS
            and min_chars >= 0,
            f"implausible header (n-grams of {word_ngrams} words, of {min_chars} to {max_chars} "
            "characters)",
        )
        has_ngrams = word_ngrams > 1 or max_chars > 0
        self._need(bucket > 0 or not has_ngrams, "n-grams, and no bucket for them")
        words, labels, entries, pruned = self._dictionary(min_chars, max_chars)
        pruned_pairs = self._at - 8 * max(0, pruned)
        is_quantised = self._flag("quantised input")
        self._need(is_quantised or pruned < 0, "pruned, and not quantised")
        rows = words + (bucket if pruned < 0 else pruned)
        into = self._matrix(rows, dim, "input", is_quantised)
        out_is_quantised = self._flag("quantised output") and is_quantised
        out = self._matrix(len(labels), dim, "output", out_is_quantised)
        self._need(self._at == len(self._data), f"{len(self._data) - self._at:,} bytes too many")
        header = FastTextHeader(
            version, dim, LOSSES[loss], word_ngrams, tuple(labels), words, is_quantised, max_chars
        )
        return FastTextLayout(header, bucket, entries, pruned, pruned_pairs, into, out)

    def _dictionary(
        self, min_chars: int, max_chars: int
    ) -> tuple[int, list[str], list[bytes], int]:
        """Number of words, labels, entries, and number of pruned n-grams (-1 where nothing was
        pruned)."""
        entries, words, labels, _tokens, pruned = self._take(_DICTIONARY, "dictionary")
        self._need(
            words >= 0 and labels > 0 and words + labels == entries,
            f"a dictionary of {entries} entries, {words} words and {labels} labels",
        )
        self._need(-1 <= pruned < 2**31, f"{pruned} pruned n-grams")
        self._fits(entries * (_ENTRY.size + 1), "dictionary")
        names = []
        texts = []
        chars = 0
        for number in range(entries):
            text = self._entry(number, _WORD if number < words else _LABEL)
            texts.append(text)
            if number < words:
                chars += len(text) + 2  # and the marks of a word's begin and end
            else:
                names.append(self._label(text))
        self._need(len(set(names)) == labels, "a label comes twice")
        lengths = max(0, max_chars - min_chars + 1) if max_chars > 0 else 0
        self._need(chars * lengths <= _MAX_SUBWORDS, "subwords without end")
        if pruned > 0:
            self._fits(8 * pruned, "pruned n-grams")
            pairs = np.frombuffer(self._data, dtype="<i4", count=2 * pruned, offset=self._at)
            places = pairs[1::2]
            is_inside = bool(((places >= 0) & (places < pruned)).all())
            del pairs, places  # the map cannot be closed while they are there
            self._need(is_inside, "a pruned n-gram outside of the matrix")
            self._at += 8 * pruned
        return words, names, texts, pruned

    def _entry(self, number: int, kind: int) -> bytes:
        # There are a hundred thousand: what is said of a bad one is made only for that.
        end = self._data.find(b"\0", self._at, self._at + _MAX_ENTRY_BYTES)
        if end < 0:
            self._need(False, f"entry {number} of the dictionary has no end")
        text = self._data[self._at : end]
        self._at = end + 1 + _ENTRY.size
        if self._at > len(self._data):
            self._at = end + 1
            self._fits(_ENTRY.size, "dictionary")
        count, its_kind = _ENTRY.unpack_from(self._data, end + 1)
        if its_kind != kind:
            self._need(False, f"entry {number} of the dictionary is of kind {its_kind}")
        if not 0 <= count <= _MAX_COUNT:
            self._need(False, f"entry {number} of the dictionary counts {count}")
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
        self._need(codes == rows * quantiser.parts, f"{what} has {codes} bytes of codes")
        if not has_norms:
            return Matrix(rows, columns, values, quantiser)
        norms = self._skip(rows, f"{what} norms")
        lengths = self._quantiser(1, f"{what} norms")
        return Matrix(rows, columns, values, quantiser, norms, lengths.centroids)

    def _quantiser(self, columns: int, what: str) -> Quantiser:
        """How a row of this many columns is cut into parts."""
        dim, parts, part_dim, last_dim = self._take(_QUANTISER, what)
        self._need(
            dim == columns
            and parts > 0
            and 0 < last_dim <= part_dim
            and (parts - 1) * part_dim + last_dim == dim,
            f"{what} quantised in {parts} parts of {part_dim}, the last of {last_dim}, for {dim}",
        )
        centroids = self._skip(4 * dim * CENTROIDS, f"{what} centroids")
        return Quantiser(parts, part_dim, centroids)

    def _shape(self, shape: tuple[int, ...], rows: int, columns: int, what: str) -> None:
        self._need(
            shape == (rows, columns),
            f"{what} matrix of {shape[0]} x {shape[1]}, expected {rows} x {columns}",
        )

    def _flag(self, what: str, ahead: bool = False) -> bool:
        """A byte that says yes or no; any other value is what C++ leaves undefined."""
        self._fits(1, what)
        value = self._data[self._at]
        self._need(value in (0, 1), f"{what}: {value} is neither yes nor no")
        self._at += 0 if ahead else 1
        return bool(value)

    def _take(self, shape: struct.Struct, what: str) -> tuple[int, ...]:
        self._fits(shape.size, what)
        values = shape.unpack_from(self._data, self._at)
        self._at += shape.size
        return values

    def _skip(self, count: int, what: str) -> int:
        """Where so many bytes begin, which are passed over."""
        self._fits(count, what)
        self._at += count
        return self._at - count

    def _fits(self, count: int, what: str) -> None:
        left = len(self._data) - self._at
        self._need(count <= left, f"ends in its {what}: {count:,} bytes needed, {left:,} left")

    def _need(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise ModelFileError(f"{self._name}: {otherwise}")
