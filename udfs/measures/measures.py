"""All measures of texts, computed in one pass over them.

`udfs.measures.schema` names them; the other modules of this room compute each group.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import zstandard

from udfs.base.array_types import Int64Array
from udfs.base.characters import Kind
from udfs.base.chinese_script import casia_conversion
from udfs.base.code_points import EncodedTexts, encode_texts
from udfs.base.language import HAN, TextLanguage
from udfs.base.script_counts import script_table
from udfs.lists.lexicon import Lexicon
from udfs.measures.blank_words import count_words
from udfs.measures.casia_exact import casia_columns
from udfs.measures.character_counts import count_characters
from udfs.measures.repeated_ngrams import ngram_shares
from udfs.measures.repetition import LONG_CHARS, kept_characters
from udfs.measures.schema import TEXT_MEASURES_ARROW_TYPE
from udfs.measures.sensitive_words import sensitive_columns
from udfs.measures.text_lines import line_shares
from udfs.pii.emails import email_counts, url_counts
from udfs.repair.mojibake import mojibake_shares

ZSTD_LEVEL = 1

RUN_CHARS = 1 << 20
"""Characters of the texts that are measured together: bounds memory, at 10 bytes each."""

CHUNK_CHARS = 1 << 17
"""Code points in one array: what stays in the processor's cache, at 100 bytes each."""

_CHINESE = TextLanguage()


def measure_texts(
    texts: Sequence[str | None], lexicon: Lexicon, language: TextLanguage = _CHINESE
) -> pa.StructArray:
    """Measure texts.

    Args:
        texts: One document each; None gives null measures.
        lexicon: Words that count as sensitive.
        language: Of the texts: what counts as its script, its function characters and its words.
    Returns:
        Array of TEXT_MEASURES_ARROW_TYPE, as long as texts. Shares are in [0, 1], 0.0 where the
        denominator is 0. The measures of a text do not depend on its neighbours.
    Source:
        ChineseWebText 2.0, section 3; Gopher (arXiv 2112.11446), section A1.1. The functions
        called here define each measure.
    """
    parts = [_measure_run(run, lexicon, language) for run in _runs(texts, RUN_CHARS)]
    return _struct_array(parts, texts)


def measure_texts_for_casia(texts: Sequence[str | None], lexicon: Lexicon) -> pa.StructArray:
    """Compute only the measures that the published script's decisions need.

    Args:
        texts: One document each; None gives null measures.
        lexicon: Words that count as sensitive.
    Returns:
        As `measure_texts`; the fields that `casia_columns` does not have are null.
    """
    parts = [casia_columns(_chunks(run), lexicon) for run in _runs(texts, RUN_CHARS)]
    return _struct_array(parts, texts)


def traditional_shares(texts: Sequence[str]) -> np.ndarray[Any, Any]:
    """The measure ``traditional_share`` alone, shape (texts,)."""
    shares = [np.zeros(0)]
    for chunk in _runs(texts, CHUNK_CHARS):
        shares.append(_traditional_shares(count_characters(encode_texts(chunk)).kinds))
    return np.concatenate(shares)


def zstd_ratio(text: str) -> float:
    """Bytes of a text compressed by zstd / bytes of it in UTF-8.

    Of documents of 1,200 Chinese characters the median is 0.58 and the tenth percentile 0.45; a
    sentence 100 times over has 0.02. Another version of zstd may give other bytes, so a limit on
    this measure belongs to a version. (Measured with zstd 1.5.7. Level 3 gives 0.57 and takes a
    fifth longer.)

    Returns:
        0.0 for the empty text; over 1 for a text of a few characters, whose frame is longer than
        they are.
    """
    data = text.encode()
    return len(_compressor().compress(data)) / len(data) if data else 0.0


@lru_cache(maxsize=1)
def _compressor() -> zstandard.ZstdCompressor:
    return zstandard.ZstdCompressor(level=ZSTD_LEVEL)


def _runs(texts: Sequence[str | None], chars: int) -> Iterator[list[str]]:
    """Cut texts into runs of about this many characters, long texts alone; None becomes empty."""
    run: list[str] = []
    size = 0
    for text in texts:
        if text is not None and len(text) > LONG_CHARS:
            if run:
                yield run
            yield [text]
            run, size = [], 0
            continue
        run.append(text or "")
        size += len(run[-1])
        if size >= chars:
            yield run
            run, size = [], 0
    if run:
        yield run


def _chunks(texts: list[str]) -> list[tuple[list[str], EncodedTexts]]:
    """Texts in chunks of about CHUNK_CHARS, encoded."""
    return [(chunk, encode_texts(chunk)) for chunk in _runs(texts, CHUNK_CHARS)]


def _struct_array(parts: list[dict[str, Any]], texts: Sequence[str | None]) -> pa.StructArray:
    """Measures of texts from the columns of their runs; a measure without a column is null."""
    fields = list(TEXT_MEASURES_ARROW_TYPE)
    columns = [
        _column([part[field.name] for part in parts], field.type)
        if all(field.name in part for part in parts)
        else pa.nulls(len(texts), field.type)
        for field in fields
    ]
    unmeasured = pa.array([text is None for text in texts], pa.bool_())
    return pa.StructArray.from_arrays(columns, fields=fields, mask=unmeasured)


def _column(parts: list[Any], arrow_type: pa.DataType) -> pa.Array:
    """One column of all parts: Arrow takes longer for 50 short arrays than for one long one."""
    if parts and isinstance(parts[0], np.ndarray):
        return pa.array(np.concatenate(parts), arrow_type)
    if parts and isinstance(parts[0], pa.Array):
        return pa.concat_arrays(parts).cast(arrow_type)
    return pa.array(list(chain.from_iterable(parts)), arrow_type)


def _measure_run(texts: list[str], lexicon: Lexicon, language: TextLanguage) -> dict[str, Any]:
    """Compute a column for each measure, an array or a sequence as long as texts.

    One measure after the other: each has tables that the others push out of the cache.
    """
    chunks = _chunks(texts)
    counted = [_measure_characters(*chunk, language) for chunk in chunks]
    return {
        **{name: np.concatenate([part[name] for part in counted]) for name in counted[0]},
        **sensitive_columns([encoded for _, encoded in chunks], lexicon),
        "casia_traditional": np.concatenate(
            [casia_conversion().changes(*chunk) for chunk in chunks]
        ),
        "zstd_ratio": [zstd_ratio(text) for text in texts],
    }


def _measure_characters(
    texts: list[str], encoded: EncodedTexts, language: TextLanguage
) -> dict[str, Any]:
    """Columns of the measures of single code points and of neighbours."""
    chars = encoded.lengths
    counted = count_characters(encoded, language)
    counts = counted.kinds
    casia_han = counts[:, Kind.HAN] + counts[:, Kind.HAN_TRADITIONAL]
    newlines = counts[:, Kind.NEWLINE]
    han_share = _ratio(_han(counts), chars)
    return {
        "chars": chars,
        "lines": newlines + 1,
        "mean_line_chars": (chars - newlines) / (newlines + 1),
        "mean_sentence_chars": _ratio(chars - newlines - counts[:, Kind.SPACE], counted.sentences),
        "han_share": han_share,
        "script_share": han_share if language.script == HAN else _script_share(encoded, language),
        "traditional_share": _traditional_shares(counts),
        "digit_share": _ratio(counts[:, Kind.DIGIT], chars),
        "punctuation_share": _ratio(
            counts[:, Kind.PUNCTUATION] + counts[:, Kind.SENTENCE_END], chars
        ),
        "symbol_share": _ratio(counts[:, Kind.SYMBOL] + counts[:, Kind.EMOJI], chars),
        "emoji_share": _ratio(counts[:, Kind.EMOJI] + counts[:, Kind.EMOJI_SELECTOR], chars),
        "private_use_share": _ratio(counts[:, Kind.PRIVATE_USE], chars),
        "control_share": _ratio(counts[:, Kind.CONTROL], chars),
        "function_char_share": _ratio(counted.function_chars, chars),
        "mojibake_share": mojibake_shares(encoded),
        "url_count": url_counts(texts, encoded),
        "email_count": email_counts(texts, encoded),
        "casia_han_share": _ratio(casia_han, chars),
        **line_shares(texts, encoded, language.sentence_ends)._asdict(),
        **_word_columns(encoded, language),
        **_ngram_columns(kept_characters(texts, encoded)),
    }


def _script_share(encoded: EncodedTexts, language: TextLanguage) -> np.ndarray[Any, Any]:
    is_script = script_table(language.script)[encoded.codes] != 0
    return _ratio(encoded.counts_of(is_script), encoded.lengths)


def _word_columns(encoded: EncodedTexts, language: TextLanguage) -> dict[str, Any]:
    """Columns of the measures of words; none for a language that does not separate them."""
    if not language.has_blanks:
        return {}
    counted = count_words(encoded, language)
    return {
        "words": counted.words,
        "mean_word_chars": _ratio(counted.word_chars, counted.words),
        "stop_word_share": _ratio(counted.stop_words, counted.words),
    }


def _han(counts: Int64Array) -> Int64Array:
    kinds = (Kind.HAN, Kind.HAN_TRADITIONAL, Kind.HAN_REST, Kind.HAN_REST_TRADITIONAL)
    han: Int64Array = counts[:, kinds].sum(axis=1)
    return han


def _traditional_shares(counts: Int64Array) -> np.ndarray[Any, Any]:
    traditional = counts[:, Kind.HAN_TRADITIONAL] + counts[:, Kind.HAN_REST_TRADITIONAL]
    return _ratio(traditional, _han(counts))


def _ngram_columns(kept: EncodedTexts) -> dict[str, Any]:
    shares = ngram_shares(kept)
    return {
        **{f"top_{size}gram_char_share": share for size, share in shares.top.items()},
        **{f"dup_{size}gram_char_share": share for size, share in shares.dup.items()},
        "dup_13gram_share": shares.windows.every,
        "casia_dup_13gram_share": shares.windows.casia,
    }


def _ratio(part: np.ndarray[Any, Any], whole: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Quotients, 0.0 where the whole is 0."""
    ratio: np.ndarray[Any, Any] = part / np.maximum(whole, 1)
    ratio[whole == 0] = 0.0
    return ratio
