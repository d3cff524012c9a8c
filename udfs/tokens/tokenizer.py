"""Tokenize texts for models: tokenizer settings, and the cache that several settings share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from udfs.base.array_types import BoolArray, Int32Array, Int64Array, UInt32Array, UInt64Array
from udfs.base.code_points import TextBatch, batch_of
from udfs.base.hash_table import hash_map
from udfs.files.artifacts import ArtifactFile
from udfs.folding.fold import FoldedBatch, fold_texts
from udfs.tokens.cut_tokens import CutTexts, all_tokens, cut_characters, dropped_tokens
from udfs.tokens.folded_tokens import with_folded
from udfs.tokens.formula_sentences import formula_flags
from udfs.tokens.segment import (
    MAX_CHARS,
    SIGNED_WORDS,
    STOP_WORDS,
    WordSegmenter,
    joined_lengths,
    word_lengths,
)
from udfs.tokens.token_hashes import hash_bytes
from udfs.tokens.tokens import Tokens, drop_repeated, tokens_of_words

Segmenter = WordSegmenter | Literal["characters", "words"]

OWN: Literal["own"] = "own"

ExtraTokens = Callable[[Sequence[str], Sequence[int]], Sequence[Sequence[str]] | Tokens]
"""A function that gives extra tokens of each text, beside its words.

(texts, counts) -> tokens of each text, as lists of strings or as `Tokens`. Texts are cut to
max_chars; counts are the tokens that each text has already. No token may hold white space. Called
once a batch for all scorers with equal settings. It is pickled, so it must be a module's function.
"""

_LINE_BREAKS = {ord(sign): None for sign in "\r\n"}


class StopWordsError(ValueError):
    """A list of stop words cannot be read; the message names the file."""


@dataclass(frozen=True)
class TokenizerSettings:
    """How a text becomes the tokens that a model was trained on."""

    segmenter: Segmenter = "rjieba"
    """``rjieba`` gives jieba's words at thirty times its speed; ``characters`` gives single
    characters in lower case, but runs of the letters a to z, and of digits, whole; ``words``
    gives runs of letters, digits and the marks on them, and other characters single."""
    min_token_chars: int = 2
    """Shorter tokens are dropped."""
    stop_words: ArtifactFile | Literal["own"] | None = OWN
    """Tokens to drop: a file, one a line; OWN for `segment.STOP_WORDS`; None for no stop words."""
    max_chars: int | None = MAX_CHARS
    """Leading characters that are tokenized; None for all."""
    join_lines: bool = False
    """Remove line breaks first, so that words may cross them."""
    exempt_formulas: bool = False
    """Drop the tokens of sentences that are mostly digits and symbols."""
    distinct: bool = False
    """Keep the first occurrence of each token in a text."""
    extra: ExtraTokens | None = None
    """Gives extra tokens, appended to those of a text that has any."""
    folding: bool = False
    """Fold disguised writing first (udfs/folding); tokens keep their places in the text as it is,
    and formulas are those of that text."""


def token_lines(texts: Sequence[str], settings: Sequence[TokenizerSettings]) -> list[list[str]]:
    """Tokenize texts into lines of tokens joined by a space.

    Returns:
        For each of the settings a list of one line a text, without line breaks; the line of a text
        without tokens is empty.
    """
    return [tokens.lines() for tokens in tokenize_texts(texts, settings)]


def tokenize_texts(texts: Sequence[str], settings: Sequence[TokenizerSettings]) -> list[Tokens]:
    """Tokenize texts with several settings; settings that agree on the words share one cut.

    Args:
        texts: A lone surrogate becomes a question mark.
    Returns:
        The tokens of all texts, for each of the settings.
    """
    cache = _TokenizerCache(texts)
    return [cache.tokens(one) for one in settings]


class _TokenizerCache:
    """Texts with the words and tokens computed so far, shared by all settings."""

    def __init__(self, texts: Sequence[str], shown: UInt32Array | None = None) -> None:
        """Hold texts.

        Args:
            texts: A lone surrogate becomes a question mark.
            shown: Of folded texts, the character that stands at each place, end to end.
        """
        self._texts: dict[bool, TextBatch] = {False: _encodable(texts)}
        self._shown = shown
        self._folded: dict[int | None, tuple[FoldedBatch, _TokenizerCache] | None] = {}
        self._cuts: dict[tuple[Segmenter, bool], dict[int | None, CutTexts]] = {}
        self._all: dict[int, Tokens] = {}
        self._flags: dict[int, BoolArray] = {}
        self._repeats: dict[int, BoolArray] = {}
        self._tokens: dict[tuple[TokenizerSettings, int | None], Tokens] = {}

    def tokens(self, settings: TokenizerSettings) -> Tokens:
        """The tokens of all texts, from the cache where they are there."""
        texts = self._joined(settings.join_lines)
        limit = settings.max_chars
        if limit is not None and texts.longest <= limit:
            limit = None  # settings that differ only in limits above all texts share their tokens
        key = (replace(settings, max_chars=None), limit)
        if key not in self._tokens:
            self._tokens[key] = self._computed(settings, limit)
        return self._tokens[key]

    def _computed(self, settings: TokenizerSettings, limit: int | None) -> Tokens:
        if settings.folding:
            return self._with_folded(replace(settings, folding=False), limit)
        cut = self._cut(settings.segmenter, settings.join_lines, limit)
        if settings.extra is not None:
            tokens = self.tokens(replace(settings, extra=None))
            texts = self._joined(settings.join_lines).limited(limit)
            words = settings.extra(texts, np.diff(tokens.bounds).tolist())
            added = words if isinstance(words, Tokens) else tokens_of_words(words)
            return tokens.with_more(added, [len(text) for text in self._texts[False]])
        every = self._all_tokens(cut)
        stop_words = _dropped_words(settings.stop_words)
        is_dropped = dropped_tokens(every, settings.min_token_chars, stop_words)
        if settings.exempt_formulas:
            if id(cut) not in self._flags:
                codes = cut.codes if self._shown is None else self._shown_codes(settings)
                self._flags[id(cut)] = formula_flags(codes, cut.bounds)
            is_dropped |= self._flags[id(cut)][every.places.begins]
        if settings.distinct and settings.exempt_formulas:
            drop_repeated(every.keys, every.bounds, is_dropped)
        elif settings.distinct:
            is_dropped |= self._repeated(cut)
        tokens = every.without(is_dropped) if is_dropped.any() else every
        return self._with_original_places(tokens, cut) if settings.join_lines else tokens

    def _with_folded(self, settings: TokenizerSettings, limit: int | None) -> Tokens:
        """The tokens of all texts, of the folded ones in the place of those that change."""
        tokens = self.tokens(settings)
        if limit not in self._folded:
            folded = fold_texts(self._texts[False].limited(limit))
            cache = folded and _TokenizerCache(folded.texts, folded.shown)
            self._folded[limit] = (folded, cache) if folded and cache else None
        found = self._folded[limit]
        if found is None:
            return tokens
        folded, cache = found
        return with_folded(tokens, cache.tokens(replace(settings, max_chars=None)), folded)

    def _shown_codes(self, settings: TokenizerSettings) -> UInt32Array:
        """What stands at each place of folded texts, without line breaks where they are joined."""
        assert self._shown is not None
        if not settings.join_lines:
            return self._shown
        codes = self._texts[False].encoded.codes
        return self._shown[~np.isin(codes, np.array(list(_LINE_BREAKS), dtype=np.uint32))]

    def _all_tokens(self, cut: CutTexts) -> Tokens:
        if id(cut) not in self._all:
            self._all[id(cut)] = all_tokens(cut, _whole_runs())
        return self._all[id(cut)]

    def _repeated(self, cut: CutTexts) -> BoolArray:
        """Which of all tokens repeat one of their text: all of a word are dropped, or none."""
        if id(cut) not in self._repeats:
            every = self._all_tokens(cut)
            flags = np.zeros(len(every.keys), dtype=np.bool_)
            drop_repeated(every.keys, every.bounds, flags)
            self._repeats[id(cut)] = flags
        return self._repeats[id(cut)]

    def _with_original_places(self, tokens: Tokens, cut: CutTexts) -> Tokens:
        """Tokens of joined texts, with their places in the texts before joining."""
        joined = tokens.places
        starts, stops = joined.starts.copy(), joined.stops.copy()
        for lines, words in zip(self._texts[False], tokens, strict=True):
            places = np.array(
                [at for at, sign in enumerate(lines) if ord(sign) not in _LINE_BREAKS],
                dtype=np.int32,
            )
            part = slice(words.start, words.stop)
            starts[part] = places[joined.starts[part]]
            stops[part] = places[joined.stops[part] - 1] + 1
        original = replace(joined, starts=starts, stops=stops)
        return Tokens(original.of, tokens.hashes, tokens.keys, tokens.bounds)

    def _joined(self, join_lines: bool) -> TextBatch:
        if join_lines not in self._texts:
            joined = (text.translate(_LINE_BREAKS) for text in self._texts[False])
            self._texts[True] = TextBatch(joined)
        return self._texts[join_lines]

    def _cut(self, segmenter: Segmenter, join_lines: bool, limit: int | None) -> CutTexts:
        cuts = self._cuts.setdefault((segmenter, join_lines), {})
        if limit not in cuts:
            texts = self._joined(join_lines).limited(limit)
            codes, bounds = texts.encoded.codes, _bounds(texts.encoded.lengths)
            if segmenter == "characters" or segmenter == "words":
                cuts[limit] = cut_characters(codes, bounds, words=segmenter == "words")
            else:
                words = _word_lengths(texts, segmenter, list(cuts.values()))
                cuts[limit] = CutTexts(codes, bounds, *words, has_runs=segmenter == "rjieba")
        return cuts[limit]


def _word_lengths(
    texts: TextBatch, segmenter: WordSegmenter, cuts: Sequence[CutTexts]
) -> tuple[Int32Array, Int64Array]:
    """The lengths of the words of texts, as `word_lengths` returns them.

    Args:
        cuts: The same texts with other limits, cut already: a text of the same length has the same
            words.
    """
    if not cuts:
        return word_lengths(texts, segmenter)
    known: dict[int, Int32Array] = {}
    for cut in cuts:
        is_same = np.diff(cut.bounds) == texts.encoded.lengths
        for number in np.flatnonzero(is_same).tolist():
            known[number] = cut.words[cut.word_bounds[number] : cut.word_bounds[number + 1]]
    new = [number for number in range(len(texts)) if number not in known]
    words, bounds = word_lengths([texts[number] for number in new], segmenter)
    known.update(zip(new, np.split(words, bounds[1:-1]), strict=True) if new else ())
    return joined_lengths([known[number] for number in range(len(texts))])


def read_stop_words(path: Path) -> frozenset[str]:
    """Read a list of stop words, one a line; byte order mark, CRLF and blank lines are accepted.

    Raises:
        StopWordsError: the file cannot be read, or is not UTF-8.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise StopWordsError(
            f"{path}: is not UTF-8: {error.reason} at byte {error.start}; save the list as UTF-8"
        ) from error
    except OSError as error:
        raise StopWordsError(f"{path}: cannot be read: {error.strerror or error}") from error
    return frozenset(word for line in lines if (word := line.strip()))


def _encodable(texts: Sequence[str]) -> TextBatch:
    """Texts with a question mark for a lone surrogate."""
    batch = batch_of(texts)
    try:
        batch.encoded  # noqa: B018 - raises
    except UnicodeEncodeError:
        return TextBatch(text.encode("utf-8", "replace").decode("utf-8") for text in texts)
    return batch


def _bounds(lengths: Int64Array) -> Int64Array:
    bounds = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=bounds[1:])
    return bounds


@functools.lru_cache(maxsize=8)
def _dropped_words(words: ArtifactFile | Literal["own"] | None) -> tuple[UInt64Array, Int32Array]:
    """The hash table of the stop words that settings name."""
    return _table(_stop_words(words))


@functools.lru_cache(maxsize=1)
def _whole_runs() -> tuple[UInt64Array, Int32Array]:
    return _table(SIGNED_WORDS)


def _table(words: frozenset[str]) -> tuple[UInt64Array, Int32Array]:
    _, keys = hash_bytes([word.encode("utf-8") for word in sorted(words)])
    return hash_map(keys, np.arange(len(keys), dtype=np.int32))


@functools.lru_cache(maxsize=8)
def _stop_words(words: ArtifactFile | Literal["own"] | None) -> frozenset[str]:
    if words is None:
        return frozenset()
    return STOP_WORDS if isinstance(words, str) else read_stop_words(words.local_path())
