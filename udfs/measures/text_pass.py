"""The text pass of the rules stage: edit texts (repair, convert, mask), then measure the result.

It stores everything that rules can test, so that another limit or condition needs no text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.base.language import TextLanguage
from udfs.base.letters import normalise_letters
from udfs.lists.host_lists import HostList, cached_host_list
from udfs.lists.lexicon import Lexicon, cached_lexicon
from udfs.lists.urls import measure_urls
from udfs.measures import measures
from udfs.measures.schema import MEASURES_ARROW_TYPE, PASSED_ARROW_SCHEMA, Editing, TextPass
from udfs.pii.find import PII_KINDS, PiiSpan, mask_pii, pii_of_texts
from udfs.repair.repair import Repaired, repair_texts
from udfs.repair.script_conversion import simplify_texts

MASKED = "masked_"
"""Prefix of the kinds of edits that put placeholders in the place of personal data."""

_CHINESE = TextLanguage()

PART_BYTES = 4 << 20
"""Bytes of UTF-8 that are edited together: bounds memory beside the batch, at 20 bytes each."""


@dataclass
class Edited:
    """An edited text, and how it was edited."""

    text: str
    edits: dict[str, int] = field(default_factory=dict)
    """Kind of edit -> places changed."""
    unconverted: str | None = None
    """The text before its script was converted; None where that changed nothing."""
    pii: Sequence[PiiSpan] = ()
    """Personal data in ``text``, placeholders where it is masked; ascending, disjoint."""


class PassLists(NamedTuple):
    """The lists of a pass, loaded."""

    lexicon: Lexicon
    host_block: Sequence[HostList] = ()
    """The first list that has the URL gives its category."""
    host_allow: Sequence[HostList] = ()


def text_pass(plan: TextPass) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Make the function for mapInArrow: doc_id, url, opt_outs, text in, PASSED_TYPE out; language
    too, where there is a second identifier.

    Batch: any number of rows in, one row out for each, in batches of about PART_BYTES of text.
    Lists are loaded once a Python worker.
    """

    def passed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        lists = PassLists(
            cached_lexicon(plan.lexicon.local_path(), plan.lexicon.sha256),
            [cached_host_list(file.local_path(), file.sha256) for file in plan.host_block],
            [cached_host_list(file.local_path(), file.sha256) for file in plan.host_allow],
        )
        for batch in batches:
            for part in _parts(batch):
                yield pass_over(
                    part,
                    plan.editing,
                    lists,
                    casia_only=plan.casia_only,
                    second_identifier=plan.second_identifier,
                    language=plan.language,
                )

    return passed


def pass_over(
    documents: pa.RecordBatch,
    editing: Editing,
    lists: PassLists,
    *,
    casia_only: bool = False,
    second_identifier: bool = False,
    language: TextLanguage = _CHINESE,
) -> pa.RecordBatch:
    """Edit the texts of documents and measure the result.

    Args:
        documents: Columns doc_id, url, opt_outs, text; url and text may be null. With a second
            identifier language too.
        editing: The edits allowed in a text.
        lists: Words and hosts to find.
        casia_only: As for `measure_documents`.
        second_identifier: Whether to identify the language of each text once more.
        language: The language that measures ask.
    Returns:
        The columns of PASSED_TYPE, a row a document in the same order.
    """
    originals = documents.column("text").to_pylist()
    edited = edit_texts(originals, editing)
    changes = [_change(*pair) for pair in zip(originals, edited, strict=True)]
    return pa.RecordBatch.from_arrays(
        [
            documents.column("doc_id"),
            documents.column("opt_outs"),
            measure_documents(
                documents.column("url").to_pylist(),
                edited,
                lists,
                casia_only=casia_only,
                languages=documents.column("language").to_pylist() if second_identifier else None,
                language=language,
            ),
            *(
                pa.array(
                    [change[place] for change in changes], PASSED_ARROW_SCHEMA.field(name).type
                )
                for place, name in enumerate(("text", "original_chars", "original_sha256", "edits"))
            ),
        ],
        schema=PASSED_ARROW_SCHEMA,
    )


def measure_documents(
    urls: Sequence[str | None],
    edited: Sequence[Edited | None],
    lists: PassLists,
    *,
    casia_only: bool = False,
    languages: Sequence[str | None] | None = None,
    language: TextLanguage = _CHINESE,
) -> pa.StructArray:
    """Measure documents.

    Args:
        urls: URL of each document; None where it has none.
        edited: Its text; None gives null measures.
        lists: Words and hosts to find.
        casia_only: Compute only the measures that the published script's decisions need, the host
            lists' categories, and personal data; the others are null.
        languages: Language of each document as the first identifier has it; None for no second.
        language: The language that measures ask.
    Returns:
        Array in the fields of MEASURES_TYPE, as long as edited.
    """
    texts = [None if one is None else one.text for one in edited]
    if casia_only:
        of_texts = measures.measure_texts_for_casia(texts, lists.lexicon)
        of_urls = {}
    else:
        of_texts = measures.measure_texts(texts, lists.lexicon, language)
        original = _original_traditional_shares(of_texts.field("traditional_share"), edited)
        of_urls = {"original_traditional_share": original, **measure_urls(urls)}
    found = {
        **dict(zip(of_texts.type.names, of_texts.flatten(), strict=True)),
        **of_urls,
        "host_block_category": _categories(lists.host_block, urls),
        "host_allow_category": _categories(lists.host_allow, urls),
        "pii": _pii_rows(edited),
        **({} if languages is None else _second_languages(texts, languages)),
    }
    fields = list(MEASURES_ARROW_TYPE)
    columns = [
        pa.array(found[field.name], field.type)
        if field.name in found
        else pa.nulls(len(texts), field.type)
        for field in fields
    ]
    unmeasured = pa.array([text is None for text in texts], pa.bool_())
    return pa.StructArray.from_arrays(columns, fields=fields, mask=unmeasured)


def edit_texts(texts: Sequence[str | None], editing: Editing) -> list[Edited | None]:
    """Edit texts: repair, then write letters in one way, then convert, then mask.

    Args:
        texts: One document each.
        editing: The edits allowed. Personal data is found in any case.
    Returns:
        As long as texts; None where there is no text.
    """
    edited = [None if text is None else Edited(text) for text in texts]
    present = [one for one in edited if one is not None]
    if editing.repair:
        for one, repaired in zip(present, repair_texts(_texts(present)), strict=True):
            _take(one, repaired)
    for one in present if editing.letters else ():
        _take(one, Repaired(*normalise_letters(one.text, editing.letters)))
    if editing.simplify:
        for one, simplified in zip(present, simplify_texts(_texts(present)), strict=True):
            before = one.text
            if _take(one, simplified):
                one.unconverted = before
    found = pii_of_texts(_texts(present), PII_KINDS, editing.number_plans)
    for one, spans in zip(present, found, strict=True):
        one.pii = spans
        if editing.mask and any(span.kind in editing.mask for span in spans):
            _mask(one, editing.mask)
    return edited


def edited_texts(editing: Editing, texts: Sequence[str | None]) -> list[str | None]:
    """Return texts as `edit_texts` edits them; None where there is none."""
    return [None if one is None else one.text for one in edit_texts(texts, editing)]


def _texts(edited: Sequence[Edited]) -> list[str]:
    return [one.text for one in edited]


def _take(one: Edited, changed: Repaired | None) -> bool:
    """Adopt a changed text. Returns whether it differs."""
    if changed is None or changed.text == one.text:
        return False
    one.text = changed.text
    _add(one.edits, changed.edits)
    return True


def _add(edits: dict[str, int], more: Mapping[str, int]) -> None:
    # No Counter: making one for each text takes longer than the few edits.
    for kind, places in more.items():
        edits[kind] = edits.get(kind, 0) + places


def _mask(one: Edited, kinds: Sequence[str]) -> None:
    """Put placeholders in the place of some kinds; shift the spans of the others."""
    masked = mask_pii(one.text, [span for span in one.pii if span.kind in kinds])
    placeholders = iter(masked.spans)
    moved = []
    shift = 0
    for span in one.pii:
        if span.kind in kinds:
            placeholder = next(placeholders)
            _add(one.edits, {MASKED + span.kind: 1})
            shift += placeholder.length - span.length
            moved.append(placeholder)
        else:
            moved.append(PiiSpan(span.kind, span.start + shift, span.length))
    one.text, one.pii = masked.text, moved


_UNCHANGED = (None, None, None, None)


def _change(original: str | None, edited: Edited | None) -> tuple[Any, ...]:
    """Edited text, length and digest of the original, and the edits; nulls where it is the same."""
    if original is None or edited is None or edited.text == original:
        return _UNCHANGED
    digest = hashlib.sha256(original.encode()).hexdigest()
    edits = [{"kind": kind, "places": places} for kind, places in sorted(edited.edits.items())]
    return edited.text, len(original), digest, edits


def _original_traditional_shares(shares: pa.Array, edited: Sequence[Edited | None]) -> pa.Array:
    """The shares before conversion, which differ in converted texts alone."""
    converted = [
        (place, one.unconverted)
        for place, one in enumerate(edited)
        if one is not None and one.unconverted is not None
    ]
    if not converted:
        return shares
    places, texts = zip(*converted, strict=True)
    original = shares.to_numpy(zero_copy_only=False).copy()
    original[list(places)] = measures.traditional_shares(texts)
    return pa.array(original)


def _categories(lists: Sequence[HostList], urls: Sequence[str | None]) -> list[str]:
    """The category of each URL in the first list that has it, else the empty string."""
    return [_category(lists, url) for url in urls] if lists else [""] * len(urls)


def _category(lists: Sequence[HostList], url: str | None) -> str:
    return next((found for one in lists if (found := one.match(url)) is not None), "")


def _second_languages(
    texts: Sequence[str | None], languages: Sequence[str | None]
) -> dict[str, Sequence[Any]]:
    """The columns of both identifiers."""
    from udfs.measures.second_language import identify

    found = identify([text or "" for text in texts])
    return {
        "language": languages,
        "second_language": [label for label, _ in found],
        "second_language_score": [score for _, score in found],
    }


def _pii_rows(edited: Sequence[Edited | None]) -> list[list[dict[str, Any]]]:
    return [[] if one is None else [span._asdict() for span in one.pii] for one in edited]


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut a batch into parts of about PART_BYTES of text, a longer text alone."""
    sizes = pc.fill_null(pc.binary_length(batch.column("text")), 0).to_numpy()
    ends = np.cumsum(sizes)
    start = 0
    while start < batch.num_rows:
        taken = ends[start] - sizes[start] + PART_BYTES
        stop = max(start + 1, int(np.searchsorted(ends, taken, side="right")))
        yield batch.slice(start, stop - start)
        start = stop
