"""The scorers: the one list of their declarations, those of documents and those of pairs.

A new scorer is a module with a `ScorerDeclaration`, or a `PairScorerDeclaration`, and a line in a
tuple. Its table, its section, its keys in [select] or [select_pairs], its columns and its reject
reasons follow from there.
"""

from __future__ import annotations

from collections.abc import Collection

from udfs.alignment.alignment import ALIGNMENT
from udfs.alignment.levels import ALIGNMENT_LEVEL
from udfs.encoder.quality_bert import QUALITY_BERT
from udfs.image_models.nsfw import NSFW
from udfs.image_models.persons import PERSONS
from udfs.image_models.text_in_image import TEXT_IN_IMAGE
from udfs.image_models.watermark import WATERMARK
from udfs.pair_noise.caption_gates import ALIP
from udfs.pair_noise.caption_similarity import CAPTION_SIMILARITY
from udfs.pair_noise.concepts import CONCEPTS
from udfs.pair_noise.entities import ENTITIES
from udfs.pair_noise.noise import NOISE
from udfs.pair_scorers.declaration import PairScorerDeclaration
from udfs.scorers.contamination import CONTAMINATION
from udfs.scorers.declaration import ReportCount, ReportShares, ScorerDeclaration
from udfs.scorers.domain import DOMAIN
from udfs.scorers.perplexity import PERPLEXITY
from udfs.scorers.quality import QUALITY
from udfs.scorers.register import REGISTER
from udfs.scorers.tokens import TOKENS
from udfs.scorers.toxicity import TOXICITY
from udfs.scorers.variety import VARIETY
from udfs.vision_language.captioner import CAPTIONER
from udfs.vision_language.fused_caption import FUSED_CAPTION
from udfs.vision_language.judge import JUDGE
from udfs.vision_language.text_judge import TEXT_JUDGE

SCORERS: tuple[ScorerDeclaration, ...] = (
    *(QUALITY, DOMAIN, TOXICITY, PERPLEXITY),
    *(TOKENS, QUALITY_BERT, TEXT_JUDGE, CONTAMINATION, VARIETY, REGISTER),
)
"""Every scorer, in the order of sections, stages and columns. Readers call `declared`, so that a
test may put another tuple here."""

PAIR_SCORERS: tuple[PairScorerDeclaration, ...] = (
    *(ALIGNMENT, ALIGNMENT_LEVEL),
    *(CAPTIONER, JUDGE),
    *(TEXT_IN_IMAGE, NSFW, WATERMARK, PERSONS),
    *(FUSED_CAPTION, NOISE, CONCEPTS, ENTITIES, CAPTION_SIMILARITY, ALIP),
)
"""Every scorer of pairs, likewise, each behind those that it needs. Readers call
`declared_pairs`."""


def declared() -> dict[str, ScorerDeclaration]:
    """Name -> declaration of every scorer, in order."""
    return {scorer.name: scorer for scorer in SCORERS}


def declared_pairs() -> dict[str, PairScorerDeclaration]:
    """Name -> declaration of every scorer of pairs, in order."""
    return {scorer.name: scorer for scorer in PAIR_SCORERS}


def scorer_in(name: str) -> ScorerDeclaration | PairScorerDeclaration:
    """The declaration of a scorer of documents or of pairs; no two have one name."""
    return declared().get(name) or declared_pairs()[name]


def default_scorers() -> tuple[str, ...]:
    """The scorers that run where score.scorers does not say otherwise."""
    return tuple(scorer.name for scorer in SCORERS if scorer.is_default)


def how_to_run(name: str) -> str:
    """How a scorer is made to run by its own settings, for the end of a message; else nothing."""
    key = declared()[name].runs_with
    return "" if key is None else f"; set {name}.{key}"


def quality_scorers() -> list[str]:
    """The scorers whose score may become quality_score."""
    return [scorer.name for scorer in SCORERS if scorer.score is not None]


def report_counts(names: Collection[str] | None = None) -> list[ReportCount]:
    """The numbers of corpus rows that scorers add to the report; None stands for all scorers."""
    return [
        count
        for scorer in SCORERS
        if names is None or scorer.name in names
        for count in scorer.counts
    ]


def report_shares() -> list[ReportShares]:
    """The tables of corpus rows by value that scorers add to the report."""
    return [shares for scorer in SCORERS for shares in scorer.shares]
