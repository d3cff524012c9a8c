"""Measures of the texts of image places that ask the language: its script, words and nouns,
sensitive words, personal data.

Texts repeat: a batch measures each of its distinct texts once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from udfs.base.characters import Kind, kind_table
from udfs.base.code_points import EncodedTexts, encode_texts
from udfs.base.language import TextLanguage
from udfs.base.script_counts import script_table
from udfs.files.artifacts import ArtifactFile
from udfs.lists.lexicon import Lexicon, cached_lexicon
from udfs.measures import blank_words
from udfs.measures.schema import PAIR_MEASURES_ARROW_SCHEMA
from udfs.measures.sensitive_words import sensitive_columns
from udfs.pii.find import pii_of_texts

PART_ROWS = 20_000
"""Rows that are measured together; their texts are short (`udfs.pairs.texts.MAX_TEXT_CHARS`)."""

_CHINESE = TextLanguage()
_KEYS = ("doc_id", "place")
_MARK = "x"
"""rjieba's tag of marks and blanks, and of what is in no dictionary."""


class Words(NamedTuple):
    """The number of words of a text, and of those that are nouns."""

    words: int
    nouns: int


def count_words(text: str) -> Words:
    """Count the words of a Chinese text and its nouns, by rjieba's cut and tags.

    Nouns are n and every tag that begins so: names of persons (nr), places (ns), organisations
    (nt), other names (nz), and ng, nrt, nrfg. Verbal nouns (vn) and Latin words (eng) are none.

    >>> count_words("雨中的老桥与两岸的集市。"), count_words("点击查看，more")
    (Words(words=7, nouns=2), Words(words=3, nouns=0))
    """
    import rjieba

    words = nouns = 0
    for word, tag in rjieba.tag(text, True):
        if tag[0] == "n":
            words += 1
            nouns += 1
        elif tag != _MARK or any(map(str.isalnum, word)):
            words += 1
    return Words(words, nouns)


def pair_measures(
    doc_ids: pa.Array,
    places: pa.Array,
    texts: pa.Array,
    lexicon: Lexicon,
    language: TextLanguage = _CHINESE,
) -> pa.RecordBatch:
    """Measure the texts of image places.

    Args:
        doc_ids, places: What names a place; they are returned as they are.
        texts: Shape (places,), strings; a null gives null measures, "" zeros.
        lexicon: Sensitive words.
        language: What is asked of it: script, tokenizer, number plans.
    Returns:
        The columns of PAIR_MEASURES_TYPE, a row a place in the same order.
    """
    encoded = texts.dictionary_encode()
    distinct: Sequence[str] = encoded.dictionary.to_pylist()
    coded = encode_texts(distinct)
    found = sensitive_columns([coded], lexicon)
    personal = pii_of_texts(distinct, number_plans=language.number_plans)
    columns = {
        "script_share": _script_shares(coded, language),
        **_word_columns(distinct, coded, language),
        "sensitive_distinct": found["sensitive_distinct"],
        "sensitive_words": found["sensitive_words"],
        "pii": [[span._asdict() for span in spans] for spans in personal],
    }
    schema = PAIR_MEASURES_ARROW_SCHEMA
    measured = [
        pa.array(columns[field.name], field.type).take(encoded.indices)
        for field in schema
        if field.name not in _KEYS
    ]
    return pa.RecordBatch.from_arrays([doc_ids, places, *measured], schema=schema)


def _script_shares(coded: EncodedTexts, language: TextLanguage) -> npt.NDArray[np.float64]:
    """Share of the language's script in the characters of each text but white space."""
    kinds = kind_table()[coded.codes]
    chars = coded.lengths - coded.counts_of((kinds == Kind.SPACE) | (kinds == Kind.NEWLINE))
    of_script = coded.counts_of(script_table(language.script)[coded.codes] != 0)
    shares: npt.NDArray[np.float64] = of_script / np.maximum(chars, 1)
    return shares


def _word_columns(
    texts: Sequence[str], coded: EncodedTexts, language: TextLanguage
) -> dict[str, Any]:
    """Columns of words and nouns; null where the language's tokenizer has none."""
    if language.has_nouns:
        counts = np.array([count_words(text) for text in texts], dtype=np.int64).reshape(-1, 2)
        return {"words": counts[:, 0], "nouns": counts[:, 1]}
    unknown = pa.nulls(len(texts), pa.int64())
    words = blank_words.count_words(coded, language).words if language.has_blanks else unknown
    return {"words": words, "nouns": unknown}


def pair_text_pass(
    lexicon: ArtifactFile, language: TextLanguage = _CHINESE
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Make the function for mapInArrow: doc_id, place, text in, PAIR_MEASURES_TYPE out.

    Batch: any number of rows in, one row out for each, in batches of at most PART_ROWS. The lexicon
    is loaded once a Python worker.
    """

    def measured(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        words = cached_lexicon(lexicon.local_path(), lexicon.sha256)
        for batch in batches:
            for start in range(0, batch.num_rows, PART_ROWS):
                part = batch.slice(start, PART_ROWS)
                texts = pc.cast(part.column("text"), pa.string())
                keys = part.column("doc_id"), part.column("place")
                yield pair_measures(*keys, texts, words, language)

    return measured
