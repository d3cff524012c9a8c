"""Texts as the rules stage edits them before it measures: repaired, converted, masked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from udfs.pii import PII_KINDS, Span, mask_pii, pii_of_texts
from udfs.repair import Repaired, repair_texts
from udfs.simplify import simplify_texts

MASKED = "masked_"
"""What the name of a kind of edit begins with that puts placeholders for a kind of data."""


@dataclass(frozen=True)
class Editing:
    """What may change in a text."""

    repair: bool = True
    """Repair it."""
    simplify: bool = False
    """Convert traditional script to simplified."""
    mask: tuple[str, ...] = ()
    """Kinds of personal data that placeholders stand for."""


@dataclass
class Edited:
    """A text after its edits."""

    text: str
    edits: Counter[str] = field(default_factory=Counter)
    """Kind of edit -> places changed."""
    unconverted: str | None = None
    """The text before its script was converted; None where that changed nothing."""
    pii: Sequence[Span] = ()
    """Personal data in ``text``, placeholders where it is masked; ascending, disjoint."""


def edit_texts(texts: Sequence[str | None], editing: Editing) -> list[Edited | None]:
    """Edit texts: repair, then convert, then mask.

    Args:
        texts: One document each.
        editing: What may change. Personal data is found in any case.
    Returns:
        As long as texts; None where there is no text.
    """
    edited = [None if text is None else Edited(text) for text in texts]
    present = [one for one in edited if one is not None]
    if editing.repair:
        for one, repaired in zip(present, repair_texts(_texts(present)), strict=True):
            _take(one, repaired)
    if editing.simplify:
        for one, simplified in zip(present, simplify_texts(_texts(present)), strict=True):
            before = one.text
            if _take(one, simplified):
                one.unconverted = before
    for one, spans in zip(present, pii_of_texts(_texts(present), PII_KINDS), strict=True):
        one.pii = spans
        if editing.mask and any(span.kind in editing.mask for span in spans):
            _mask(one, editing.mask)
    return edited


def _texts(edited: Sequence[Edited]) -> list[str]:
    return [one.text for one in edited]


def _take(one: Edited, changed: Repaired | None) -> bool:
    """Go on from a changed text. Returns whether it is another one."""
    if changed is None or changed.text == one.text:
        return False
    one.text = changed.text
    one.edits.update(changed.edits)
    return True


def _mask(one: Edited, kinds: Sequence[str]) -> None:
    """Put placeholders for some kinds; the spans of the others move along."""
    masked = mask_pii(one.text, [span for span in one.pii if span.kind in kinds])
    placeholders = iter(masked.spans)
    moved = []
    shift = 0
    for span in one.pii:
        if span.kind in kinds:
            placeholder = next(placeholders)
            one.edits[MASKED + span.kind] += 1
            shift += placeholder.length - span.length
            moved.append(placeholder)
        else:
            moved.append(Span(span.kind, span.start + shift, span.length))
    one.text, one.pii = masked.text, moved
