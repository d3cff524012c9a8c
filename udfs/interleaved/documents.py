"""A document's text and the images between its lines, as one sequence.

Source: OBELICS, section 3 (the shape of a row).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from udfs.base.worker import BatchMap
from udfs.interleaved.images import InterleaveLimits, address_of, kept_images
from udfs.interleaved.line_alignment import moved_places
from udfs.interleaved.schema import INTERLEAVED_ARROW_TYPES

EditTexts = Callable[[Sequence[str | None]], list[str | None]]
"""Edits texts as those of documents are edited; None stays None."""

OUTSIDE_MAIN_TEXT = "outside_main_text"
NO_IMAGE, TOO_MANY_IMAGES, TOO_SHORT = "no_image", "too_many_images", "too_short"
OF_REJECTED = "document_rejected"
"""Reason of images that no rule drops, of a document that is rejected."""

_READ = ("versions", "places", "refused", "outside")
_BATCH_DOCUMENTS = 64


@dataclass(frozen=True, slots=True)
class Interleaved:
    """What a document became.

    Attributes:
        reason: Why it is rejected; None for one that is kept.
        texts: None where an image is; empty for a rejected document, like images and metadata.
        images: Addresses, None where a text is.
        metadata: IMAGE_METADATA_TYPE; None where a text is.
        dropped: Images by reason.
    """

    reason: str | None
    texts: list[str | None]
    images: list[str | None]
    metadata: list[dict[str, Any] | None]
    dropped: Mapping[str, int]


def interleave(
    versions: Sequence[str],
    places: Sequence[Mapping[str, Any]],
    limits: InterleaveLimits,
    refused: str | None = None,
) -> Interleaved:
    """Put the images of a document between the lines of its text.

    Args:
        versions: The extracted text, and each later version; the last one is the text.
        places: Its image places in the main text, with the columns of table ``pairs``, `image`
            (IMAGE_FACTS_TYPE or None) and `is_frequent`. Their order does not matter.
        refused: Reason for which the document is rejected whatever it has.
    """
    kept, dropped = kept_images(places, limits)
    text = versions[-1] if versions else ""
    reason = refused or _document_reason(text, len(kept), limits)
    if reason is not None:
        dropped[OF_REJECTED] += len(kept)
        return Interleaved(reason, [], [], [], +dropped)
    moved = moved_places(versions, [place["line"] + 1 for place in kept])
    in_order = sorted(zip(moved, range(len(kept)), strict=True))
    texts: list[str | None] = []
    images: list[str | None] = []
    metadata: list[dict[str, Any] | None] = []
    for part in sequence(text, in_order):
        image = None if isinstance(part, str) else kept[part]
        texts.append(part if isinstance(part, str) else None)
        images.append(None if image is None else address_of(image))
        metadata.append(None if image is None else _metadata(image))
    return Interleaved(None, texts, images, metadata, dropped)


def sequence(text: str, images: Sequence[tuple[int, int]]) -> Iterator[str | int]:
    """Yield the parts of a text and what lies between its lines.

    The texts joined by line feeds are the text. None is blank, unless all of it is: what lies among
    empty lines comes after them, and before those that begin the text.

    Args:
        images: Number of lines before, and what to yield there; ascending.

    >>> list(sequence("a\\nb\\n\\nc", [(0, 7), (2, 8), (3, 9)]))
    [7, 'a\\nb\\n', 8, 9, 'c']
    """
    lines = text.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    begin = 0
    for before, image in images:
        end = min(before, len(lines)) if before > first else 0
        while 0 < end < len(lines) and not lines[end].strip():
            end += 1
        if end > begin:
            yield "\n".join(lines[begin:end])
            begin = end
        yield image
    if begin < len(lines):
        yield "\n".join(lines[begin:])


def interleave_batches(limits: InterleaveLimits, edit: EditTexts) -> BatchMap:
    """Make the function for mapInArrow from documents with their image places to what they became.

    Batch: versions (list of texts), places (list of structs; null for none) and refused as
    `interleave` has them, outside (places outside the main text; null for none), and further
    columns, which come back as they are; a row each out, in batches of 64. Adds the columns of
    INTERLEAVED_ARROW_TYPES.

    Args:
        edit: For the texts of the images that are taken, which are of the page as captured.
    """

    def interleaved(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for begin in range(0, batch.num_rows, _BATCH_DOCUMENTS):
                yield _interleave_batch(batch.slice(begin, _BATCH_DOCUMENTS), limits, edit)

    return interleaved


def _interleave_batch(
    batch: pa.RecordBatch, limits: InterleaveLimits, edit: EditTexts
) -> pa.RecordBatch:
    """Interleave the documents of a batch."""
    found = []
    for versions, places, refused, outside in zip(
        *(batch.column(name).to_pylist() for name in _READ), strict=True
    ):
        one = interleave(versions or [], places or [], limits, refused)
        dropped = dict(one.dropped) | ({OUTSIDE_MAIN_TEXT: outside} if outside else {})
        found.append((one, dropped))
    _edit_metadata([one for one, _ in found], edit)
    columns: dict[str, list[Any]] = {
        "texts": [one.texts for one, _ in found],
        "images": [one.images for one, _ in found],
        "metadata": [one.metadata for one, _ in found],
        "reason": [one.reason for one, _ in found],
        "dropped": [
            [{"reason": reason, "images": n} for reason, n in sorted(dropped.items())]
            for _, dropped in found
        ],
    }
    given = [name for name in batch.schema.names if name not in _READ]
    return pa.RecordBatch.from_arrays(
        [
            *(batch.column(name) for name in given),
            *(pa.array(columns[name], kind) for name, kind in INTERLEAVED_ARROW_TYPES.items()),
        ],
        [*given, *INTERLEAVED_ARROW_TYPES],
    )


def _edit_metadata(documents: Iterable[Interleaved], edit: EditTexts) -> None:
    """Edit the alternative texts and captions of the images of documents, all at once."""
    rows = [one for document in documents for one in document.metadata if one is not None]
    keys = ("alt_text", "caption")
    edited = iter(edit([row[key] for row in rows for key in keys]) if rows else [])
    for row in rows:
        for key in keys:
            row[key] = next(edited)


def _document_reason(text: str, images: int, limits: InterleaveLimits) -> str | None:
    """Return why a document with some images that are taken is rejected; None for one that is
    not."""
    if not images:
        return NO_IMAGE
    if limits.max_images is not None and images > limits.max_images:
        return TOO_MANY_IMAGES
    return TOO_SHORT if len(text) < limits.min_chars or not text.strip() else None


def _metadata(place: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of an image."""
    image = place["image"] or {}
    return {
        **{key: place[key] for key in ("place", "url_written", "url", "caption")},
        **{key: place[key] for key in ("declared_width", "declared_height")},
        "alt_text": place["alt"],
        **{key: image.get(key) for key in ("width", "height", "format", "phash")},
        "sha256": image.get("sha256") or place["data_sha256"],
    }
