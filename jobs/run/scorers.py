"""The scorers of a configuration: checked before Spark starts, and made from locked artifacts.

That all scores of a corpus follow from one lock, and no scorer's from two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

from pyspark import SparkContext
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.catalogue.catalogue import Artifact
from jobs.catalogue.fetch import fetch, find_artifact, ship
from jobs.catalogue.lock import Lock
from jobs.config import Config, ConfigError
from jobs.config.scorer_settings import FastTextConfig, QualityBertConfig, ToxicityConfig
from jobs.run.commits import StageIncomplete
from jobs.run.console import say
from jobs.run.request import Run
from udfs.base.model_constants import LABEL_PREFIX
from udfs.encoder.encoder_file import EncoderFileError, read_encoder_header
from udfs.encoder.quality_bert import EncoderRules, quality_bert_scorer
from udfs.files.artifacts import ArtifactFile
from udfs.lists.host_lists import HostListError, read_host_list
from udfs.models.char_lm_file import read_language_model
from udfs.models.fasttext_file import ModelFileError, read_fasttext_header
from udfs.scorers.domain import (
    HostRules,
    LabelRules,
    Taxonomy,
    TaxonomyError,
    domain_scorer,
    read_taxonomy,
)
from udfs.scorers.perplexity import perplexity_scorer
from udfs.scorers.quality import quality_scorer
from udfs.scorers.scoring import Scorer
from udfs.scorers.toxicity import HarmfulText, ToxicityRules, toxicity_scorer
from udfs.tokens.forms import form_tokens
from udfs.tokens.shape_tokens import shape_tokens
from udfs.tokens.tokenizer import (
    OWN,
    ExtraTokens,
    StopWordsError,
    TokenizerSettings,
    read_stop_words,
)

REQUIRED = ("quality", "domain", "toxicity")
"""Scorers that a corpus row is made of."""

IN_CORPUS = (*REQUIRED, "perplexity")
"""Scorers that a corpus row has a place for."""

SCORERS = (*IN_CORPUS, "quality_bert")
"""Scorers that there are."""

TASK_GPUS = "spark.task.resource.gpu.amount"

EXTRA_TOKENS: dict[str | None, ExtraTokens | None] = {
    None: None,
    "forms": form_tokens,
    "shape": shape_tokens,
}
"""What makes the tokens that ``extra_tokens`` names."""

_READING_KEYS = (
    "segmentation", "min_token_chars", "stopwords", "max_chars", "join_lines", "distinct",
    "extra_tokens",
)  # fmt: skip
"""Settings that say how a model wants its texts."""

_HARMFUL_KEYS = ("harmful", "harmful_plain", "harmful_weight", "window_discount")
"""Settings of toxicity that a model which was fitted beside perplexity needs."""


def check_scorers(config: Config, lock: Lock) -> None:
    """Find what is wrong with the settings of scorers that run, as far as files are at hand.

    Raises:
        ConfigError: naming key and value.
    """
    chosen = chosen_scorers(config)
    for name in chosen:
        settings = getattr(config, name)
        if isinstance(settings, FastTextConfig):
            _check_reading(name, settings, _artifact(config, lock, name))
        for wanted in _artifacts(config, lock, name):
            if Path(wanted.uri).is_file():
                _check_file(config, lock, name, wanted, Path(wanted.uri))
    if "domain" in chosen:
        _check_selected_domains(config, lock)


def scorer_of(name: str, config: Config, lock: Lock, context: SparkContext) -> Scorer:
    """A scorer with its settings, its files on their way to the executors.

    Raises:
        ConfigError: a file that was not at hand before Spark started does not fit the settings.
    """
    for wanted in _artifacts(config, lock, name):
        _check_file(config, lock, name, wanted, fetch(wanted, config))
    file = ship(context, _artifact(config, lock, name), config)

    def reading() -> TokenizerSettings:
        return reading_of(name, config, lock, context)

    scorers = {
        "quality": lambda: quality_scorer(file, _plain(config.quality.label), reading()),
        "domain": lambda: domain_scorer(
            file, _label_rules(config, lock), reading(), _host_rules(config, lock, context)
        ),
        "toxicity": lambda: toxicity_scorer(
            file,
            _toxicity_rules(config.toxicity),
            _toxicity_reading(config.toxicity, reading()),
            _harmful_text(config, lock, context),
        ),
        "perplexity": lambda: _perplexity_scorer(file, config, lock, context),
        "quality_bert": lambda: _quality_bert_scorer(file, config.quality_bert, context),
    }
    return scorers[name]()


def chosen_scorers(config: Config, known: Sequence[str] = SCORERS) -> list[str]:
    """The known scorers that a configuration runs, in the order in which they are known."""
    return [name for name in known if name in config.score.scorers]


def lock_id_of(name: str, config: Config, lock: Lock) -> str:
    """The part of the lock that a scorer's rows follow from: its artifacts, and what they need."""
    settings = getattr(config, name)
    names = [settings.artifact]
    if isinstance(settings, FastTextConfig) and settings.stopwords not in (None, OWN):
        names.append(str(settings.stopwords))
    if name == "domain":
        names += [config.domain.taxonomy, *filter(None, [config.domain.hosts])]
    if name == "perplexity" and config.perplexity.plain is not None:
        names.append(config.perplexity.plain)
    if name == "toxicity" and config.toxicity.harmful is not None:
        names += [config.toxicity.harmful, config.toxicity.harmful_plain]
    return lock.id_of(names)


def stamp_of_scorer(name: str, config: Config, lock: Lock) -> str:
    """The model of a scorer as its rows name it: ``quality@1+6eb8aaaf2ec9``."""
    return _artifact(config, lock, name).stamp


def _artifact(config: Config, lock: Lock, name: str) -> Artifact:
    return find_artifact(lock.artifacts, getattr(config, name).artifact, f"{name}.artifact")


def _artifacts(config: Config, lock: Lock, name: str) -> list[Artifact]:
    """All files that a scorer is made from."""
    words = _stop_words(getattr(config, name), lock, name)
    taxonomy = _taxonomy_artifact(config, lock) if name == "domain" else None
    hosts = _hosts(config, lock) if name == "domain" else None
    plain = _plain_model(config, lock) if name == "perplexity" else None
    ngrams = _harmful_models(config, lock) if name == "toxicity" else ()
    others = filter(None, (words, taxonomy, hosts, plain))
    return [_artifact(config, lock, name), *others, *ngrams]


def reading_of(name: str, config: Config, lock: Lock, context: SparkContext) -> TokenizerSettings:
    """How a fastText scorer's model wants its texts, its list of stop words on its way."""
    settings: FastTextConfig = getattr(config, name)
    words = _stop_words(settings, lock, name)
    own_words = OWN if settings.stopwords is not None else None
    return TokenizerSettings(
        segmenter=settings.segmentation,
        min_token_chars=settings.min_token_chars,
        stop_words=ship(context, words, config) if words else own_words,
        max_chars=settings.max_chars,
        join_lines=settings.join_lines,
        distinct=settings.distinct,
        extra=EXTRA_TOKENS[settings.extra_tokens],
    )


def _stop_words(settings: Any, lock: Lock, name: str) -> Artifact | None:
    """A scorer's own list of stop words, where it has one."""
    if not isinstance(settings, FastTextConfig) or settings.stopwords in (None, OWN):
        return None
    return find_artifact(lock.artifacts, str(settings.stopwords), f"{name}.stopwords")


def _hosts(config: Config, lock: Lock) -> Artifact | None:
    """The list of what hosts say of domains, where there is one."""
    if config.domain.hosts is None:
        return None
    return find_artifact(lock.artifacts, config.domain.hosts, "domain.hosts")


def _host_rules(config: Config, lock: Lock, context: SparkContext) -> HostRules | None:
    hosts = _hosts(config, lock)
    if hosts is None:
        return None
    return HostRules(ship(context, hosts, config), config.domain.host_weight)


def _harmful_models(config: Config, lock: Lock) -> tuple[Artifact, ...]:
    """The n-gram models of harmful and of plain text that toxicity asks, if it does."""
    settings = config.toxicity
    if settings.harmful is None:
        return ()
    return (
        find_artifact(lock.artifacts, settings.harmful, "toxicity.harmful"),
        find_artifact(lock.artifacts, settings.harmful_plain, "toxicity.harmful_plain"),
    )


def _harmful_text(config: Config, lock: Lock, context: SparkContext) -> HarmfulText | None:
    models = _harmful_models(config, lock)
    if not models:
        return None
    harmful, plain = (ship(context, model, config) for model in models)
    return HarmfulText(harmful, plain, config.toxicity.harmful_weight)


def _plain_model(config: Config, lock: Lock) -> Artifact | None:
    """The n-gram model of plain text, where perplexity is divided by one."""
    if config.perplexity.plain is None:
        return None
    return find_artifact(lock.artifacts, config.perplexity.plain, "perplexity.plain")


def _perplexity_scorer(
    harmful: ArtifactFile, config: Config, lock: Lock, context: SparkContext
) -> Scorer:
    settings = config.perplexity
    model = _plain_model(config, lock)
    plain = None if model is None else ship(context, model, config)
    return perplexity_scorer(harmful, plain, settings.max_perplexity, settings.max_chars)


def _quality_bert_scorer(
    encoder: ArtifactFile, settings: QualityBertConfig, context: SparkContext
) -> Scorer:
    if settings.device == "auto" and not context.getConf().get(TASK_GPUS):
        say("device", f"quality_bert: no GPU is declared ({TASK_GPUS}), so it runs on CPUs")
    rules = EncoderRules(settings.segments, settings.device, settings.dtype, settings.batch_tokens)
    return quality_bert_scorer(encoder, rules)


def _taxonomy_artifact(config: Config, lock: Lock) -> Artifact:
    return find_artifact(lock.artifacts, config.domain.taxonomy, "domain.taxonomy")


def _check_reading(name: str, settings: FastTextConfig, model: Artifact) -> None:
    if settings.min_token_chars < 1:
        raise ConfigError(
            f"{name}.min_token_chars = {settings.min_token_chars}: expected 1 or more"
        )
    if settings.max_chars is not None and settings.max_chars < 1:
        raise ConfigError(f"{name}.max_chars = {settings.max_chars}: expected 1 or more, or off")
    if "segmentation" not in model.needs:
        return
    defaults = type(settings)()
    for key in (*_READING_KEYS, *(_HARMFUL_KEYS if "perplexity" in model.needs else ())):
        value, default = getattr(settings, key), getattr(defaults, key)
        # jieba's words are what ours are: the segmenter may be either, and nothing else differ.
        if value != default and {value, default} != {"jieba", "rjieba"}:
            raise ConfigError(
                f"{name}.{key} = {value!r}: {model.name}@{model.version} needs segmentation "
                f"{model.needs['segmentation']}, where it is {default!r}"
            )


def _check_file(config: Config, lock: Lock, name: str, artifact: Artifact, path: Path) -> None:
    """Read a file of a scorer as far as its settings depend on it."""
    settings = getattr(config, name)
    try:
        if isinstance(settings, FastTextConfig) and artifact == _artifact(config, lock, name):
            _check_labels(config, lock, name, read_fasttext_header(path).labels)
        elif name == "quality_bert":
            read_encoder_header(path)
        elif artifact.kind == "model":
            read_language_model(path)
        elif artifact.kind == "stopwords":
            read_stop_words(path)
        elif artifact.kind == "hosts":
            read_host_list(path)
    except (ModelFileError, EncoderFileError, StopWordsError, HostListError) as error:
        raise ConfigError(f"{name}.{_key_of(config, lock, name, artifact)}: {error}") from error


def _key_of(config: Config, lock: Lock, name: str, artifact: Artifact) -> str:
    """The key of a scorer's settings that names a file."""
    if artifact.kind in ("hosts", "stopwords"):
        return artifact.kind
    if artifact == _artifact(config, lock, name):
        return "artifact"
    return "plain" if name == "perplexity" else "harmful"


def _check_labels(config: Config, lock: Lock, name: str, labels: Iterable[str]) -> None:
    known = ", ".join(sorted(labels))
    if name != "domain":
        label = _plain(getattr(config, name).label)
        if label not in labels:
            raise ConfigError(f"{name}.label = {label!r}: the model's labels are {known}")
        return
    names = _names(config.domain.labels)
    if surplus := sorted(names.keys() - set(labels)):
        raise ConfigError(f"domain.labels: the model has no {surplus[0]!r}; its labels are {known}")
    taxonomy = _taxonomy(config, lock)
    for label in labels:
        if names.get(label, label) not in taxonomy.labels:
            raise ConfigError(
                f"domain.labels: the model's label {label!r} goes by {names.get(label, label)!r}, "
                f"which is none of {', '.join(taxonomy.labels)}; name another one for it"
            )


def _check_selected_domains(config: Config, lock: Lock) -> None:
    asked = {
        "select.domains": config.select.domains,
        "domain.min_probabilities": config.domain.min_probabilities,
    }
    if not any(asked.values()) or not Path(_taxonomy_artifact(config, lock).uri).is_file():
        return
    labels = _taxonomy(config, lock).labels
    for key, names in asked.items():
        if unknown := sorted(set(names) - set(labels)):
            raise ConfigError(f"{key}: no label {unknown[0]!r}; there are {', '.join(labels)}")


def _label_rules(config: Config, lock: Lock) -> LabelRules:
    return LabelRules(
        config.domain.min_probability,
        config.domain.min_probabilities,
        _names(config.domain.labels),
        _taxonomy(config, lock).fallback,
    )


def _toxicity_rules(settings: ToxicityConfig) -> ToxicityRules:
    return ToxicityRules(
        settings.min_label_score,
        _plain(settings.label),
        settings.window_tokens,
        settings.aggregate,
        settings.top_k,
        settings.window_discount,
    )


def _toxicity_reading(settings: ToxicityConfig, reading: TokenizerSettings) -> TokenizerSettings:
    return replace(reading, exempt_formulas=settings.exempt_formulas)


def _taxonomy(config: Config, lock: Lock) -> Taxonomy:
    try:
        return read_taxonomy(fetch(_taxonomy_artifact(config, lock), config))
    except TaxonomyError as error:
        raise ConfigError(f"domain.taxonomy: {error}") from error


def _names(labels: Mapping[str, str]) -> dict[str, str]:
    return {_plain(label): name for label, name in labels.items()}


def _plain(label: str) -> str:
    """A label without fastText's marker, which may be written or not."""
    return label.removeprefix(LABEL_PREFIX)


_SHOWN = 12


class MixedLocks(StageIncomplete):
    """Scores that follow from another lock than the one in use, or from several."""


def check_locks(run: Run, tables: Mapping[str, DataFrame]) -> None:
    """Look at what every score says that it follows from: a column that holds few values.

    Args:
        tables: Scorer -> its scores, with artifact and lock_id.
    Raises:
        MixedLocks: naming every scorer with what its scores follow from.
    """
    found = _origins(tables)
    expected = {
        name: (stamp_of_scorer(name, run.config, run.lock), lock_id_of(name, run.config, run.lock))
        for name in tables
    }
    if all(rows.keys() <= {expected[name]} for name, rows in found.items()):
        return
    lines = [f"scores follow from other artifacts than the lock has ({run.lock.id[:_SHOWN]}):"]
    for name, rows in found.items():
        held = " and ".join(f"{n:,} of {_shown(origin)}" for origin, n in sorted(rows.items()))
        lines.append(f"  {name}: {held or 'none'}; the lock in use: {_shown(expected[name])}")
    lines.append("run score_documents with the lock in use, or use the lock that they follow from")
    raise MixedLocks("\n".join(lines))


def _origins(tables: Mapping[str, DataFrame]) -> dict[str, dict[tuple[str, str], int]]:
    """Scorer -> (artifact, lock_id) -> rows."""
    columns = [
        table.groupBy("artifact", "lock_id").count().withColumn("scorer", F.lit(name))
        for name, table in tables.items()
    ]
    found: dict[str, dict[tuple[str, str], int]] = {name: {} for name in tables}
    for row in reduce(DataFrame.unionByName, columns).collect():
        found[row["scorer"]][str(row["artifact"]), str(row["lock_id"])] = row["count"]
    return found


def _shown(origin: tuple[str, str]) -> str:
    artifact, lock_id = origin
    return f"{artifact} (lock {lock_id[:_SHOWN]})"
