"""The answers of a folded fastText model: from hashes of tokens to sums of rows, compiled.

Source: fastText v0.9.2: Dictionary::addWordNgrams, loss.cc.
"""

from __future__ import annotations

import numpy as np

from udfs.compiled import compiled
from udfs.fasttext_weights import Codes, LinearWeights, Logits, Table
from udfs.token_hashes import ABSENT, Hashes, Keys, Numbers, Rows, find_row
from udfs.tokens import Tokens

_NGRAM_FACTOR = 116049371
_FLOOR = 1e-5
"""fastText adds this inside its logarithm, and so to every probability."""

_STEPS, _MOST = 512, 8.0
"""fastText's logistic function is a table of this many steps between -8 and 8."""


class LinearModel:
    """Answers the tokens of texts, and of parts of them."""

    def __init__(self, weights: LinearWeights) -> None:
        self._weights = weights

    def probabilities(self, tokens: Tokens, spans: Numbers | None = None) -> Table:
        """The probability of every label for every text, or for parts of texts.

        Each part is answered as if it were a line of its own.

        Args:
            tokens: Of some texts.
            spans: First token of each part and the one behind its last, shape (parts, 2); each lies
                inside one text, and those of a text best follow each other. None for the texts.
        Returns:
            Shape (texts or parts, labels), in [0, 1]. Without any feature of the model all labels
            have the same share.
        """
        weights = self._weights
        if spans is None:
            spans = np.stack([tokens.bounds[:-1], tokens.bounds[1:]], axis=1)
        # An empty part between two texts may be of either.
        owners = np.maximum(np.searchsorted(tokens.bounds, spans[:, 1]) - 1, 0)
        sums, counts = _span_sums(
            tokens.hashes, tokens.keys, tokens.bounds, spans, owners, *weights.words,
            weights.word_ngrams, np.uint64(weights.bucket), weights.first_ngram, *weights.ngrams,
            np.uint32(weights.end_hash), weights.end_row, weights.codes, weights.logits,
        )  # fmt: skip
        logits = sums / np.maximum(counts, 1)[:, None]
        if weights.loss == "softmax":
            answers = _softmax(logits) if len(weights.labels) > 1 else np.ones_like(logits)
        else:
            answers = _logistic(logits)
        answers = np.clip(answers + _FLOOR, 0.0, 1.0)
        answers[counts == 0] = 1 / len(weights.labels)
        return answers


def _softmax(logits: Table) -> Table:
    """Shares of the labels; one column of two labels is how much the second one is ahead."""
    if logits.shape[1] == 1:
        logits = np.concatenate([-logits / 2, logits / 2], axis=1)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Table = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _logistic(logits: Table) -> Table:
    """fastText's own values, which are those of the step's lower end."""
    step = ((logits.astype(np.float32) + np.float32(_MOST)) * _STEPS / _MOST / 2).astype(np.int64)
    lower = np.clip(step, 0, _STEPS) * (2 * _MOST / _STEPS) - _MOST
    values = 1 / (1 + np.exp(-lower))
    values[logits < -_MOST] = 0.0
    values[logits > _MOST] = 1.0
    answers: Table = values
    return answers


@compiled
def _span_sums(
    hashes: Hashes,
    keys: Keys,
    bounds: Numbers,
    spans: Numbers,
    owners: Numbers,
    word_keys: Keys,
    word_rows: Rows,
    orders: int,
    bucket: np.uint64,
    first_ngram: int,
    ngram_keys: Keys,
    ngram_rows: Rows,
    end_hash: np.uint32,
    end_row: int,
    codes: Codes,
    logits: Logits,
) -> tuple[Table, Numbers]:
    """What the features of each span add up to, shape (spans, columns), and how many they are.

    What a text's features add up to so far is kept for each length of n-gram: a span is then the
    difference of two places. The line's end, which fastText puts behind every line, is a feature of
    every span by itself, and part of n-grams.

    Args:
        spans: As `LinearModel.probabilities` has them.
        owners: The text of each.
    """
    columns = logits.shape[1]
    sums = np.zeros((len(spans), columns), dtype=np.float64)
    counts = np.zeros(len(spans), dtype=np.int64)
    longest = 0
    for text in range(len(bounds) - 1):
        longest = max(longest, bounds[text + 1] - bounds[text])
    # Row n: of the n-grams of each length that begin before token n of the text.
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
                        row = find_row(word_keys, word_rows, keys[begin + token])
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
    """A hash as fastText keeps it, a number with a sign, widened to 64 bits."""
    wide = np.uint64(short)
    if wide >> np.uint64(31):
        return wide | np.uint64(0xFFFFFFFF00000000)
    return wide


@compiled
def _mixed(mixed: np.uint64, short: np.uint32) -> np.uint64:
    """The hash of an n-gram with one more token."""
    return mixed * np.uint64(_NGRAM_FACTOR) + _signed(short)


@compiled
def _ngram_row(
    mixed: np.uint64, bucket: np.uint64, first_ngram: int, ngram_keys: Keys, ngram_rows: Rows
) -> int:
    """The row of an n-gram; a table of none is that of a model that was not pruned."""
    place = mixed % bucket
    if len(ngram_keys) == 0:
        return first_ngram + int(place)
    return find_row(ngram_keys, ngram_rows, place + np.uint64(1))
