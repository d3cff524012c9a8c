"""Names and types of a document's measures, columns and settings of the text pass.

Nothing here computes a measure, so that a table's schema, and what a run would measure, are known
without the libraries that measuring needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from udfs.base.language import TextLanguage
from udfs.lists.urls import URL_MEASURES

if TYPE_CHECKING:
    from udfs.files.artifacts import ArtifactFile


def _struct(**types: DataType) -> StructType:
    return StructType([StructField(name, kind) for name, kind in types.items()])


# No table has a map: datasets, and programs that follow it, have no type for one.
EDITS_TYPE = ArrayType(_struct(kind=StringType(), places=LongType()))
"""Kinds of edits, each once, and the places that each changed."""


PII_TYPE = ArrayType(
    _struct(
        kind=StringType(),  # one of udfs.pii.find.PII_KINDS
        start=IntegerType(),  # code points
        length=IntegerType(),
    )
)
"""Personal data in a text, or the placeholders for it; ascending, disjoint."""

COUNTS_TYPE = ArrayType(_struct(name=StringType(), count=LongType()))
"""Names, each once and sorted, with their counts. In SQL conditions such a measure is a map."""

TEXT_MEASURES_TYPE = _struct(
    chars=LongType(),  # code points
    lines=LongType(),  # newlines + 1
    mean_line_chars=DoubleType(),  # code points but newlines / lines
    mean_sentence_chars=DoubleType(),  # code points but white space / sentences
    # Shares of chars, unless said.
    han_share=DoubleType(),  # Script=Han
    traditional_share=DoubleType(),  # characters of traditional script only / Script=Han
    digit_share=DoubleType(),
    punctuation_share=DoubleType(),
    symbol_share=DoubleType(),  # emoji too
    emoji_share=DoubleType(),  # variation selector 16 too
    private_use_share=DoubleType(),
    control_share=DoubleType(),  # control and format characters, tab and line ends aside
    function_char_share=DoubleType(),  # particles, pronouns, conjunctions: 的, 了, 是, ...
    script_share=DoubleType(),  # of the language's script; han_share where that is Han
    # Null where the language's tokenizer is not ``words``.
    words=LongType(),  # runs of letters, digits and marks
    mean_word_chars=DoubleType(),  # their characters / words
    stop_word_share=DoubleType(),  # stop words of the language / words
    mojibake_share=DoubleType(),  # looks decoded with the wrong table / code points not ASCII
    # Shares of lines, blank ones aside. The first copy of what repeats does not count.
    sentence_end_line_share=DoubleType(),  # end with a sentence
    bullet_line_share=DoubleType(),  # begin with a bullet
    ellipsis_line_share=DoubleType(),  # end with an ellipsis
    prose_line_char_share=DoubleType(),  # characters of long lines that end with a sentence
    dup_line_share=DoubleType(),  # repeat an earlier one
    dup_line_char_share=DoubleType(),  # their characters / characters of lines
    dup_paragraph_share=DoubleType(),  # paragraphs that repeat an earlier one / paragraphs
    dup_paragraph_char_share=DoubleType(),  # their characters / characters of paragraphs
    # Shares of characters, white space aside. Every copy counts.
    top_2gram_char_share=DoubleType(),  # in the 2 characters that cover most
    top_3gram_char_share=DoubleType(),
    top_4gram_char_share=DoubleType(),
    dup_5gram_char_share=DoubleType(),  # in runs of 5 characters that occur more than once
    dup_6gram_char_share=DoubleType(),
    dup_7gram_char_share=DoubleType(),
    dup_8gram_char_share=DoubleType(),
    dup_9gram_char_share=DoubleType(),
    dup_10gram_char_share=DoubleType(),
    dup_13gram_share=DoubleType(),  # 13-character windows that occur more than once / windows
    zstd_ratio=DoubleType(),  # compressed bytes / bytes
    sensitive_distinct=LongType(),  # lexicon words that occur
    sensitive_total=LongType(),  # their occurrences, overlapping ones too
    sensitive_distinct_by_category=COUNTS_TYPE,  # without categories that do not occur
    sensitive_total_by_category=COUNTS_TYPE,
    sensitive_words=ArrayType(StringType()),  # the first 50 of those that occur, sorted
    url_count=LongType(),
    email_count=LongType(),
    casia_han_share=DoubleType(),  # U+4E00..U+9FA5 / chars
    casia_traditional=BooleanType(),  # conversion to zh-cn changes the text
    casia_dup_13gram_share=DoubleType(),  # without the last window
)
"""Measures of a text alone. Fields that begin with casia_ are as the published script counts."""

_SPARK_TYPES: dict[type, DataType] = {
    int: LongType(),
    float: DoubleType(),
    bool: BooleanType(),
}

MEASURES_TYPE = StructType(
    [
        *TEXT_MEASURES_TYPE.fields,  # of the text after its edits
        # As traditional_share, before traditional script was converted.
        StructField("original_traditional_share", DoubleType()),
        *(StructField(name, _SPARK_TYPES[kind]) for name, kind in URL_MEASURES.items()),
        StructField("host_block_category", StringType()),  # empty where no list has the address
        StructField("host_allow_category", StringType()),
        StructField("pii", PII_TYPE),
        # Null without a second identifier, which compares the text after its edits.
        StructField("language", StringType()),  # as in documents: the first identifier's
        StructField("second_language", StringType()),  # in lid.176's labels; und for none
        StructField("second_language_score", DoubleType()),  # its probability
    ]
)
"""Measures of a document. Null as a whole where there is no text.

Else no field but the last three and those of words is null, except in mode casia-exact, which has
only the fields of `udfs.measures.casia_exact.casia_columns`, the host categories and pii.
"""

PAIR_MEASURES_TYPE = _struct(
    doc_id=StringType(),
    place=IntegerType(),
    script_share=DoubleType(),  # of the language's script / characters but white space
    # Without marks and blanks. Null where the language's tokenizer is "characters".
    words=LongType(),
    # Words whose tag in jieba's dictionary is one of nouns. Null with another tokenizer.
    nouns=LongType(),
    sensitive_distinct=LongType(),  # lexicon words that occur
    sensitive_words=ArrayType(StringType()),  # the first 50 of those that occur, sorted
    pii=PII_TYPE,
)
"""Measures of the text of an image place that need more than its page: columns of their table. All
but doc_id and place are null where there is no text."""

PASSED_TYPE = _struct(
    doc_id=StringType(),
    opt_outs=ArrayType(StringType()),
    measures=MEASURES_TYPE,
    text=StringType(),  # null where it has not changed; so are the following
    original_chars=LongType(),
    original_sha256=StringType(),
    edits=EDITS_TYPE,
)
"""What the text pass writes for a document."""

_ARROW_TYPES: dict[type[DataType], pa.DataType] = {
    IntegerType: pa.int32(),
    LongType: pa.int64(),
    DoubleType: pa.float64(),
    BooleanType: pa.bool_(),
    StringType: pa.string(),
}


def _arrow_type(kind: DataType) -> pa.DataType:
    """The Arrow type of a Spark type."""
    match kind:
        case StructType():
            return pa.struct([(field.name, _arrow_type(field.dataType)) for field in kind])
        case ArrayType():
            return pa.list_(_arrow_type(kind.elementType))
        case _:
            return _ARROW_TYPES[type(kind)]


TEXT_MEASURES_ARROW_TYPE = _arrow_type(TEXT_MEASURES_TYPE)
MEASURES_ARROW_TYPE = _arrow_type(MEASURES_TYPE)
COUNT_ARROW_TYPE = _arrow_type(COUNTS_TYPE.elementType)
PASSED_ARROW_SCHEMA = pa.schema(list(_arrow_type(PASSED_TYPE)))
PAIR_MEASURES_ARROW_SCHEMA = pa.schema(list(_arrow_type(PAIR_MEASURES_TYPE)))


@dataclass(frozen=True)
class Editing:
    """Which edits are allowed in a text."""

    repair: bool = True
    """Repair it."""
    simplify: bool = False
    """Convert traditional script to simplified."""
    mask: tuple[str, ...] = ()
    """Kinds of personal data that are replaced by placeholders."""
    letters: tuple[str, ...] = ()
    """Names of `udfs.base.letters.FOLDS`: letters that are written in one way."""
    number_plans: tuple[str, ...] = ("CN",)
    """Countries whose numbers are personal data, of `udfs.pii.find.NUMBER_PLANS`."""


@dataclass(frozen=True)
class TextPass:
    """Settings of a pass, as they are sent to the executors."""

    lexicon: ArtifactFile
    editing: Editing
    host_block: tuple[ArtifactFile, ...] = ()
    host_allow: tuple[ArtifactFile, ...] = ()
    casia_only: bool = False
    """Compute only the measures that the published script's decisions need, the host lists'
    categories, and personal data."""
    second_identifier: bool = False
    """Identify the language of each text once more, by `udfs.measures.second_language`."""
    language: TextLanguage = field(default_factory=TextLanguage)
    """The language that measures ask."""
