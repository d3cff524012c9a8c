"""The whole configuration: frozen dataclasses, every key documented once, strict loading.

A run is described by one TOML file plus ``--set section.key=value``. Every key below has a
default, so the empty file is a valid configuration. A key that is not listed here, a value of
the wrong type or a word outside its choices stops the run on the driver before Spark starts.

TOML has no null: the word ``"off"`` switches an optional limit off (``0`` is a limit).
"""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

OFF = "off"

InputFormat = Literal["warc", "wet", "jsonl", "parquet"]


class ConfigError(ValueError):
    """The configuration cannot be used; the message names file, key, value and known keys."""


@dataclass(frozen=True)
class InputConfig:
    """What is read."""

    format: InputFormat = "warc"
    """How the input files are laid out; ``--input-format`` sets it."""
    text_column: str = "text"
    """Column of JSONL and Parquet rows that holds the text."""
    id_column: str = "id"
    """Column that becomes doc_id where a row has it; other rows get an id from their content."""


@dataclass(frozen=True)
class ExtractConfig:
    """From a captured payload to text."""

    languages: tuple[str, ...] = ("zh",)
    """Languages kept, as lid.176 labels; an empty list keeps every language."""
    min_language_score: float | None = 0.65
    """Least probability of the language label (ChineseWebText keeps Chinese from CC's label)."""
    language_artifact: str = "lid"
    """Artifact name of the language identifier."""
    max_record_bytes: int = 32 * 2**20
    """A WARC record over this size is skipped while streaming and counted, never held."""
    max_body_bytes: int = 64 * 2**20
    """A body that inflates past this size (a decompression bomb) is counted as failed."""
    max_html_chars: int = 8_000_000
    """Longest decoded page that is parsed."""
    max_html_nodes: int = 300_000
    """Most markup elements in a page that is parsed."""
    max_html_depth: int = 512
    """Deepest nesting that is parsed; a deeper page is counted as rejected."""
    batch_rows: int = 500
    """Rows in an Arrow batch that leaves the Python worker."""
    batch_bytes: int = 4 * 2**20
    """Bytes of text after which an Arrow batch leaves the Python worker."""


@dataclass(frozen=True)
class RulesConfig:
    """Limits of the rule filter (ChineseWebText 2.0, section 3; the defaults are the paper's)."""

    mode: Literal["fixed", "casia-exact"] = "fixed"
    """``fixed`` repairs the published script's quirks and records every reason that fires;
    ``casia-exact`` takes its decisions bit for bit, first reason only."""
    lexicon: str = "lexicon"
    """Sensitive words: an artifact name, or a path to a list of ``category TAB word`` lines."""
    min_chars: int | None = 200
    """Fewest code points of a text (reason ``length``)."""
    min_mean_line_chars: float | None = 10.0
    """Least mean of code points a line (reason ``length``)."""
    min_han_share: float | None = 0.30
    """Least share of Han code points (reason ``character``)."""
    traditional_policy: Literal["drop", "keep"] = "drop"
    """``drop`` rejects texts whose traditional share passes the limit below."""
    max_traditional_share: float | None = 0.10
    """Largest share of Han characters that exist in traditional script only (``character``)."""
    sensitive_count: Literal["distinct", "total"] = "distinct"
    """Whether a sensitive word counts once a document or at each occurrence."""
    max_sensitive_per_line: float | None = 0.5
    """Most sensitive words a line (reason ``sensitive``)."""
    max_dup_13gram_share: float | None = 0.5
    """Largest share of 13-character windows that occur more than once (``duplication``)."""


@dataclass(frozen=True)
class DedupConfig:
    """Duplicate levels; each sees what the earlier ones kept."""

    levels: tuple[str, ...] = ("url", "exact", "near")
    """Which of url, exact, near are run; always in that order."""
    keep: Literal["longest", "oldest", "newest"] = "longest"
    """Which document of a cluster survives; ties go to the smallest doc_id. ``longest`` counts
    normalised characters; a document without capture time loses to one with."""
    shingle_chars: int = 5
    """Length of a shingle in normalised characters."""
    bands: int = 14
    """LSH bands. Of planted pairs, evenly from 0.8 to 1.0, bands x rows of 14 x 8 (FineWeb) find
    0.989, 20 x 8 0.997, 28 x 8 all of 3,063, 17 x 15 (HPLT) 0.871."""
    rows: int = 8
    """MinHash values a band."""
    min_similarity: float = 0.8
    """Least Jaccard similarity of shingle sets for a near duplicate."""
    verify: Literal["exact", "estimate"] = "exact"
    """Check candidate pairs on their shingle sets, or on their signatures alone."""
    max_pair_bucket: int = 32
    """Largest LSH bucket in which every undecided pair is checked; a larger one is checked
    against a bounded number of its members."""
    max_hub_rounds: int = 3
    """Members of a larger bucket that all others are checked against, beside the first; buckets
    undecided after that are counted in the report."""
    max_rounds: int = 50
    """Most rounds of the connected-components loop; not converging by then is an error."""

    def __post_init__(self) -> None:
        if unknown := set(self.levels) - {"url", "exact", "near"}:
            raise ConfigError(
                f"dedup.levels = {list(self.levels)}: unknown {', '.join(sorted(unknown))}; "
                "known levels: url, exact, near"
            )
        least = {"max_pair_bucket": 2, "max_hub_rounds": 1, "max_rounds": 0}
        for key in ("shingle_chars", "bands", "rows", *least):
            value = getattr(self, key)
            if value < least.get(key, 1):
                raise ConfigError(f"dedup.{key} = {value}: expected {least.get(key, 1)} or more")
        if not 0.0 < self.min_similarity <= 1.0:
            raise ConfigError(
                f"dedup.min_similarity = {self.min_similarity}: expected above 0, at most 1"
            )


@dataclass(frozen=True)
class ScoreConfig:
    """Which scorers run, and on what."""

    scorers: tuple[str, ...] = ("quality", "domain", "toxicity")
    """Scorers of a pipeline run, in order."""
    rows: Literal["survivors", "all"] = "survivors"
    """``survivors`` leaves out documents that rules or dedup removed, where those tables are
    there; ``all`` scores every document."""


@dataclass(frozen=True)
class QualityConfig:
    """fastText quality student: score = P(clean)."""

    artifact: str = "quality"
    """Artifact name of the model."""


@dataclass(frozen=True)
class DomainConfig:
    """fastText domain labels."""

    artifact: str = "domain"
    """Artifact name of the model."""
    min_probability: float = 0.3
    """Least probability of a label in multi_label (MDFG); the top label is always in it."""


@dataclass(frozen=True)
class ToxicityConfig:
    """fastText toxicity: score = P(toxic)."""

    artifact: str = "toxicity"
    """Artifact name of the model."""
    min_label_score: float = 0.99
    """Least score of label 1 (MDFG)."""


@dataclass(frozen=True)
class SelectConfig:
    """What enters the corpus: thresholds on stored scores, nothing is recomputed."""

    min_quality: float | None = 0.5
    """Least quality_score."""
    max_toxicity: float | None = None
    """Largest toxicity score; off keeps toxic texts, labelled."""
    domains: tuple[str, ...] = ()
    """Domain labels kept (by single_label); empty keeps all."""
    jsonl: Literal["none", "gz", "zst"] = "none"
    """Also write the corpus as JSON lines, compressed so."""


@dataclass(frozen=True)
class RunConfig:
    """How the work is cut."""

    wave_splits: int = 512
    """Input splits in a wave; a wave commits whole and a rerun skips it."""
    partitions: int | None = None
    """Tasks a wave is read in; off gives every split its own task."""


@dataclass(frozen=True)
class ArtifactsConfig:
    """Where models and word lists come from."""

    catalogue: str = "artifacts.toml"
    """Catalogue file; a relative path is looked up beside the config file, then in conf/."""
    cache: str | None = None
    """Folder of fetched artifacts; off means the user's cache folder."""


@dataclass(frozen=True)
class SparkConfig:
    """How Spark is started by ``python -m jobs.NAME``; under spark-submit nothing is read."""

    properties: str | None = None
    """Spark properties file; a relative path is beside the config file."""


@dataclass(frozen=True)
class Config:
    """One run."""

    input: InputConfig = field(default_factory=InputConfig)
    extract: ExtractConfig = field(default_factory=ExtractConfig)
    rules: RulesConfig = field(default_factory=RulesConfig)
    dedup: DedupConfig = field(default_factory=DedupConfig)
    score: ScoreConfig = field(default_factory=ScoreConfig)
    quality: QualityConfig = field(default_factory=QualityConfig)
    domain: DomainConfig = field(default_factory=DomainConfig)
    toxicity: ToxicityConfig = field(default_factory=ToxicityConfig)
    select: SelectConfig = field(default_factory=SelectConfig)
    run: RunConfig = field(default_factory=RunConfig)
    artifacts: ArtifactsConfig = field(default_factory=ArtifactsConfig)
    spark: SparkConfig = field(default_factory=SparkConfig)


SECTIONS: dict[str, Any] = {
    f.name: f.default_factory for f in dataclasses.fields(Config) if callable(f.default_factory)
}


def load_config(path: Path | None, settings: Sequence[str] = ()) -> Config:
    """Read a TOML file and ``section.key=value`` settings into a Config.

    Args:
        path: The file; None gives the defaults.
        settings: Later ones win, and all win over the file.
    Raises:
        ConfigError: unreadable file, unknown key, wrong type, or a word outside its choices.
    """
    config = Config()
    if path is not None:
        config = _with_tables(config, _read_toml(path), str(path))
    for setting in settings:
        config = _with_tables(config, _parse_setting(setting), f"--set {setting}")
    return config


def to_dict(config: Config) -> dict[str, Any]:
    """The configuration as plain dictionaries, for run.json and stage fingerprints."""
    return dataclasses.asdict(config)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text: {error.reason}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error


def _parse_setting(setting: str) -> dict[str, Any]:
    name, equals, value = setting.partition("=")
    section, dot, key = name.strip().partition(".")
    if not (equals and dot and section and key):
        raise ConfigError(f"--set {setting}: expected section.key=value")
    return {section: {key: _parse_value(value.strip())}}


def _parse_value(value: str) -> Any:
    """A TOML value; what is not TOML is a plain word, so that quotes are not needed."""
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return value


def _with_tables(config: Config, tables: Mapping[str, Any], where: str) -> Config:
    for section, values in tables.items():
        if section not in SECTIONS:
            raise ConfigError(
                f"{where}: unknown section [{section}]; known sections: {', '.join(SECTIONS)}"
            )
        if not isinstance(values, dict):
            raise ConfigError(f"{where}: {section} = {values!r}: expected a table [{section}]")
        changed = _with_values(getattr(config, section), section, values, where)
        config = dataclasses.replace(config, **{section: changed})
    return config


def _with_values(table: Any, section: str, values: Mapping[str, Any], where: str) -> Any:
    hints = typing.get_type_hints(type(table))
    checked = {}
    for key, value in values.items():
        if key not in hints:
            raise ConfigError(
                f"{where}: unknown key {section}.{key} = {value!r}; "
                f"known keys of [{section}]: {', '.join(hints)}"
            )
        checked[key] = _checked(value, hints[key], f"{where}: {section}.{key} = {value!r}")
    return dataclasses.replace(table, **checked)


def _checked(value: Any, hint: Any, where: str) -> Any:
    """The value in its field's type. Raises ConfigError with what was expected."""
    if get_origin(hint) in (types.UnionType, typing.Union):
        if value == OFF:
            return None
        hint = next(choice for choice in get_args(hint) if choice is not type(None))
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ConfigError(f"{where}: expected one of {', '.join(map(str, get_args(hint)))}")
        return value
    if get_origin(hint) is tuple:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ConfigError(f"{where}: expected a list of strings")
        return tuple(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(f"{where}: expected {hint.__name__}")
    return value
