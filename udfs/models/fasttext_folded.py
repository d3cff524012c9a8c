"""A supervised fastText model folded to one row of label logits for each word and n-gram.

fastText multiplies the output matrix with the mean of a line's input rows. That is the mean of
output x row, so the products are computed once, when the file is read, and a prediction is a sum of
short rows, found by the hashes of tokens and added in compiled loops.

Source: fastText v0.9.2 (fasttext.cc, dictionary.cc, densematrix.cc, quantmatrix.cc,
productquantizer.cc; Dictionary::addWordNgrams, loss.cc).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from udfs.base.array_types import (
    Float32Array,
    Float64Array,
    Int32Array,
    Int64Array,
    UInt8Array,
    UInt32Array,
    UInt64Array,
)
from udfs.base.hash_table import ABSENT, find_value, hash_map
from udfs.base.jit import compiled, uncounted
from udfs.base.model_constants import LABEL_PREFIX
from udfs.models.fasttext_file import (
    CENTROIDS,
    FastTextLayout,
    Matrix,
    ModelFileError,
    opened_fasttext,
)
from udfs.tokens.token_hashes import hash_bytes
from udfs.tokens.tokens import END_OF_LINE, Tokens

MAX_LOGIT_BYTES = 1 << 28
"""Maximum memory of the folded rows: 2 million n-grams and a million words of 20 labels fit."""

_NUMBERS_AT_ONCE = 1 << 22
"""Numbers of a matrix that are read at once, since a model may be larger than its folded rows."""

_LOSSES = ("softmax", "ova", "ns")
"""Losses that can be folded: each label has its own row, while hs has a tree of labels."""

_NGRAM_FACTOR = 116049371
_FLOOR = 1e-5
"""fastText adds this inside its logarithm, and so to every probability."""

_STEPS, _MOST = 512, 8.0
"""fastText's logistic function is a table of this many steps between -8 and 8."""


@dataclass(frozen=True)
class LinearWeights:
    """A folded model."""

    labels: tuple[str, ...]
    """Without LABEL_PREFIX, sorted: the order of the columns."""
    loss: str
    """softmax, ova or ns."""
    word_ngrams: int
    """Words of the longest n-gram, 1 at least."""
    logits: Float32Array
    """What a feature adds to each column, shape (features, columns): words, then n-grams. A column
    is a label; a softmax of two labels has one column, the second label minus the first."""
    codes: UInt8Array
    """Row of logits of each feature, for a model whose rows are one byte each: millions of them fit
    into a processor's cache. Empty where each feature has its own row."""
    words: tuple[UInt64Array, Int32Array]
    """Hash table: key of a word -> its row."""
    bucket: int
    """Buckets that n-grams are hashed to; 1 where there are none."""
    first_ngram: int
    """The row of the first n-gram."""
    ngrams: tuple[UInt64Array, Int32Array]
    """Hash table of a pruned model: bucket + 1 -> row. Of length 0 where each bucket has a row."""
    end_hash: np.uint32
    end_row: int
    """Hash and row of the token that ends every line; row ABSENT where the model lacks it."""


def read_weights(path: Path) -> LinearWeights | None:
    """Read a model file, and fold the model.

    Returns:
        None for a model that cannot be folded: with hierarchical softmax, with subwords, with a
        label that lacks LABEL_PREFIX or a word that has it, or with more than `MAX_LOGIT_BYTES` of
        rows.
    Raises:
        ModelFileError: as `read_fasttext_header`; and where a weight is not a number.
        OSError: the file cannot be read.
    """
    with opened_fasttext(path) as (data, layout):
        if not _can_be_folded(layout):
            return None
        return _folded(data, layout, path)


class LinearModel:
    """Predicts the labels of texts, and of parts of texts, from their tokens."""

    def __init__(self, weights: LinearWeights) -> None:
        self._weights = weights

    def probabilities(self, tokens: Tokens, spans: Int64Array | None = None) -> Float64Array:
        """Compute the probability of every label for whole texts, or for parts of texts.

        Each part is scored as a separate line.

        Args:
            tokens: Tokens of texts.
            spans: First token of each part and the one after its last, shape (parts, 2); a part
                lies inside one text, and parts of one text are fastest next to each other. None
                for the whole texts.
        Returns:
            Shape (texts or parts, labels), in [0, 1]; 1 / labels where the model knows no feature.
        """
        weights = self._weights
        if spans is None and weights.word_ngrams == 1:
            sums, counts = _word_sums(
                tokens.keys, tokens.bounds, *weights.words, weights.end_row, weights.codes,
                weights.logits,
            )  # fmt: skip
        else:
            if spans is None:
                spans = np.stack([tokens.bounds[:-1], tokens.bounds[1:]], axis=1)
            # An empty part between two texts may belong to either.
            owners = np.maximum(np.searchsorted(tokens.bounds, spans[:, 1]) - 1, 0)
            sums, counts = _span_sums(
                tokens.hashes, tokens.keys, tokens.bounds, spans, owners, *weights.words,
                weights.word_ngrams, np.uint64(weights.bucket), weights.first_ngram,
                *weights.ngrams, np.uint32(weights.end_hash), weights.end_row, weights.codes,
                weights.logits,
            )  # fmt: skip
        logits = sums / np.maximum(counts, 1)[:, None]
        if weights.loss == "softmax":
            answers = _softmax(logits) if len(weights.labels) > 1 else np.ones_like(logits)
        else:
            answers = _logistic(logits)
        answers = np.clip(answers + _FLOOR, 0.0, 1.0)
        answers[counts == 0] = 1 / len(weights.labels)
        return answers


def _can_be_folded(layout: FastTextLayout) -> bool:
    header = layout.header
    words, labels = layout.entries[: header.words], layout.entries[header.words :]
    marker = LABEL_PREFIX.encode()
    return (
        header.loss in _LOSSES
        and header.max_subword_chars == 0
        and 4 * _folded_rows(layout.input) * len(labels) <= MAX_LOGIT_BYTES
        and all(label.startswith(marker) for label in labels)
        and not any(word.startswith(marker) for word in words)
    )


def _folded_rows(matrix: Matrix) -> int:
    """Number of rows that folding a matrix computes, with those of its centroids."""
    return matrix.rows + (CENTROIDS * matrix.quantiser.parts if matrix.quantiser else 0)


def _folded(data: mmap.mmap, layout: FastTextLayout, path: Path) -> LinearWeights:
    header = layout.header
    order = np.argsort(np.array(header.labels, dtype=object))
    codes = np.zeros(0, dtype=np.uint8)
    with np.errstate(over="ignore", invalid="ignore"):
        output = _dense(data, layout.output)[order]
        if header.loss == "softmax" and len(order) == 2:
            output = output[1:] - output[:1]
        if _is_one_byte(layout.input):
            ((_, centroids),) = _centroids(data, layout.input)
            logits = (centroids.astype(np.float64) @ output.T).astype(np.float32)
            codes = _bytes(data, layout.input.values, layout.input.rows)
        else:
            logits = _products(data, layout.input, output)
    if not np.isfinite(logits).all():
        raise ModelFileError(f"{path}: a weight is not a number, or too large for float32")
    hashes, keys = hash_bytes([*layout.entries[: header.words], END_OF_LINE.encode()])
    rows = np.arange(header.words, dtype=np.int32)
    end = np.flatnonzero(keys[:-1] == keys[-1])
    return LinearWeights(
        labels=tuple(header.labels[number] for number in order),
        loss=header.loss,
        word_ngrams=max(1, header.word_ngrams),
        logits=logits,
        codes=codes,
        words=hash_map(keys[:-1], rows),
        bucket=max(1, layout.bucket),
        first_ngram=header.words,
        ngrams=_ngram_table(data, layout),
        end_hash=hashes[-1],
        end_row=int(end[-1]) if len(end) else ABSENT,
    )


def _is_one_byte(matrix: Matrix) -> bool:
    return matrix.quantiser is not None and matrix.quantiser.parts == 1 and matrix.norms is None


def _ngram_table(data: mmap.mmap, layout: FastTextLayout) -> tuple[UInt64Array, Int32Array]:
    if layout.pruned < 0:
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int32)
    at = layout.pruned_pairs
    pairs = np.frombuffer(data[at : at + 8 * layout.pruned], dtype="<i4").reshape(-1, 2)
    # fastText looks a bucket up as a signed number of 32 bits; no n-gram has a negative one.
    pairs = pairs[pairs[:, 0] >= 0]
    keys = pairs[:, 0].astype(np.uint64) + np.uint64(1)
    return hash_map(keys, layout.header.words + pairs[:, 1].astype(np.int32))


def _floats(data: mmap.mmap, at: int, count: int) -> Float32Array:
    return np.frombuffer(data[at : at + 4 * count], dtype="<f4")


def _bytes(data: mmap.mmap, at: int, count: int) -> UInt8Array:
    return np.frombuffer(data[at : at + count], dtype=np.uint8)


def _dense(data: mmap.mmap, matrix: Matrix) -> Float64Array:
    """Read a whole small matrix, shape (rows, columns)."""
    if matrix.quantiser is None:
        values = _floats(data, matrix.values, matrix.rows * matrix.columns)
        return values.reshape(matrix.rows, matrix.columns).astype(np.float64)
    codes, lengths = _codes(data, matrix, 0, matrix.rows)
    parts = [
        centroids[codes[:, part]] for part, (_, centroids) in enumerate(_centroids(data, matrix))
    ]
    return np.concatenate(parts, axis=1).astype(np.float64) * lengths


def _products(data: mmap.mmap, matrix: Matrix, output: Float64Array) -> Float32Array:
    """Compute matrix x output transposed, shape (rows of the matrix, rows of output)."""
    products = np.empty((matrix.rows, len(output)), dtype=np.float32)
    of_parts = [
        centroids.astype(np.float64) @ output[:, columns].T
        for columns, centroids in _centroids(data, matrix)
    ]
    at_once = max(1, _NUMBERS_AT_ONCE // max(matrix.columns, len(output)))
    for first in range(0, matrix.rows, at_once):
        count = min(at_once, matrix.rows - first)
        chunk = products[first : first + count]
        if not of_parts:
            at = matrix.values + 4 * first * matrix.columns
            rows = _floats(data, at, count * matrix.columns).reshape(count, matrix.columns)
            chunk[:] = rows.astype(np.float64) @ output.T
        else:
            codes, lengths = _codes(data, matrix, first, count)
            chunk[:] = of_parts[0][codes[:, 0]]
            for part in range(1, len(of_parts)):
                chunk += of_parts[part][codes[:, part]]
            chunk *= lengths
    return products


def _centroids(data: mmap.mmap, matrix: Matrix) -> Iterator[tuple[slice, Float32Array]]:
    """Yield the columns of each part, and its centroids, shape (CENTROIDS, columns of the part).

    A matrix that is not quantised has no parts.
    """
    if matrix.quantiser is None:
        return
    at = matrix.quantiser.centroids
    for first in range(0, matrix.columns, matrix.quantiser.part_dim):
        width = min(matrix.quantiser.part_dim, matrix.columns - first)
        centroids = _floats(data, at, CENTROIDS * width).reshape(CENTROIDS, width)
        yield slice(first, first + width), centroids
        at += 4 * CENTROIDS * width


def _codes(
    data: mmap.mmap, matrix: Matrix, first: int, count: int
) -> tuple[UInt8Array, Float64Array]:
    """Read the codes of rows, shape (rows, parts), and their norms, shape (rows, 1)."""
    parts = matrix.quantiser.parts if matrix.quantiser else 0
    codes = _bytes(data, matrix.values + first * parts, count * parts).reshape(count, parts)
    if matrix.norms is None or matrix.norm_centroids is None:
        return codes, np.ones((count, 1))
    lengths = _floats(data, matrix.norm_centroids, CENTROIDS).astype(np.float64)
    return codes, lengths[_bytes(data, matrix.norms + first, count)][:, None]


def _softmax(logits: Float64Array) -> Float64Array:
    """Probabilities of the labels; a single column is the second of two labels minus the first."""
    if logits.shape[1] == 1:
        logits = np.concatenate([-logits / 2, logits / 2], axis=1)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Float64Array = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _logistic(logits: Float64Array) -> Float64Array:
    """Values of fastText's table of the logistic function: those of the lower end of each step."""
    step = ((logits.astype(np.float32) + np.float32(_MOST)) * _STEPS / _MOST / 2).astype(np.int64)
    lower = np.clip(step, 0, _STEPS) * (2 * _MOST / _STEPS) - _MOST
    values = 1 / (1 + np.exp(-lower))
    values[logits < -_MOST] = 0.0
    values[logits > _MOST] = 1.0
    answers: Float64Array = values
    return answers


@compiled
def _word_sums(
    keys: UInt64Array,
    bounds: Int64Array,
    word_keys: UInt64Array,
    word_rows: Int32Array,
    end_row: int,
    codes: UInt8Array,
    logits: Float32Array,
) -> tuple[Float64Array, Int64Array]:
    """`_span_sums` of whole texts by a model without n-grams."""
    keys, word_keys, word_rows = uncounted(keys), uncounted(word_keys), uncounted(word_rows)
    codes, logits = uncounted(codes), uncounted(logits)
    columns = logits.shape[1]
    sums = np.zeros((len(bounds) - 1, columns), dtype=np.float64)
    counts = np.zeros(len(bounds) - 1, dtype=np.int64)
    for text in range(len(bounds) - 1):
        for token in range(bounds[text], bounds[text + 1] + 1):
            row = end_row
            if token < bounds[text + 1]:
                row = find_value(word_keys, word_rows, keys[token])
            if row >= 0:
                counts[text] += 1
                if len(codes) > 0:
                    row = int(codes[row])
                for column in range(columns):
                    sums[text, column] += float(logits[row, column])
    return sums, counts


@compiled
def _span_sums(
    hashes: UInt32Array,
    keys: UInt64Array,
    bounds: Int64Array,
    spans: Int64Array,
    owners: Int64Array,
    word_keys: UInt64Array,
    word_rows: Int32Array,
    orders: int,
    bucket: np.uint64,
    first_ngram: int,
    ngram_keys: UInt64Array,
    ngram_rows: Int32Array,
    end_hash: np.uint32,
    end_row: int,
    codes: UInt8Array,
    logits: Float32Array,
) -> tuple[Float64Array, Int64Array]:
    """Sum the logits of each span's features, shape (spans, columns), and count the features.

    owners has the text of each span. Running sums are kept over a text for each length of n-gram:
    a span is a difference of two of them. The end of a line is a feature of every span, and part of
    n-grams.
    """
    columns = logits.shape[1]
    sums = np.zeros((len(spans), columns), dtype=np.float64)
    counts = np.zeros(len(spans), dtype=np.int64)
    longest = 0
    for text in range(len(bounds) - 1):
        longest = max(longest, bounds[text + 1] - bounds[text])
    # Row n: sums over the n-grams of each length that begin before token n of the text.
    sums_before = np.zeros((longest + 1, orders, columns), dtype=np.float64)
    counts_before = np.zeros((longest + 1, orders), dtype=np.int64)
    text = -1
    begin = 0
    for span in range(len(spans)):
        if owners[span] != text:
            text = owners[span]
            begin = bounds[text]
            length = bounds[text + 1] - begin
            for token in range(length):
                mixed = _signed(hashes[begin + token])
                for order in range(orders):
                    row = ABSENT
                    if order == 0:
                        row = find_value(word_keys, word_rows, keys[begin + token])
                    elif token + order < length:
                        mixed = _mixed(mixed, hashes[begin + token + order])
                        row = _ngram_row(mixed, bucket, first_ngram, ngram_keys, ngram_rows)
                    counts_before[token + 1, order] = counts_before[token, order] + (row >= 0)
                    if row >= 0 and len(codes) > 0:
                        row = int(codes[row])
                    for column in range(columns):
                        added = float(logits[row, column]) if row >= 0 else 0.0
                        sums_before[token + 1, order, column] = (
                            sums_before[token, order, column] + added
                        )
        first, last = spans[span, 0] - begin, spans[span, 1] - begin
        for order in range(min(orders, last - first)):
            counts[span] += counts_before[last - order, order] - counts_before[first, order]
            for column in range(columns):
                sums[span, column] += (
                    sums_before[last - order, order, column] - sums_before[first, order, column]
                )
        for before in range(min(orders, last - first + 1)):  # tokens of an n-gram with the end
            row = end_row
            if before > 0:
                mixed = _signed(hashes[begin + last - before])
                for token in range(last - before + 1, last):
                    mixed = _mixed(mixed, hashes[begin + token])
                mixed = _mixed(mixed, end_hash)
                row = _ngram_row(mixed, bucket, first_ngram, ngram_keys, ngram_rows)
            if row >= 0:
                counts[span] += 1
                if len(codes) > 0:
                    row = int(codes[row])
                for column in range(columns):
                    sums[span, column] += logits[row, column]
    return sums, counts


@compiled
def _signed(short: np.uint32) -> np.uint64:
    """Widen a hash to 64 bits with its sign, as fastText stores it."""
    wide = np.uint64(short)
    if wide >> np.uint64(31):
        return wide | np.uint64(0xFFFFFFFF00000000)
    return wide


@compiled
def _mixed(mixed: np.uint64, short: np.uint32) -> np.uint64:
    """Return the hash of an n-gram with one more token."""
    return mixed * np.uint64(_NGRAM_FACTOR) + _signed(short)


@compiled
def _ngram_row(
    mixed: np.uint64,
    bucket: np.uint64,
    first_ngram: int,
    ngram_keys: UInt64Array,
    ngram_rows: Int32Array,
) -> int:
    """Return the row of an n-gram, or ABSENT; a table of length 0 is that of an unpruned model."""
    place = mixed % bucket
    if len(ngram_keys) == 0:
        return first_ngram + int(place)
    return find_value(ngram_keys, ngram_rows, place + np.uint64(1))
