"""What a language's texts are made of: characters by script, sentence marks, and words.

The functions are for mapInArrow over rows of `udfs.files.clean_texts.CLEAN_TEXT`; their rows are
counts that a query adds up.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
from pyspark.sql.types import DoubleType, LongType, StringType, StructField, StructType

from udfs.base.array_types import BoolArray, UInt8Array, UInt32Array
from udfs.base.language import SCRIPTS, Script, TextLanguage
from udfs.measures.schema import TEXT_MEASURES_TYPE

CHARACTERS, WORD, MARK = "characters", "word", "mark"
"""Kinds of counts: characters of a script; ``chars`` and ``words`` of all; documents with a mark
behind a word and before white space or the end of a line."""

COUNT = StructType(
    [
        StructField("language", StringType()),
        StructField("kind", StringType()),
        StructField("name", StringType()),
        StructField("count", LongType()),
    ]
)

WORD_OF_DOCUMENT = StructType(
    [StructField(name, StringType()) for name in ("language", "source", "word")]
)
"""A word of a document, each once."""

NUMBERS = tuple(
    field.name
    for field in TEXT_MEASURES_TYPE
    if isinstance(field.dataType, LongType | DoubleType)
    and not field.name.startswith(("casia_", "sensitive_"))
)
"""Measures of a text that are numbers and need no list."""

MEASURED_TEXT = StructType(
    [
        StructField("language", StringType()),
        *(StructField(name, DoubleType()) for name in NUMBERS),
    ]
)

SENTENCE_TERMINALS = ".!?。！？．｡…‼⁇⁈⁉︒︕︖﹒﹖﹗؟۔؞።፧፨॥।၊။។៕་།༎᠃᠉։܀܁܂߹๏๚๛‽⸮𑂾𑂿"
"""Marks that end sentences in some language. Source: Unicode 16.0, Sentence_Terminal, without
historical scripts, with ellipsis."""

_COUNT_SCHEMA = pa.schema(
    [
        (field.name, pa.int64() if isinstance(field.dataType, LongType) else pa.string())
        for field in COUNT
    ]
)
_WORD_SCHEMA = pa.schema([(field.name, pa.string()) for field in WORD_OF_DOCUMENT])
_SCRIPT_KEYS = [(CHARACTERS, name) for name in SCRIPTS]
_MARKS = re.compile(rf"(?<=\w)([{re.escape(SENTENCE_TERMINALS)}])[\"'”’»」』)）]*(?=\s|$)", re.M)


@dataclass(frozen=True)
class WordCut:
    """How texts are cut into words."""

    script: Script
    """Only words of these characters, and of marks that combine with them, count."""
    has_words: bool
    """Whether white space and marks separate words; else each character is one."""
    fold: tuple[str, ...] = ()
    """As `TextLanguage.fold`."""


def count_characters_of(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Count characters by script, words, and documents by sentence mark: rows of COUNT."""
    from udfs.base.characters import word_table
    from udfs.base.code_points import encode_texts

    is_word = word_table() != 0
    for batch in batches:
        counts: dict[tuple[str, str, str], int] = {}
        rows = zip(batch["language"].to_pylist(), batch["text"].to_pylist(), strict=True)
        for language, text in rows:
            codes = encode_texts([text]).codes
            inside = is_word[codes]
            begins = inside & ~np.concatenate(([False], inside[:-1]))
            found = {
                (WORD, "chars"): int(inside.sum()),
                (WORD, "words"): int(begins.sum()),
                **dict(zip(_SCRIPT_KEYS, _script_counts(codes), strict=True)),
                **{(MARK, mark): 1 for mark in _MARKS.findall(text)},
            }
            for (kind, name), count in found.items():
                if count:
                    key = (language, kind, name)
                    counts[key] = counts.get(key, 0) + count
        rows_out = [(*key, count) for key, count in sorted(counts.items())]
        yield _batch(rows_out, _COUNT_SCHEMA)


def words_of(cut: WordCut) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Make the function that lists each document's words: rows of WORD_OF_DOCUMENT."""

    def listed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for row in batch.to_pylist():
                words = sorted(set(cut_words(row["text"], cut)))
                found = [(row["language"], row["source"], word) for word in words]
                yield _batch(found, _WORD_SCHEMA)

    return listed


def cut_words(text: str, cut: WordCut) -> list[str]:
    """Return the words of a text that its script writes, folded, in their order.

    >>> cut_words("Taws aw 2024, taws", WordCut(("Latin",), has_words=True))
    ['taws', 'aw', 'taws']
    >>> cut_words("好的, ok", WordCut(("Han",), has_words=False))
    ['好', '的']
    """
    from udfs.base.characters import word_table
    from udfs.base.code_points import encode_texts
    from udfs.base.letters import fold_letters
    from udfs.base.script_counts import script_table

    folded = fold_letters(text, cut.fold)
    codes = encode_texts([folded]).codes
    inside = word_table()[codes] != 0
    foreign = inside & (script_table(cut.script)[codes] == 0) & ~_marks()[codes]
    if not cut.has_words:
        own = np.flatnonzero(inside & ~foreign)
        return [folded[place] for place in own.tolist()]
    edges = np.flatnonzero(np.diff(inside.astype(np.int8), prepend=0, append=0))
    foreign_up_to = np.concatenate(([0], np.cumsum(foreign)))
    return [
        folded[start:stop]
        for start, stop in edges.reshape(-1, 2).tolist()
        if foreign_up_to[start] == foreign_up_to[stop]
    ]


def measures_of(
    languages: dict[str, TextLanguage],
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Make the function that measures texts: language, and the measures that are numbers.

    Args:
        languages: Name of each language in the rows -> what its measures ask.
    """

    def measured(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from udfs.lists.lexicon import Lexicon
        from udfs.measures.measures import measure_texts

        lexicon = Lexicon({})
        for batch in batches:
            names = np.array(batch["language"].to_pylist(), dtype=object)
            for name in sorted(set(names)):
                rows = batch.filter(pa.array(names == name))
                found = measure_texts(rows["text"].to_pylist(), lexicon, languages[name])
                columns = [found.field(number).cast(pa.float64()) for number in NUMBERS]
                yield pa.RecordBatch.from_arrays([rows["language"], *columns], schema=schema)

    schema = pa.schema([("language", pa.string()), *((name, pa.float64()) for name in NUMBERS)])
    return measured


def _script_counts(codes: UInt32Array) -> list[int]:
    """Characters of each of SCRIPTS, in their order."""
    counts: list[int] = np.bincount(_script_numbers()[codes], minlength=len(SCRIPTS) + 1).tolist()
    return counts[1:]


@lru_cache(maxsize=1)
def _script_numbers() -> UInt8Array:
    """Place in SCRIPTS of each code point, from 1; 0 for none. Shape (CODE_POINTS,)."""
    from udfs.base.code_points import CODE_POINTS

    table = np.zeros(CODE_POINTS, dtype=np.uint8)
    for number, ranges in enumerate(SCRIPTS.values(), 1):
        for first, last in ranges:
            table[first : last + 1] = number
    return table


@lru_cache(maxsize=1)
def _marks() -> BoolArray:
    """Whether each code point is a mark that combines with a letter. Shape (CODE_POINTS,)."""
    from udfs.base.code_points import CODE_POINTS

    table = np.zeros(CODE_POINTS, dtype=np.bool_)
    table[[code for code in range(0x1FFFF) if unicodedata.category(chr(code))[0] == "M"]] = True
    return table


def _batch(rows: Sequence[tuple[str | int, ...]], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
