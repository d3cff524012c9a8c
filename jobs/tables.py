"""Every table under an output: its name, its columns, its types.

A table is Parquet (zstd). Tables computed wave by wave lie in ``wave=N`` folders; tables that need
all documents at once lie directly in their folder. Columns and types are checked on every read
and on every write. The columns of ``scores/NAME`` and the scorers' columns of ``corpus`` come from
their declarations.

The tables of a named selection lie under ``corpora/NAME``, with the columns of ``corpus`` and
``rejected``; those of a named selection of pairs under ``pair_selections/NAME``.
"""

from __future__ import annotations

import re

from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    DataType,
    DateType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from jobs.config.scorers import declared, declared_pairs
from udfs.base.settings import ConfigError
from udfs.images.schema import IMAGE_FACTS_TYPE, IMAGE_TYPE
from udfs.interleaved.schema import INTERLEAVED_TYPE
from udfs.measures.schema import EDITS_TYPE, MEASURES_TYPE, PAIR_MEASURES_TYPE, PII_TYPE
from udfs.pairs.schema import PAGE_TYPE, PLACE_TYPE
from udfs.products.schema import PRODUCT_TYPE
from udfs.scorers.declaration import CorpusColumn, ScorerDeclaration

DOCUMENTS = "documents"
MEASURED = "measures"
EDITS = "edits"
FLAGGED = "flagged"
DUPLICATES = "duplicates"
CUTS = "cuts"
SNAPSHOT_KEYS = "keys"  # of a signature store, not of an output
SNAPSHOT_TEXTS = "texts"  # likewise
CORPUS = "corpus"
REJECTED = "rejected"
READ_FAILURES = "read_failures"
RANGES = "ranges"
LEDGER = "ledger"
SCORED_TEXTS = "scored_texts"
AUDIT = "audit"
ROBOTS = "robots"
PRODUCTS = "products"
PAIRS = "pairs"
IMAGES = "images"
SHARD_IMAGES = "shard_images"
SELECTED_PAIRS = "selected_pairs"
REJECTED_PAIRS = "rejected_pairs"
FETCH_LIST = "fetch_list"
INTERLEAVED = "interleaved"
REASSIGNED_CAPTIONS = "reassigned_captions"
MATCHED_IMAGES = "matched_images"
PAIR_MEASURES = "pair_measures"


def scores(scorer: str) -> str:
    """Name of a scorer's table."""
    return f"scores/{scorer}"


def pair_scores(scorer: str) -> str:
    """Name of the table of a scorer of pairs."""
    return f"pair_scores/{scorer}"


CORPORA, PAIR_SELECTIONS = "corpora", "pair_selections"
"""Folders of the named selections of documents and of pairs."""

_SELECTION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_OF_A_SELECTION = re.compile(
    rf"{CORPORA}/[^/]+/({CORPUS}|{REJECTED})"
    rf"|{PAIR_SELECTIONS}/[^/]+/({SELECTED_PAIRS}|{REJECTED_PAIRS}|{FETCH_LIST})"
)


def check_selection_name(name: str) -> str:
    """Return the name of a selection.

    Raises:
        ConfigError: it could not be that of a folder.
    """
    if not _SELECTION_NAME.fullmatch(name):
        raise ConfigError(
            f"--name {name!r}: expected at most 100 letters, digits, '-', '_' and '.', a letter or "
            "digit first"
        )
    return name


def selection_folder(name: str | None, of: str = CORPORA) -> tuple[str, ...]:
    """Folders under an output, one in the other, that hold the tables of a selection.

    Args:
        name: None for the default selection, which lies directly in the output.
        of: CORPORA or PAIR_SELECTIONS.
    """
    return () if name is None else (of, name)


def corpus_of(name: str | None) -> str:
    """Name of the table of a selection's kept texts; ``corpus`` for the default selection.

    >>> corpus_of(None), corpus_of("law")
    ('corpus', 'corpora/law/corpus')
    """
    return "/".join((*selection_folder(name), CORPUS))


def rejected_of(name: str | None) -> str:
    """Name of the table of the documents that are not in a selection."""
    return "/".join((*selection_folder(name), REJECTED))


def pair_table(table: str, name: str | None) -> str:
    """Name of a table of a selection of pairs.

    >>> pair_table("selected_pairs", None), pair_table("fetch_list", "noc")
    ('selected_pairs', 'pair_selections/noc/fetch_list')
    """
    return "/".join((*selection_folder(name, PAIR_SELECTIONS), table))


class SchemaMismatch(RuntimeError):
    """A table does not have the columns that its name promises."""


def _columns(**types: DataType) -> StructType:
    return StructType([StructField(name, kind) for name, kind in types.items()])


_COUNTS = ArrayType(_columns(reason=StringType(), records=LongType()))

_DOCUMENT = _columns(
    doc_id=StringType(),  # 32 hex digits of provenance, or the row's own id
    url=StringType(),  # null where the record has none
    host=StringType(),  # lower case, null where the url has none
    capture_time=TimestampType(),  # UTC, null where absent or unreadable
    warc_path=StringType(),  # the file; Common Crawl's as crawl-data/...
    warc_offset=LongType(),  # of the record in the file; the row's position in JSONL, Parquet
    truncated=StringType(),  # why the capture is incomplete: length, time, cut, ...; else null
    charset=StringType(),  # used to decode the bytes
    declared_charset=StringType(),  # stated by header or page, null where neither states one
    charset_step=StringType(),  # detection step that decided; null for JSONL, Parquet
    title=StringType(),
    published=DateType(),  # date stated by the page, null where it states none
    opt_outs=ArrayType(StringType()),  # noindex, noai, ...; null where the input cannot state any
    page_kind=StringType(),  # article, forum, ...; null for a text that was not a page of HTML
    text=StringType(),
    language=StringType(),  # lid.176 label
    language_score=DoubleType(),  # its probability
    script=StringType(),  # hans, hant or mixed; null without a character of one script only
)

_LEDGER = _columns(
    warc_path=StringType(),
    seen=LongType(),  # records, rows, and stretches of a file that hold no readable record
    kept=LongType(),
    rejected=_COUNTS,  # each reason once; a record counts under its first reason
    failed=_COUNTS,  # likewise
)

_MARKS = ArrayType(  # places to look at; code points of the text beside them
    _columns(start=IntegerType(), length=IntegerType(), what=StringType())
)

_SCHEMAS: dict[str, StructType] = {
    DOCUMENTS: _DOCUMENT,
    READ_FAILURES: _columns(
        warc_path=StringType(),
        offset=LongType(),  # null for the whole file
        reason=StringType(),
        detail=StringType(),
    ),
    RANGES: _columns(  # of captures that an index or a list names; by split inside a wave
        uri=StringType(),  # where the file is read
        warc_path=StringType(),
        offset=LongType(),
        length=LongType(),
    ),
    MEASURED: _columns(  # all that the rules read, so that a changed limit reads no text
        doc_id=StringType(),
        opt_outs=ArrayType(StringType()),  # as in documents
        measures=MEASURES_TYPE,  # null where the text could not be measured
    ),
    EDITS: _columns(  # one row for each document whose text the rules stage changed
        doc_id=StringType(),
        text=StringType(),  # after the edits; documents has the extracted text
        original_chars=LongType(),  # code points of the extracted text
        original_sha256=StringType(),  # hex, of its UTF-8
        edits=EDITS_TYPE,  # kinds of edits and places changed
    ),
    ROBOTS: _columns(  # the latest robots.txt of every site that rules.robots has one of
        origin=StringType(),  # https://www.example.cn: scheme, host, and port if unusual
        rules_origin=StringType(),  # whose rules hold: itself, or where it redirects to
        status=IntegerType(),  # HTTP; null for an answer that could not be read
        text=StringType(),  # its first 500 KiB; null unless status is 2xx and it could be read
        capture_time=TimestampType(),
        warc_path=StringType(),
        warc_offset=LongType(),
    ),
    PRODUCTS: StructType(  # one row for each product that a document's page states
        [
            *_columns(
                doc_id=StringType(),
                product=IntegerType(),  # its number on the page, from 0
                url=StringType(),  # of the page
                warc_path=StringType(),
                warc_offset=LongType(),
            ).fields,
            *PRODUCT_TYPE.fields,
        ]
    ),
    PAIRS: StructType(  # one row for each image place of a document's page
        [
            *_columns(
                doc_id=StringType(),
                page_url=StringType(),
                warc_path=StringType(),
                warc_offset=LongType(),
            ).fields,
            *PLACE_TYPE.fields,
        ]
    ),
    IMAGES: IMAGE_TYPE,  # one row for each body in records and data: URIs, usable or not
    SHARD_IMAGES: IMAGE_TYPE,  # likewise in shards; `jobs.image_text.images` reads both
    INTERLEAVED: INTERLEAVED_TYPE,  # one row for each document with images
    PAIR_MEASURES: PAIR_MEASURES_TYPE,  # one row for each of pairs
    REJECTED_PAIRS: _columns(  # one row for each image place that is not selected
        doc_id=StringType(),
        place=IntegerType(),
        url=StringType(),  # null for a data: URI
        page_url=StringType(),
        reasons=ArrayType(StringType()),  # all that apply; of those that repeat, one
        warc_path=StringType(),
        warc_offset=LongType(),
    ),
    REASSIGNED_CAPTIONS: _columns(  # one row for each of selected_pairs
        doc_id=StringType(),
        place=IntegerType(),
        image_sha256=StringType(),  # of the image that it has; null without one
        reassigned_sha256=StringType(),  # of the image that its text fits best
        is_other=BooleanType(),  # whether that is another image
        similarity=DoubleType(),  # of the text and that image
        cycle_score=DoubleType(),  # mean similarity of the text and those nearest to that image
        is_kept=BooleanType(),  # whether the text is among the share that is kept
        reason=StringType(),  # why it is not: no_embedding, low_cycle_score
        warc_path=StringType(),
    ),
    MATCHED_IMAGES: _columns(  # one row for each image of an interleaved document
        doc_id=StringType(),
        position=IntegerType(),  # in the arrays of the document
        matched_text_index=IntegerType(),  # likewise, of the text that it belongs to
        matched_sim=DoubleType(),  # similarity of both; null without a match
        failure=StringType(),  # why it has none: no_image, undecodable, empty_text
        warc_path=StringType(),
    ),
    FETCH_LIST: _columns(  # one row for each address of an image that is missing
        url=StringType(),
        caption=StringType(),  # text of the first of its pairs
        doc_id=StringType(),  # of that pair
        place=IntegerType(),
    ),
    FLAGGED: _columns(
        doc_id=StringType(),
        reject_reasons=ArrayType(StringType()),  # all that apply; empty for a kept document
    ),
    DUPLICATES: _columns(  # one row for each removed document
        doc_id=StringType(),
        kind=StringType(),  # url, exact, near or paragraph
        cluster_id=StringType(),  # smallest doc_id of the cluster
        cluster_size=LongType(),  # documents of this run in the cluster, and the kept one
        kept_doc_id=StringType(),  # null for paragraph, like the cluster
        kept_snapshot=StringType(),  # earlier snapshot of the kept document; null for this run
        similarity=DoubleType(),  # Jaccard to the kept document; 1.0 for exact, null for url
    ),
    SNAPSHOT_KEYS: _columns(  # one row for each document that the url level kept
        rank=StringType(),  # snapshot, preference and doc_id: see transforms/ranks.py
        kept_rank=StringType(),  # of the document kept instead of it, or its own
        url_key=BinaryType(),  # 128 bits, null where it has none
        text_key=BinaryType(),  # likewise; null where the exact level removed it
        bands=ArrayType(LongType()),  # null likewise, and for a text below one shingle
        signature=BinaryType(),  # little-endian 32-bit values; null where texts are compared
    ),
    SNAPSHOT_TEXTS: _columns(  # texts that near duplicates are compared with
        key=StringType(),  # of the rank: snapshot and doc_id
        text=StringType(),
    ),
    CUTS: _columns(  # one row for each document that loses paragraphs; see dedup.paragraph_policy
        doc_id=StringType(),
        spans=ArrayType(_columns(start=IntegerType(), length=IntegerType())),  # code points of
        # the text before; ascending, apart from each other; empty where nothing is cut
        chars_left=LongType(),  # code points of the text without its spans
        repeated_chars=LongType(),  # of paragraphs that occur more than once, whether cut or not
    ),
    REJECTED: _columns(
        doc_id=StringType(),
        stage=StringType(),  # that removed it
        reasons=ArrayType(StringType()),  # all that apply
        url=StringType(),
        warc_path=StringType(),
        warc_offset=LongType(),
    ),
    LEDGER: _LEDGER,
    AUDIT: _columns(  # a few documents of every stage and reason, for people to look at
        stage=StringType(),  # that removed it; for kind kept and borderline select_corpus
        reason=StringType(),  # one of its reasons; kept, low_quality or toxic for other kinds
        kind=StringType(),  # rejected, near_pair, borderline, toxic or kept
        place=IntegerType(),  # order within the sample, from 0
        doc_id=StringType(),
        url=StringType(),
        host=StringType(),
        text=StringType(),  # the part around the first mark, audit.max_chars at most
        text_chars=LongType(),  # code points of the whole text
        marks=_MARKS,  # words that matched, what differs, the worst span
        numbers=ArrayType(  # measures and scores that decided
            _columns(
                name=StringType(),
                value=DoubleType(),  # null for what is no number: limit says it
                limit=StringType(),  # what it was compared with
            )
        ),
        other_doc_id=StringType(),  # document kept instead of a duplicate; else null
        other_text=StringType(),  # likewise, of a near duplicate; null where it is in no table
        other_marks=_MARKS,  # what differs there; empty without other_text
    ),
}

_PROVENANCE = _columns(  # of a corpus row: columns that follow from no score
    title=StringType(),
    url=StringType(),
    source_domain=StringType(),  # the url's host
    doc_id=StringType(),
    capture_time=TimestampType(),
    published=DateType(),
    opt_outs=ArrayType(StringType()),
    page_kind=StringType(),
    warc_path=StringType(),
    warc_offset=LongType(),
    language_score=DoubleType(),
    script=StringType(),
    cluster_size=LongType(),  # documents that this one represents, itself included
    repeats=IntegerType(),  # how often the text counts; 1 unless select.repeat is "column"
    original_chars=LongType(),  # of the text as extracted; null where text still is that
    original_sha256=StringType(),  # hex, of its UTF-8; null as above
    edits=EDITS_TYPE,  # kinds of edits and places changed; empty where none is
    pii=PII_TYPE,  # personal data in text, placeholders where it is masked
    runs=ArrayType(  # parts of the scored text that the row keeps; null where documents are not cut
        _columns(
            offset=IntegerType(),  # code points of the text that was scored
            length=IntegerType(),  # likewise
            score=DoubleType(),  # mean of the segments' scores
        )
    ),
)

EXTRACTED = StructType(
    [
        StructField("row_kind", StringType()),  # document, failure or tally
        *_DOCUMENT.fields,
        StructField("products", ArrayType(PRODUCT_TYPE)),  # of a document; null: not asked for
        StructField("pairs", ArrayType(PLACE_TYPE)),  # likewise
        StructField("reason", StringType()),  # of a failure
        StructField("detail", StringType()),
        StructField("seen", LongType()),  # of a tally: one row a split
        StructField("rejected", _COUNTS),
        StructField("failed", _COUNTS),
        StructField(  # of a tally: products and image places of its documents
            "beside",
            ArrayType(_columns(part=StringType(), seen=LongType(), rejected=_COUNTS)),
        ),
    ]
)
"""Rows that a worker yields for a split: its documents, its failures, and its tally at the end."""


def schema_of(table: str) -> StructType:
    """The columns of a table, with their types."""
    if _OF_A_SELECTION.fullmatch(table):
        table = table.rpartition("/")[2]
    if table == CORPUS:
        return _corpus()
    if table == SCORED_TEXTS:
        return _scored_texts()
    if table == SELECTED_PAIRS:
        return _selected_pairs()
    if table.startswith(scores("")):
        keys = ["doc_id"]
        result = declared()[table.removeprefix(scores(""))].result_type
    elif table.startswith(pair_scores("")):
        keys = ["doc_id", "place"]
        result = declared_pairs()[table.removeprefix(pair_scores(""))].result_type
    else:
        return _SCHEMAS[table]
    return StructType(
        [
            *(_SCHEMAS[REJECTED_PAIRS][key] for key in keys),
            *result.fields,
            StructField("artifact", StringType()),  # the model: name@version+digest
            StructField("lock_id", StringType()),  # of the lock's part that it follows from
        ]
    )


def corpus_columns(*, published: bool) -> list[tuple[ScorerDeclaration, CorpusColumn]]:
    """The scorers' columns of a corpus row, those of the published row or the others."""
    return [
        (scorer, column)
        for scorer in declared().values()
        for column in scorer.corpus
        if column.is_published == published
    ]


def _corpus() -> StructType:
    """The published row of ChineseWebText 2.0 (text, domain, toxicity, quality_score), then columns
    of further scorers, null where they did not run, then provenance."""
    before, behind = (
        [
            StructField(column.name, column.type_in(scorer.result_type))
            for scorer, column in corpus_columns(published=published)
        ]
        for published in (True, False)
    )
    text = StructField("text", StringType())
    quality = StructField("quality_score", DoubleType())
    return StructType([text, *before, quality, *behind, *_PROVENANCE.fields])


def _scored_texts() -> StructType:
    """A text as it was scored, and the result of each scorer under its name; null where it does
    not run."""
    return StructType(
        [
            StructField("doc_id", StringType()),
            StructField("url", StringType()),
            StructField("text", StringType()),
            *(StructField(name, scorer.result_type) for name, scorer in declared().items()),
        ]
    )


def _selected_pairs() -> StructType:
    """A pair as rules see it: its place without bytes, measures, image, page, how often it occurs,
    scores.

    more is null where a text was not measured, image where no body was found; text_places and
    url_places count image places of the output with the same text and address, text_places null
    without a text. scores has a field for each scorer of pairs, null where it did not run.
    """
    kinds = [StructField(name, of.selected_type) for name, of in declared_pairs().items()]
    keys = ("doc_id", "place")
    measures = [field for field in _SCHEMAS[PAIR_MEASURES] if field.name not in keys]
    return StructType(
        [
            *(field for field in _SCHEMAS[PAIRS] if field.name != "data_body"),
            StructField("more", StructType(measures)),
            StructField("image", IMAGE_FACTS_TYPE),
            StructField("page", PAGE_TYPE),
            StructField("text_places", LongType()),
            StructField("url_places", LongType()),
            *([StructField("scores", StructType(kinds))] if kinds else []),
        ]
    )


def check_schema(actual: StructType, table: str) -> None:
    """Raise SchemaMismatch unless a frame has a table's columns, in order, with their types.

    Nullability is left out: Parquet readers make every column nullable.
    """
    expected = [(f.name, _type_name(f.dataType)) for f in schema_of(table).fields]
    found = [(f.name, _type_name(f.dataType)) for f in actual.fields]
    if found == expected:
        return
    missing = [f"{name} {kind}" for name, kind in expected if (name, kind) not in found]
    surplus = [f"{name} {kind}" for name, kind in found if (name, kind) not in expected]
    raise SchemaMismatch(
        f"table {table}: missing {', '.join(missing) or 'nothing'}; "
        f"unexpected {', '.join(surplus) or 'nothing'}; expected order "
        f"{', '.join(name for name, _ in expected)}"
    )


def _type_name(kind: DataType) -> str:
    """A type's name, which says nothing of nullability."""
    return kind.simpleString()
