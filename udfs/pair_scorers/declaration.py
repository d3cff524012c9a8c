"""The form of a pair scorer's declaration: all that the rest of the project uses of a pair scorer.

A module holds one `PairScorerDeclaration`, and `jobs/config/scorers.py` lists it in PAIR_SCORERS.
Section, table, ledger, the columns and keys of a selection of pairs, and its reject reasons follow
from there. The configuration imports it, so a declaring module imports compiled code, pandas,
PyTorch, ONNX and Arrow only inside functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pyspark.sql.types import BinaryType, StructType

from udfs.scorers.declaration import KEEP, KnownFiles, Rejection, ScorerFiles

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from udfs.pair_scorers.scorer import PairScorer

IMAGE, TEXT = "image", "text"
"""What a pair scorer may read of a pair."""

Fitted = Mapping[str, Any]
"""Few numbers, and lists of them, that JSON holds: what `PairScorerDeclaration.fit` found."""


class PairScorerFiles(ScorerFiles, Protocol):
    """The files that a pair scorer is made from."""

    def scorer(self, name: str) -> PairScorer:
        """Another pair scorer, whose model this one uses: it is among those that it needs."""


def _accept(settings: Any, limits: Any, files: KnownFiles) -> None:
    """The check of a pair scorer whose settings need none."""


def _fits(settings: Any, needed: Mapping[str, Any]) -> None:
    """The check of a pair scorer that asks nothing of those that it needs."""


def _never(settings: Any) -> bool:
    return False


def _none(settings: Any) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True)
class PairScorerDeclaration:
    """A pair scorer: its name, settings, table and how it is made."""

    name: str
    """Its name in score_pairs.scorers, its section ``[NAME]``, its table ``pair_scores/NAME``, and
    its field of struct ``scores`` in a selection of pairs. No scorer of documents has it."""
    settings: type
    """Frozen dataclass of its section: each key with a default and a docstring; keys of type
    `udfs.base.settings.Model` and the like name files."""
    result_type: StructType
    """The columns of its table, as `udfs.pair_scorers.scorer.result_type` makes them: the first one
    is null for a pair without a score, and then ``failure`` says why."""
    make: Callable[[Any, PairScorerFiles, Fitted], PairScorer]
    """(settings, files, fitted) -> scorer; runs on the driver, with Spark."""
    reads: tuple[str, ...] = (IMAGE, TEXT)
    """What it needs of a pair: a usable image, a text, both, or neither where the records of other
    scorers suffice. A pair that lacks one fails without it; what it does not read is None for it.
    Pairs that are equal in this, and in what the scorers that it needs read, are scored once."""
    reads_nouns: bool = False
    """Whether it needs the nouns of texts, which only jieba's dictionary knows: it runs for no
    language of another tokenizer."""
    needs: Callable[[Any], tuple[str, ...]] = _none
    """(settings) -> the pair scorers whose records it gets; they are declared before it, and must
    run."""
    fit: Callable[[Any, DataFrame], Fitted] | None = None
    """(settings, records) -> numbers that all pairs decide, such as quantiles or a mixture's
    parameters; ``make`` gets them, and pair_scores.json keeps them. records: doc_id, place and, for
    each scorer that it needs, a struct of its columns without bytes, over all pairs. The same for
    any partitioning; collects a constant number of rows. All waves are scored again when a record
    of those scorers changes."""
    check: Callable[[Any, Any, KnownFiles], None] = _accept
    """(settings, limits, files): raise ConfigError for what does not fit. Runs before Spark starts
    with the files that are on this machine, and again when all are."""
    check_needed: Callable[[Any, Mapping[str, Any]], None] = _fits
    """(settings, name -> settings of the scorers that it needs): raise ConfigError for what does
    not fit."""
    make_file: Callable[[Any, Path | None, Path], Path] | None = None
    """As that of a `udfs.scorers.declaration.ScorerDeclaration`."""
    limits: type | None = None
    """Frozen dataclass of its keys in [select_pairs]."""
    rejections: tuple[Rejection, ...] = ()
    """Reject reasons of a selection of pairs; ``holds`` gets the struct of its columns. A pair
    without a score is ``unscored`` while one of its limits is in use."""
    cuts: tuple[str, ...] = ()
    """Further keys of its limits, by which a selection compares pairs with each other."""
    wants_gpu: Callable[[Any], bool] = _never
    """(settings) -> whether it runs on a GPU where Spark has one."""

    @property
    def selected_type(self) -> StructType:
        """The columns that a selection sees: all but bytes, such as embeddings."""
        return StructType([f for f in self.result_type if not isinstance(f.dataType, BinaryType)])

    def limits_in_use(self, limits: Any) -> list[str]:
        """The keys of its limits that are not switched off."""
        keys = [*(rejection.key for rejection in self.rejections), *self.cuts]
        off = (None, (), KEEP, False)
        return [key for key in dict.fromkeys(keys) if getattr(limits, key) not in off]
