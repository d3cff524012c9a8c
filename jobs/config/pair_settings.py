"""The settings of [select_pairs] and [interleave]: what becomes a selection of pairs, and what an
interleaved document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from jobs.config.budget import PAIR_UNITS, parse_budget
from udfs.base.settings import Bounds, ConfigError

Bits = Annotated[int, Bounds(least=0, most=15)]
"""Bits in which two perceptual hashes may differ."""

PAIR_LEVELS = ("url_text", "phash_text", "document", "near_images", "image_sets")
"""Levels of deduplication of pairs, in the order in which they run."""


@dataclass(frozen=True)
class SelectPairsConfig:
    """Which pairs are selected, of those that the rules of [pair_rules] keep."""

    pages: Literal["corpus", "all"] = "corpus"
    """``corpus``: pairs of pages that are in the corpus (all others: ``page_not_in_corpus``);
    ``all``: of every page that was extracted."""
    images: Literal["optional", "required"] = "optional"
    """``required`` leaves out pairs of which no image was found (``no_image``); ``fetch_list`` has
    their addresses. An image that was found and cannot be used leaves its pairs out, under its own
    reason, in both cases."""
    levels: tuple[str, ...] = ("url_text", "phash_text")
    """Levels of deduplication, always in this order, each among the pairs that are left:
    ``url_text`` (the same address and text: ``repeated_pair``), ``phash_text`` (the same perceptual
    hash and text: ``repeated_picture``), ``document`` (a picture near to an earlier one of its
    page: ``repeated_in_document``), ``near_images`` (near to one of any page: ``near_picture``),
    ``image_sets`` (pages with the same images, the latest capture stays: ``equal_image_set``).
    The pair stays whose page has the highest quality_score, then by doc_id and place."""
    distance: Bits = 5
    """Most bits in which hashes differ at the levels ``document`` and ``near_images`` (MMC4)."""
    benchmarks: tuple[str, ...] = ()
    """Files with perceptual hashes of images of benchmarks, one of 16 hexadecimal digits a line: a
    pair with such an image is left out (``benchmark_image``)."""
    benchmark_distance: Bits = 0
    """Most bits in which the hash of such an image differs from one of ``benchmarks``."""
    where: str | None = None
    """SQL condition over the columns of table ``selected_pairs``; pairs for which it is false or
    null are left out (``where``), before repeated ones are looked for."""
    budget: str | None = None
    """Most pairs that are selected: ``"1M pairs"``, with K, M, B or T for thousands and so on. The
    first by ``order`` are kept, equal ones by doc_id and place (``over_budget``)."""
    order: str | None = None
    """SQL expression over the same columns: highest first, null last. It also chooses the caption
    of an address in ``fetch_list``. Off: quality_score of the page."""

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.levels) - set(PAIR_LEVELS)):
            raise ConfigError(
                f"select_pairs.levels = {list(self.levels)}: unknown {', '.join(unknown)}; "
                f"known levels: {', '.join(PAIR_LEVELS)}"
            )
        if self.budget is not None:
            parse_budget(self.budget, "select_pairs.budget", PAIR_UNITS)

    @property
    def expressions(self) -> dict[str, str]:
        """Key -> SQL expression over the columns of pairs."""
        found = {"where": self.where, "order": self.order}
        return {key: text for key, text in found.items() if text is not None}


@dataclass(frozen=True)
class InterleaveConfig:
    """Which documents and images become interleaved documents."""
