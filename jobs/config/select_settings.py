"""The settings of [select]: what enters a corpus."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Literal

from jobs.config.budget import check_mix, parse_budget
from udfs.base.settings import Bounds, ConfigError, PositiveCount, Share, check_known
from udfs.html.robots import NO_IMAGE_INDEX, OPT_OUTS
from udfs.scorers.toxic_kinds import KINDS

Repeats = Annotated[int, Bounds(least=1, most=1000)]
"""How often a text counts."""

SCRIPTS = ("hans", "hant", "mixed", "none")
"""Values of ``documents.script``; ``none`` where it is null."""

_SIZE = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True)
class SelectConfig:
    """What enters the corpus: conditions on what is stored of each document, nothing is recomputed.

    Scorers declare further keys of this section, which `Config.limits` has.
    """

    quality_from: str | None = "quality"
    """Scorer whose score is the corpus's quality_score; any that has a score from 0 to 1. Off:
    quality_score is null, and nothing is compared with it."""
    min_quality: Share | None = 0.5
    """Least quality_score."""
    min_quality_by_domain: dict[str, Share | None] = field(default_factory=dict)
    """Domain label -> least quality_score of documents with this main label, in the place of
    ``min_quality``."""
    toxic: Literal["keep", "drop", "only"] = "keep"
    """Documents with toxicity label 1: ``drop`` leaves them out (reason ``toxic``), ``only`` leaves
    all others out (``not_toxic``)."""
    toxic_kinds: tuple[str, ...] = ()
    """Kinds of harm that ``toxic`` looks at, of insult, gambling, pornography, fraud and
    black_market; empty for all: with ``toxic = "drop"`` and ["gambling"] toxic documents of other
    kinds are kept."""
    scripts: tuple[str, ...] = ()
    """Scripts that are kept, of hans, hant, mixed, and none for a text without a character of one
    script only; empty keeps all."""
    languages: tuple[str, ...] = ()
    """Languages that are kept, by lid.176's labels; empty keeps all that were extracted."""
    min_language_score: Share | None = None
    """Least probability of a document's language; a document without one has reason
    ``language``."""
    opt_out_policy: Literal["keep", "drop"] = "keep"
    """``drop`` leaves out pages that state one of ``opt_outs`` (reason ``opt_out``)."""
    opt_outs: tuple[str, ...] = tuple(name for name in OPT_OUTS if name != NO_IMAGE_INDEX)
    """Opt-outs that ``drop`` looks at; noimageindex, which is of images alone, is another one."""
    truncated: Literal["keep", "drop"] = "keep"
    """Documents of captures that are not complete."""
    where: str | None = None
    """SQL condition over the columns that jobs/selection/README.md lists; documents for which it is
    false or null are left out."""
    sample: Share | None = None
    """Share of documents that is kept: those with the lowest hashes of doc_id and ``seed``, so that
    a larger share has the documents of a smaller one (reason ``not_sampled``)."""
    seed: Annotated[int, Bounds(least=0, most=2**31 - 1)] = 0
    """Chooses the documents of ``sample``."""
    max_per_host: PositiveCount | None = None
    """Most documents of a host, of those that pass all above: the best by quality_score, equal ones
    by doc_id (reason ``host_cap``). A document without a host is in no cap."""
    repeat: Literal["off", "column", "rows"] = "off"
    """``column``: the corpus's column ``repeats`` says how often a text counts; ``rows``: there are
    so many equal rows, each with repeats 1; ``off``: every text counts once."""
    cluster_repeats: dict[str, Repeats] = field(default_factory=dict)
    """Size of a cluster of duplicates -> how often the document counts that was kept of a cluster
    of this size or larger, up to the next size: {"2" = 2, "5" = 3, "100" = 1}."""
    max_cluster_repeats: Repeats | None = None
    """Compute ``cluster_repeats`` from the shares of documents that the conditions above leave out,
    by size: once where it is that of all documents or more, so often where it is lowest."""
    quality_repeats: dict[str, Repeats] = field(default_factory=dict)
    """Least quality_score -> how often a document counts, up to the next score: {"0.9" = 2}. Both
    numbers are multiplied."""
    budget: str | None = None
    """Most that the corpus takes: ``"20B tokens"``, or characters, bytes or documents, with K, M, B
    or T for thousands and so on. The best documents by ``order`` are kept, of each domain up to its
    share (reason ``over_budget``): never more, and less by at most the first that does not fit."""
    mix: dict[str, Share] = field(default_factory=dict)
    """Domain label -> share of the budget, by main label; ``"*"`` is the share of all others, which
    are left out without it (reason ``not_in_mix``). Shares add up to 1, and a mix replaces an
    earlier one: {law = 0.1, "*" = 0.9}. Empty: one budget for all documents."""
    order: str | None = None
    """SQL expression over the same columns as ``where``: what a budget keeps first is highest. Off:
    quality_score."""
    shortfall: Literal["fail", "keep", "deal"] = "fail"
    """Where a domain has less than its share of the budget: ``fail`` ends the command before work,
    ``keep`` takes what is there, ``deal`` also lets the other domains fill it, in proportion."""
    jsonl: Literal["none", "gz", "zst"] = "none"
    """Also write the corpus as JSON lines, compressed in this way."""

    def __post_init__(self) -> None:
        check_known("select.toxic_kinds", "kinds", self.toxic_kinds, KINDS)
        check_known("select.scripts", "scripts", self.scripts, SCRIPTS)
        check_known("select.opt_outs", "opt-outs", self.opt_outs, OPT_OUTS)
        if self.budget is not None:
            parse_budget(self.budget)
        for key in self.cluster_repeats:
            if not _SIZE.fullmatch(key):
                raise ConfigError(
                    f"select.cluster_repeats: {key!r} is not the size of a cluster; expected "
                    "documents, 1 or more"
                )
        for key in self.quality_repeats:
            if not _is_share(key):
                raise ConfigError(
                    f"select.quality_repeats: {key!r} is not a quality_score; expected 0 to 1, "
                    "in quotes"
                )

    def check(self) -> None:
        """Check keys that depend on each other, when all are known.

        Raises:
            ConfigError: naming both.
        """
        if self.cluster_repeats and self.max_cluster_repeats is not None:
            raise ConfigError(
                f"select.cluster_repeats = {self.cluster_repeats}, select.max_cluster_repeats = "
                f"{self.max_cluster_repeats}: give the numbers, or how large they may become; "
                "--reset forgets one of both"
            )
        if self.toxic_kinds and self.toxic == "keep":
            raise ConfigError(
                f"select.toxic_kinds = {list(self.toxic_kinds)} has no effect while select.toxic = "
                "'keep': set it to drop or only, or --reset select.toxic_kinds"
            )
        check_mix(self.mix)
        for name in ("mix", "order") if self.budget is None else ():
            if getattr(self, name) not in (None, {}):
                raise ConfigError(
                    f"select.{name} = {getattr(self, name)!r} has no effect without select.budget: "
                    f"set both, or --reset select.{name}"
                )
        if self.repeat == "off" and self.repeats_in_use:
            key = self.repeats_in_use[0]
            raise ConfigError(
                f"select.{key} = {getattr(self, key)} has no effect while select.repeat = 'off': "
                f"set select.repeat to column or rows, or --reset select.{key}"
            )

    @property
    def repeats_in_use(self) -> list[str]:
        """Names of the keys by which texts count more than once."""
        keys = ("cluster_repeats", "max_cluster_repeats", "quality_repeats")
        return [key for key in keys if getattr(self, key) not in (None, {})]

    @property
    def expressions(self) -> dict[str, str]:
        """Key -> SQL expression over the columns that documents are chosen by."""
        found = {"where": self.where, "order": self.order}
        return {key: text for key, text in found.items() if text is not None}

    def size_steps(self) -> dict[int, int]:
        """`cluster_repeats` by number, ascending."""
        return dict(sorted((int(size), n) for size, n in self.cluster_repeats.items()))

    def quality_steps(self) -> dict[float, int]:
        """`quality_repeats` by number, ascending."""
        return dict(sorted((float(score), n) for score, n in self.quality_repeats.items()))


def _is_share(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False
