"""The form of a scorer's declaration: all that the rest of the project uses of a scorer.

A scorer's module holds one `ScorerDeclaration`, and `jobs/config/scorers.py` lists it. Tables,
settings, checks, the corpus, its rejections and the report read the declaration. The
configuration imports it, so a declaring module imports compiled code, pandas, PyTorch and Arrow
only inside functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from pyspark.sql.types import DataType, StructField, StructType

from udfs.base.settings import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import Column

    from udfs.files.artifacts import ArtifactFile
    from udfs.scorers.scorer import Scorer

_Content = TypeVar("_Content")

KEEP: Final = "keep"
"""Value of a limit with several policies that switches it off."""

BY_DOMAIN = "_by_domain"
"""End of the name of a key: a table of domain label -> limit of documents with this main label, in
the place of the key without it; None is no limit."""


@dataclass(frozen=True)
class CorpusColumn:
    """A column that a corpus row gets from a scorer's table."""

    name: str
    fields: str | tuple[str, ...]
    """Column of the scorer's table; a tuple makes a struct of several."""
    is_published: bool = False
    """Whether it is part of the row of ChineseWebText 2.0, which a corpus row begins with."""
    chars: str | None = None
    """Column with the code points of the text that this column counts something of: a row whose
    text was cut gets its part."""

    def type_in(self, result_type: StructType) -> DataType:
        """The column's type, given that of the scorer's result."""
        if isinstance(self.fields, str):
            return result_type[self.fields].dataType
        return StructType([StructField(name, result_type[name].dataType) for name in self.fields])


@dataclass(frozen=True)
class Rejection:
    """A reason for which the selection leaves a scored document out of the corpus."""

    reason: str
    """Reject reason, snake_case; never renamed."""
    key: str
    """Key of the scorer's ``limits``; None, an empty tuple or ``KEEP`` switches it off."""
    holds: Callable[[Column, Any], Column]
    """(struct of the scorer's columns, value of the key) -> whether the document is rejected."""
    rank: int = 0
    """Place among a document's reasons: lower ranks first, equal ones in order of declaration."""
    when: str | None = None
    """The value of the key with which it holds; None for all that do not switch it off."""


@dataclass(frozen=True)
class SegmentCut:
    """A limit by which the selection cuts documents to their good segments."""

    key: str
    """Key of the scorer's ``limits``: least score of a segment that is kept; None keeps all."""
    segments: str
    """Column of the scorer's table: array of structs of offset, length (code points) and score."""
    reason: str
    """Reject reason of a document without a good segment."""


@dataclass(frozen=True)
class PassageCut:
    """A limit by which the selection cuts passages out of documents."""

    key: str
    """Key of the scorer's ``limits``."""
    when: str
    """The value of the key with which passages are cut."""
    spans: str
    """Column of the scorer's table: array of structs of start and length, in code points of the
    text that was scored, ascending and disjoint; empty where there is nothing to cut."""
    chars_left: str
    """Column of the scorer's table: code points that a cut leaves."""
    min_chars: str
    """Key of the scorer's ``limits``: fewest code points that must be left."""
    reason: str
    """Reject reason of a document of which fewer are left."""
    edit: str
    """Kind of this edit in the corpus's column ``edits``."""

    def is_on(self, limits: Any) -> bool:
        """Whether passages are cut."""
        return bool(getattr(limits, self.key) == self.when)


@dataclass(frozen=True)
class ReportCount:
    """A number of corpus rows that the report states."""

    name: str
    """Its name in run.json."""
    column: str
    """Path of a corpus column that is 1 or true for a row that counts, 0 or false for others."""
    label: str
    """What the report says of these rows: ``labelled toxic``."""


@dataclass(frozen=True)
class ReportShares:
    """A table of the report: corpus rows of each value of a column."""

    name: str
    """Its name in run.json."""
    column: str
    """Path of a corpus column."""
    value: str
    """Heading of the values."""
    title: str
    labels: str | None = None
    """Path of a corpus column, array of all values of a row: the report counts which of them occur
    together. None for none."""


@dataclass(frozen=True)
class ScoreCurve:
    """A number of a scorer's table that histograms, and curves of what a threshold keeps, show."""

    name: str
    """Its name in histograms and curves."""
    column: str
    """Column of the scorer's table."""
    reason: str | None = None
    """Reject reason of the limit on it, which a curve of other thresholds leaves out."""
    key: str | None = None
    """Key of [select] that limits it."""
    keeps_below: bool = False
    """Whether the limit is the largest value kept, and not the least."""
    is_log: bool = False
    """Whether its bins are quarters of its logarithm to base 2; else hundredths of [0, 1]."""


class ScorerFiles(Protocol):
    """The files that a scorer is made from, by the keys of its settings that name them."""

    def shipped(self, key: str) -> ArtifactFile:
        """A file that the executors read."""

    def local(self, key: str) -> Path:
        """A file that the driver reads."""


@dataclass(frozen=True)
class KnownFile:
    """A scorer's file, as far as the driver has it when the settings are checked."""

    artifact: str
    """Name and version: ``quality@2``."""
    needs: Mapping[str, str]
    """Artifacts and code that it needs -> their versions."""
    path: Path | None
    """None where the file is not on this machine yet."""


KnownFiles = Mapping[str, KnownFile]
"""Key of the settings -> its file; keys that name no file are left out."""


def _accept(settings: Any, limits: Any, files: KnownFiles) -> None:
    """The check of a scorer whose settings need none."""


def _never(settings: Any) -> bool:
    return False


@dataclass(frozen=True)
class ScorerDeclaration:
    """A scorer: its name, settings, table and how it is made."""

    name: str
    """Its name in score.scorers, its section ``[NAME]`` and its table ``scores/NAME``."""
    settings: type
    """Frozen dataclass of its section: each key with a default and a docstring. ``artifact`` names
    the model, unless ``make_file`` makes it; keys of type `udfs.base.settings.Model` and the like
    name files."""
    result_type: StructType
    """The columns of its table; the first one is null for a document without a score."""
    make: Callable[[Any, ScorerFiles], Scorer]
    """(settings, files) -> scorer; runs on the driver, with Spark."""
    check: Callable[[Any, Any, KnownFiles], None] = _accept
    """(settings, limits, files): raise ConfigError for what does not fit. Runs before Spark starts
    with the files that are on this machine, and again when all are."""
    make_file: Callable[[Any, Path | None, Path], Path] | None = None
    """(settings, configuration file, cache folder) -> its file, for a scorer that is made of data
    of the user instead of an artifact that ``artifact`` names. Runs before Spark starts; makes the
    file where the cache has none. Raises ConfigError for data that cannot be used."""
    is_default: bool = False
    """Whether score.scorers has it by default."""
    runs_with: str | None = None
    """Key of its settings: where it is neither None nor an empty tuple, the scorer runs, whether
    score.scorers has it or not."""
    is_required: bool = False
    """Whether every corpus row needs its scores."""
    score: str | None = None
    """Column in [0, 1], higher for better texts, that select.quality_from may choose; or None."""
    corpus: tuple[CorpusColumn, ...] = ()
    limits: type | None = None
    """Frozen dataclass of its keys in [select]; beside a number KEY it may have a
    table KEY_by_domain."""
    rejections: tuple[Rejection, ...] = ()
    cut: SegmentCut | None = None
    passages: PassageCut | None = None
    counts: tuple[ReportCount, ...] = ()
    shares: tuple[ReportShares, ...] = ()
    curves: tuple[ScoreCurve, ...] = ()
    artifact_limit: str | None = None
    """Key of its limits that names a file instead of ``artifact``, where it is not None."""
    wants_gpu: Callable[[Any], bool] = _never
    """(settings) -> whether it runs on a GPU where Spark has one."""

    def default_limits(self) -> Any:
        """Its keys of [select] with their defaults; None where it has none."""
        return None if self.limits is None else self.limits()

    def limits_in_use(self, limits: Any) -> list[str]:
        """The keys of its limits that are not switched off: neither None, an empty tuple nor
        ``KEEP``, or with a limit for a domain."""
        keys = [rejection.key for rejection in self.rejections]
        keys += [cut.key for cut in (self.cut, self.passages) if cut is not None]
        off = (None, (), KEEP)
        return [
            key
            for key in dict.fromkeys(keys)
            if getattr(limits, key) not in off or limits_by_domain(limits, key)
        ]

    def runs_anyway(self, settings: Any) -> bool:
        """Whether its settings say that it runs, whatever score.scorers has."""
        return self.runs_with is not None and getattr(settings, self.runs_with) not in (None, ())


def limits_by_domain(limits: object, key: str) -> Mapping[str, float | None]:
    """Domain label -> limit, in the place of a key; empty where it is the same for all."""
    table: Mapping[str, float | None] = getattr(limits, f"{key}{BY_DOMAIN}", {})
    return table


def read_known(
    key: str,
    file: KnownFile | None,
    read: Callable[[Path], _Content],
    error: type[Exception],
) -> _Content | None:
    """Read a file as far as settings depend on it; None where it is not on this machine.

    Args:
        key: ``section.key`` that names the file, for the message.
        error: Raised by ``read`` for a file that it refuses.
    Raises:
        ConfigError: the file is refused.
    """
    if file is None or file.path is None:
        return None
    try:
        return read(file.path)
    except error as refused:
        raise ConfigError(f"{key}: {refused}") from refused
