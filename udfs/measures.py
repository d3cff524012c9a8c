"""Every measure the rules need, in one pass over the texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    DoubleType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from udfs.artifact_files import ArtifactFile
from udfs.characters import Kind, count_kinds
from udfs.code_points import Counts, EncodedTexts, encode_texts
from udfs.lexicon import Lexicon, cached_lexicon
from udfs.repetition import dup_line_share, window_shares
from udfs.traditional import casia_conversion

if TYPE_CHECKING:
    from pyspark.sql.udf import UserDefinedFunction

MAX_SENSITIVE_WORDS = 50
"""Most matched words that are stored for a text."""

CHUNK_CHARS = 1 << 17
"""Code points measured together: bounds memory (about 60 bytes each) and stays in cache."""

_TYPES: dict[str, DataType] = {
    "chars": LongType(),  # code points
    "lines": LongType(),  # newlines + 1
    "mean_line_chars": DoubleType(),  # code points but newlines / lines
    "han_share": DoubleType(),  # Script=Han / chars, as the shares below unless said
    "traditional_share": DoubleType(),  # characters of traditional script only / Script=Han
    "digit_share": DoubleType(),
    "punctuation_share": DoubleType(),
    "symbol_share": DoubleType(),
    "private_use_share": DoubleType(),
    "control_share": DoubleType(),  # control and format characters, tab and line ends aside
    "sensitive_distinct": LongType(),  # lexicon words that occur
    "sensitive_total": LongType(),  # their occurrences, overlapping ones too
    "sensitive_words": ArrayType(StringType()),  # the first 50 of those that occur, sorted
    "dup_13gram_share": DoubleType(),  # 13-character windows that occur more than once
    "dup_line_share": DoubleType(),  # lines that repeat an earlier one / lines, blank ones aside
    "url_count": LongType(),
    "casia_han_share": DoubleType(),  # U+4E00..U+9FA5 / chars
    "casia_traditional": BooleanType(),  # conversion to zh-cn changes the text
    "casia_dup_13gram_share": DoubleType(),  # without the last window
}

MEASURES_TYPE = StructType([StructField(name, kind) for name, kind in _TYPES.items()])
"""The measures of a text. Null (as a whole) where there is no text; no field is null else.

Fields that begin with casia_ are counted as the published script counts.
"""

_ARROW: dict[type[DataType], pa.DataType] = {
    LongType: pa.int64(),
    DoubleType: pa.float64(),
    BooleanType: pa.bool_(),
    ArrayType: pa.list_(pa.string()),
}
MEASURES_ARROW_TYPE = pa.struct([(name, _ARROW[type(kind)]) for name, kind in _TYPES.items()])

_URL = re.compile(r"https?://[!-~]|(?<![0-9a-z./_-])www\.[!-~]", re.IGNORECASE)


def measure_texts(texts: Sequence[str | None], lexicon: Lexicon) -> pa.StructArray:
    """Measure texts.

    Args:
        texts: One document each; None gives null measures.
        lexicon: Words that count as sensitive.
    Returns:
        Array of MEASURES_ARROW_TYPE, as long as texts. Shares are in [0, 1], 0.0 where the
        denominator is 0. What comes out for a text does not depend on its neighbours.
    Source:
        ChineseWebText 2.0, section 3.
    """
    parts = [_measure_chunk(chunk, lexicon) for chunk in _chunks(texts)]
    fields = list(MEASURES_ARROW_TYPE)
    columns = [
        pa.concat_arrays([part[field.name] for part in parts])
        if parts
        else pa.array([], field.type)
        for field in fields
    ]
    unmeasured = pa.array([text is None for text in texts], pa.bool_())
    return pa.StructArray.from_arrays(columns, fields=fields, mask=unmeasured)


def count_urls(text: str) -> int:
    """Number of web addresses that begin with http://, https:// or www."""
    return sum(1 for _ in _URL.finditer(text))


def measures_udf(lexicon_file: ArtifactFile) -> UserDefinedFunction:
    """Column function text -> MEASURES_TYPE.

    A null text gives a struct whose fields are all null: a pandas UDF cannot return a null
    struct, the transform makes it one.

    Batch: strings in, one row of measures out; memory is bounded by CHUNK_CHARS beside the
    batch itself.
    """

    @pandas_udf(MEASURES_TYPE)  # type: ignore[call-overload, untyped-decorator]
    def measures(batches: Iterator[pd.Series]) -> Iterator[pd.DataFrame]:
        lexicon = cached_lexicon(lexicon_file.local_path(), lexicon_file.sha256)
        for texts in batches:
            yield _as_frame(measure_texts(texts.tolist(), lexicon))

    # Else a filter on a measure makes Spark measure twice.
    udf: UserDefinedFunction = measures.asNondeterministic()
    return udf


def _as_frame(measured: pa.StructArray) -> pd.DataFrame:
    names = MEASURES_TYPE.fieldNames()
    columns = zip(names, measured.flatten(), strict=True)
    return pd.DataFrame({name: column.to_pandas() for name, column in columns})


def _chunks(texts: Sequence[str | None]) -> Iterator[list[str]]:
    """Texts in runs of about CHUNK_CHARS; None becomes the empty text."""
    chunk: list[str] = []
    size = 0
    for text in texts:
        chunk.append(text or "")
        size += len(chunk[-1])
        if size >= CHUNK_CHARS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _measure_chunk(texts: list[str], lexicon: Lexicon) -> dict[str, pa.Array]:
    encoded = encode_texts(texts)
    chars = encoded.lengths
    kinds = count_kinds(encoded)
    lines = kinds[:, Kind.NEWLINE] + 1
    traditional = kinds[:, Kind.HAN_TRADITIONAL] + kinds[:, Kind.HAN_REST_TRADITIONAL]
    casia_han = kinds[:, Kind.HAN] + kinds[:, Kind.HAN_TRADITIONAL]
    han = casia_han + kinds[:, Kind.HAN_REST] + kinds[:, Kind.HAN_REST_TRADITIONAL]
    windows = window_shares(texts, encoded)

    distinct, total, words = [], [], []
    for text in texts:
        found = lexicon.find(text)
        total.append(found.total)
        distinct.append(len(found.words))
        # Lexicon.words is sorted, and so are its indexes.
        words.append([lexicon.words[i] for i in sorted(found.words)[:MAX_SENSITIVE_WORDS]])

    columns: dict[str, Any] = {
        "chars": chars,
        "lines": lines,
        "mean_line_chars": (chars - kinds[:, Kind.NEWLINE]) / lines,
        "han_share": _share(han, chars),
        "traditional_share": _share(traditional, han),
        "digit_share": _share(kinds[:, Kind.DIGIT], chars),
        "punctuation_share": _share(kinds[:, Kind.PUNCTUATION], chars),
        "symbol_share": _share(kinds[:, Kind.SYMBOL], chars),
        "private_use_share": _share(kinds[:, Kind.PRIVATE_USE], chars),
        "control_share": _share(kinds[:, Kind.CONTROL], chars),
        "sensitive_distinct": distinct,
        "sensitive_total": total,
        "sensitive_words": words,
        "dup_13gram_share": windows.every,
        "dup_line_share": [dup_line_share(text) for text in texts],
        "url_count": _count_urls(texts, encoded),
        "casia_han_share": _share(casia_han, chars),
        "casia_traditional": casia_conversion().changes(texts, encoded),
        "casia_dup_13gram_share": windows.casia,
    }
    return {field.name: pa.array(columns[field.name], field.type) for field in MEASURES_ARROW_TYPE}


def _count_urls(texts: list[str], encoded: EncodedTexts) -> Counts:
    """``count_urls`` of each text; only texts with // or ww are searched."""
    lowered = encoded.codes | 0x20  # w for W; / stays /
    doubled = lowered[1:] == lowered[:-1]
    doubled &= (lowered[1:] == ord("/")) | (lowered[1:] == ord("w"))
    counts = np.zeros(len(texts), dtype=np.int64)
    for index in encoded.texts_with(doubled):
        counts[index] = count_urls(texts[index])
    return counts


def _share(part: np.ndarray[Any, Any], whole: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    share: np.ndarray[Any, Any] = part / np.maximum(whole, 1)
    return share
