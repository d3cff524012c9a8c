"""The settings of [score_pairs], [select_pairs], [reassign_captions] and [interleave]: the scorers
of pairs that run, what becomes a selection of pairs, which image a text gets, and what becomes an
interleaved document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from jobs.config.budget import PAIR_UNITS, parse_budget
from udfs.base.settings import Bounds, Count, PositiveCount, check_known
from udfs.html.robots import OPT_OUTS
from udfs.images.formats import SUPPORTED

Bits = Annotated[int, Bounds(least=0, most=15)]
"""Bits in which two perceptual hashes may differ."""

PAIR_LEVELS = ("url_text", "phash_text", "document", "near_images", "image_sets")
"""Levels of deduplication of pairs, in the order in which they run."""


@dataclass(frozen=True)
class ScorePairsConfig:
    """The scorers of image-text pairs that run."""

    scorers: tuple[str, ...] = ()
    """Scorers that run, each a table ``pair_scores/NAME``; a scorer that needs others runs behind
    them. None by default."""
    batch_rows: PositiveCount = 256
    """Most distinct pairs that a scorer gets at a time. Scores do not depend on it."""
    batch_bytes: PositiveCount = 64 * 2**20
    """Bytes of images and texts after which it gets no further pair at a time."""


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
        check_known("select_pairs.levels", "levels", self.levels, PAIR_LEVELS)
        if self.budget is not None:
            parse_budget(self.budget, "select_pairs.budget", PAIR_UNITS)

    @property
    def expressions(self) -> dict[str, str]:
        """Key -> SQL expression over the columns of pairs."""
        found = {"where": self.where, "order": self.order}
        return {key: text for key, text in found.items() if text is not None}


@dataclass(frozen=True)
class ReassignCaptionsConfig:
    """Which texts of selected pairs get which image: table ``reassigned_captions``.

    The numbers are SynC's (arXiv 2507.18616).
    """

    scorer: str | None = None
    """Scorer of pairs whose stored embeddings are compared, with columns ``image_vector`` and
    ``text_vector``. Off: no text is reassigned."""
    images: PositiveCount = 15
    """Images that are looked at of a text: those that are most similar to it."""
    texts: PositiveCount = 2
    """Texts that an image leads back to: those that are most similar to it. Their mean similarity
    to the text is the image's cycle score."""
    share: Annotated[float, Bounds(above=0, most=1)] = 0.9
    """Share of the texts that is kept, by cycle score; the pairs of the others are
    ``low_cycle_score``."""
    cells: PositiveCount | None = None
    """Cells of an inverted file, for more than some million pairs: the square root of the number of
    images, or up to 16 times that. Off: all images are compared with all texts."""
    probes: PositiveCount = 16
    """Cells in which the images of a text are looked for."""


@dataclass(frozen=True)
class InterleaveConfig:
    """Which documents and images become interleaved documents: table ``interleaved``.

    The defaults are OBELICS' (section 3 of its paper), where nothing else is said.
    """

    documents: Literal["corpus", "extracted"] = "corpus"
    """``corpus``: documents that are in the corpus; ``extracted``: all, with their text as edited
    and cut."""
    opt_outs: tuple[str, ...] = ()
    """Opt-outs whose pages are left out (``opted_out``), such as noimageindex and noimageai."""
    formats: tuple[str, ...] = ("jpeg", "png", "webp")
    """Formats of images: of the body where it is known, else as the address ends; an address that
    states none is kept (``format``)."""
    min_side: Annotated[int, Bounds(least=1, at_most_key="max_side")] | None = 150
    """Least width and height in pixels, of the body where it is known, else as the page declares
    them (``size``)."""
    max_side: PositiveCount | None = 20_000
    """Most pixels of width and height (``size``)."""
    max_aspect: Annotated[float, Bounds(least=1)] | None = 2.0
    """Most that the longer side is of the shorter one (``aspect``)."""
    unknown_size: Literal["keep", "drop"] = "keep"
    """Images whose width or height nothing states; ``drop``: ``unknown_size``."""
    max_url_places: PositiveCount | None = 10
    """Most places of all pages that have an image's address (``frequent_address``)."""
    url_words: tuple[str, ...] = ("logo", "button", "icon", "plugin", "widget")
    """Words that no address of an image has, in any case (``url_word``). Source: MMC4."""
    distance: Annotated[int, Bounds(least=0, most=64)] | None = 5
    """Bits in which the perceptual hashes of two images of a document differ at most for them to be
    one picture: the first stays (``repeated_picture``). Off: only equal addresses are. Source:
    MMC4."""
    max_images: PositiveCount | None = 30
    """Most images of a document (``too_many_images``)."""
    min_chars: Count = 20
    """Least characters of a document's text (``too_short``); OBELICS' 10 words, at two characters
    a Chinese word."""
    match_images: bool = False
    """Also match each image with the text of its document that it belongs to, as MMC4 does, by the
    model of scorer ``alignment``: table ``matched_images``."""
    equal_image_sets: bool = True
    """Of documents with the same set of images only the latest capture stays
    (``equal_image_set``)."""

    def __post_init__(self) -> None:
        for key, known in {"opt_outs": OPT_OUTS, "formats": SUPPORTED}.items():
            check_known(f"interleave.{key}", key, getattr(self, key), known)
