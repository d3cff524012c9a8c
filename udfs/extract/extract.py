"""One pass over an input file: records in; documents, failures and a tally of counts out.

Reading, decoding, extraction and language identification run in one worker, so that bytes and HTML
never leave it. Every record becomes exactly one of: a document row, a count under a reject reason,
or a failure row with a count under its reason.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlsplit

import pyarrow as pa

from udfs.base.chinese_script import script_of
from udfs.base.worker import is_retry
from udfs.extract.isolated_worker import isolated_outcomes
from udfs.extract.language import LanguageModel, load_language_model
from udfs.extract.outcomes import (
    DOCUMENT,
    FAILURE,
    PAIRS_BESIDE,
    PRODUCTS_BESIDE,
    TALLY,
    Candidate,
    Failed,
    Outcome,
    Rejected,
)
from udfs.extract.pages import PageOptions, PendingPage, early_outcome, page_outcomes
from udfs.extract.rows import jsonl_outcomes, parquet_outcomes
from udfs.files.artifacts import ArtifactFile
from udfs.files.uris import open_input
from udfs.pairs.places import PairLimits
from udfs.pairs.records import MeasuredPlaces, place_chars, places_array
from udfs.pairs.rows import PAIR_TEXT
from udfs.pairs.schema import PLACE_ARROW_TYPE
from udfs.pairs.text_measures import measure_pair_texts
from udfs.products.records import product_chars, product_record
from udfs.products.schema import PRODUCT_ARROW_TYPE
from udfs.warc.ranges import RangedFile, RangedSplit, Record, ranged_files
from udfs.warc.reader import read_records

MISSING_FILE = "missing_file"
"""Failure reason of an input file that does not exist when it is read."""

_COUNTS = pa.list_(pa.struct([("reason", pa.string()), ("records", pa.int64())]))
_BESIDE = pa.struct([("part", pa.string()), ("seen", pa.int64()), ("rejected", _COUNTS)])

EXTRACTED = pa.schema(
    [
        ("row_kind", pa.string()),
        ("doc_id", pa.string()),
        ("url", pa.string()),
        ("host", pa.string()),
        ("capture_time", pa.timestamp("us", "UTC")),
        ("warc_path", pa.string()),
        ("warc_offset", pa.int64()),
        ("truncated", pa.string()),
        ("charset", pa.string()),
        ("declared_charset", pa.string()),
        ("charset_step", pa.string()),
        ("title", pa.string()),
        ("published", pa.date32()),
        ("opt_outs", pa.list_(pa.string())),
        ("page_kind", pa.string()),
        ("text", pa.string()),
        ("language", pa.string()),
        ("language_score", pa.float64()),
        ("script", pa.string()),
        (PRODUCTS_BESIDE, pa.list_(PRODUCT_ARROW_TYPE)),
        (PAIRS_BESIDE, pa.list_(PLACE_ARROW_TYPE)),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("seen", pa.int64()),
        ("rejected", _COUNTS),
        ("failed", _COUNTS),
        ("beside", pa.list_(_BESIDE)),
    ]
)
"""Schema of the rows that a worker yields; `jobs.tables.EXTRACTED` documents their columns."""

PAGE_BATCH = 32
"""Most pages that are decoded and parsed together."""
PAGE_BATCH_BYTES = 4 << 20
"""Bytes after which a batch of pages is parsed, however few they are."""
LANGUAGE_BATCH = 64
"""Most texts that the language model gets at once."""
LANGUAGE_BATCH_CHARS = 4_000_000
"""Characters after which a batch of texts is identified, however few they are: bounds memory."""


class SplitLike(Protocol):
    """An input file, as far as the worker uses it."""

    @property
    def uri(self) -> str: ...
    @property
    def warc_path(self) -> str: ...
    @property
    def input_format(self) -> str: ...


@dataclass(frozen=True)
class ExtractOptions:
    """Limits and settings of the extraction in a worker."""

    languages: frozenset[str]  # empty keeps every language
    min_language_score: float | None
    max_record_bytes: int
    page: PageOptions
    text_column: str
    id_column: str
    batch_rows: int
    batch_bytes: int


def extract_udf(
    splits: Sequence[SplitLike | RangedSplit],
    options: ExtractOptions,
    language_file: ArtifactFile,
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for mapInArrow over rows with numbers of splits (column ``id``)."""

    def extract(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        model = load_language_model(language_file.local_path())
        for batch in batches:
            for number in batch.column("id").to_pylist():
                for rows in extract_split(splits[number], options, model):
                    yield extracted_batch(rows)

    return extract


def extracted_batch(rows: Sequence[dict[str, Any]]) -> pa.RecordBatch:
    """Return the rows of `extract_split`, without their image places any more, as a batch of
    EXTRACTED."""
    pairs = [row.pop(PAIRS_BESIDE, None) for row in rows]
    batch = pa.RecordBatch.from_pylist(rows, EXTRACTED)
    place = EXTRACTED.get_field_index(PAIRS_BESIDE)
    return batch.set_column(place, EXTRACTED.field(place), places_array(pairs))


def extract_split(
    split: SplitLike | RangedSplit, options: ExtractOptions, model: LanguageModel
) -> Iterator[list[dict[str, Any]]]:
    """Yield batches of rows of a split, bounded in rows and in bytes of text.

    The last batch of every file ends with the file's tally row.
    """
    if isinstance(split, RangedSplit):
        for file in ranged_files(split):
            yield from _extract_file(file, options, model)
    else:
        yield from _extract_file(split, options, model)


def _extract_file(
    split: SplitLike, options: ExtractOptions, model: LanguageModel
) -> Iterator[list[dict[str, Any]]]:
    tally = _Tally(split.warc_path)
    rows: list[dict[str, Any]] = []
    size = 0
    for row in _rows(split_outcomes(split, options), split, options, model, tally):
        rows.append(row)
        size += row.pop("chars", 0) * 3
        if len(rows) >= options.batch_rows or size >= options.batch_bytes:
            yield rows
            rows, size = [], 0
    yield [*rows, tally.row()]


def split_outcomes(split: SplitLike, options: ExtractOptions) -> Iterator[Outcome]:
    """Yield one outcome for every record of a file, or of the ranges that are read of it; a missing
    file is one failure, or one for each range."""
    read = partial(read_records, max_record_bytes=options.max_record_bytes)
    try:
        if isinstance(split, RangedFile):
            yield from _page_outcomes(split.records(read), split, options)
            return
        with open_input(split.uri) as file:
            if split.input_format == "jsonl":
                yield from jsonl_outcomes(
                    file, options.text_column, options.id_column, options.max_record_bytes
                )
            elif split.input_format == "parquet":
                yield from parquet_outcomes(file, options.text_column, options.id_column)
            else:
                yield from _page_outcomes(read(file), split, options)
    except FileNotFoundError:
        yield Failed(None, MISSING_FILE, "no such file")


def _page_outcomes(
    records: Iterable[Record], split: SplitLike, options: ExtractOptions
) -> Iterator[Outcome]:
    """Yield the outcome of every record, in the file's order except that pages wait for a batch.

    Parsing takes a quarter longer when every page alternates it with reading, in other code and
    data. A further attempt at a split extracts one page at a time, in an isolated process.
    """
    if is_retry():
        yield from isolated_outcomes(records, split.warc_path, options.page)
        return
    waiting: list[PendingPage] = []
    size = 0
    try:
        for record in records:
            seen = early_outcome(record, options.page)
            if not isinstance(seen, PendingPage):
                yield seen
                continue
            waiting.append(seen)
            size += seen.size
            if len(waiting) == PAGE_BATCH or size >= PAGE_BATCH_BYTES:
                yield from page_outcomes(waiting, split.warc_path, options.page)
                waiting, size = [], 0
    except FileNotFoundError:  # the pages before it were read
        yield from page_outcomes(waiting, split.warc_path, options.page)
        raise
    yield from page_outcomes(waiting, split.warc_path, options.page)


class _Tally:
    """Counts of one file: records read, and those not kept by reason."""

    def __init__(self, warc_path: str) -> None:
        self.warc_path = warc_path
        self.seen = 0
        self.rejected: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.beside: Counter[str] = Counter()  # rows that documents have beside their text
        self.rejected_beside: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add_beside(self, part: str, rows: int, rejected: Mapping[str, int]) -> None:
        self.beside[part] += rows
        self.rejected_beside[part].update(rejected)

    def row(self) -> dict[str, Any]:
        return {
            "row_kind": TALLY,
            "warc_path": self.warc_path,
            "seen": self.seen,
            "rejected": _counts(self.rejected),
            "failed": _counts(self.failed),
            "beside": [
                {
                    "part": part,
                    "seen": rows + self.rejected_beside[part].total(),
                    "rejected": _counts(self.rejected_beside[part]),
                }
                for part, rows in sorted(self.beside.items())
            ],
        }


def _counts(reasons: Counter[str]) -> list[dict[str, Any]]:
    return [{"reason": reason, "records": records} for reason, records in sorted(reasons.items())]


def _rows(
    outcomes: Iterator[Outcome],
    split: SplitLike,
    options: ExtractOptions,
    model: LanguageModel,
    tally: _Tally,
) -> Iterator[dict[str, Any]]:
    """Yield document and failure rows; candidates wait until a batch for the language model is
    full."""
    waiting: list[Candidate] = []
    chars = 0
    for outcome in outcomes:
        tally.seen += 1
        if isinstance(outcome, Rejected):
            tally.rejected[outcome.reason] += 1
        elif isinstance(outcome, Failed):
            tally.failed[outcome.reason] += 1
            yield _failure_row(outcome, split)
        else:
            waiting.append(outcome)
            chars += len(outcome.text)
            if len(waiting) == LANGUAGE_BATCH or chars >= LANGUAGE_BATCH_CHARS:
                yield from _document_rows(waiting, split, options, model, tally)
                waiting, chars = [], 0
    yield from _document_rows(waiting, split, options, model, tally)


def _document_rows(
    candidates: Sequence[Candidate],
    split: SplitLike,
    options: ExtractOptions,
    model: LanguageModel,
    tally: _Tally,
) -> Iterator[dict[str, Any]]:
    kept: list[tuple[Candidate, str, float]] = []
    languages = model.identify([candidate.text for candidate in candidates])
    for candidate, (language, score) in zip(candidates, languages, strict=True):
        if options.languages and language not in options.languages:
            tally.rejected["wrong_language"] += 1
        elif (
            options.languages
            and options.min_language_score is not None
            and score < options.min_language_score
        ):
            tally.rejected["uncertain_language"] += 1
        else:
            kept.append((candidate, language, score))
    pairs = _pairs([candidate for candidate, _, _ in kept], options.page.pairs, tally)
    for (candidate, language, score), of_page in zip(kept, pairs, strict=True):
        row = _document_row(candidate, split, language, score)
        if candidate.products is not None:
            products, rejected = candidate.products
            tally.add_beside(PRODUCTS_BESIDE, len(products), rejected)
            row[PRODUCTS_BESIDE] = list(map(product_record, products))
            row["chars"] += sum(map(product_chars, products))
        if candidate.images is not None:
            row[PAIRS_BESIDE] = of_page
            row["chars"] += place_chars(candidate.images.columns)
        yield row


def _pairs(
    candidates: Sequence[Candidate], limits: PairLimits | None, tally: _Tally
) -> list[MeasuredPlaces | None]:
    """Return the image places of documents, with the measures of their texts; None where they are
    not asked for."""
    found = [candidate.images for candidate in candidates]
    pages = [
        (number, candidate.title, of_page.site_name, len(of_page.columns))
        for number, (candidate, of_page) in enumerate(zip(candidates, found, strict=True))
        if of_page is not None
    ]
    if limits is None or not pages:
        return [None for _ in candidates]
    measures = measure_pair_texts(
        [
            text
            for of_page in found
            if of_page is not None
            for text in of_page.columns.texts(PAIR_TEXT)
        ],
        [number for number, *_, places in pages for _ in range(places)],
        [title for _, title, _, places in pages for _ in range(places)],
        [site for _, _, site, places in pages for _ in range(places)],
        limits.interface_words,
    )
    measured: list[MeasuredPlaces | None] = []
    first = 0
    for of_page in found:
        if of_page is None:
            measured.append(None)
            continue
        rows = slice(first, first + len(of_page.columns))
        of_texts = {name: column[rows] for name, column in measures.items()}
        measured.append(MeasuredPlaces(of_page.columns, of_texts))
        first = rows.stop
        tally.add_beside(PAIRS_BESIDE, len(of_page.columns), of_page.rejected)
    return measured


def _document_row(
    candidate: Candidate, split: SplitLike, language: str, score: float
) -> dict[str, Any]:
    """Return a document as a row, and `chars`, the characters of its texts."""
    return {
        "row_kind": DOCUMENT,
        "chars": len(candidate.text),
        "doc_id": candidate.doc_id,
        "url": candidate.url,
        "host": host_of(candidate.url),
        "capture_time": candidate.capture_time,
        "warc_path": split.warc_path,
        "warc_offset": candidate.offset,
        "truncated": candidate.truncated,
        "charset": candidate.charset,
        "declared_charset": candidate.declared_charset,
        "charset_step": candidate.charset_step,
        "title": candidate.title,
        "published": candidate.published,
        "opt_outs": candidate.opt_outs,
        "page_kind": candidate.page_kind,
        "text": candidate.text,
        "language": language,
        "language_score": score,
        "script": script_of(candidate.text),
    }


def _failure_row(failure: Failed, split: SplitLike) -> dict[str, Any]:
    return {
        "row_kind": FAILURE,
        "warc_path": split.warc_path,
        "warc_offset": failure.offset,
        "reason": failure.reason,
        "detail": failure.detail,
    }


def host_of(url: str | None) -> str | None:
    """Return the host of a url in lower case; None without one.

    >>> host_of("HTTP://User@WWW.Example.cn:8080/a")
    'www.example.cn'
    """
    if url is None:
        return None
    try:
        return urlsplit(url).hostname or None
    except ValueError:  # a broken IPv6 bracket
        return None
