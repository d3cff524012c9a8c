"""The scorers of a run: checked before Spark starts, and made from locked artifacts.

All scores of a corpus follow from one lock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pyspark import SparkContext
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.catalogue.catalogue import Artifact
from jobs.catalogue.fetch import fetch, find_artifact, ship
from jobs.catalogue.lock import Lock, made_name
from jobs.config import Config, ConfigError
from jobs.config.budget import DOCUMENTS, parse_budget
from jobs.config.scorers import declared, declared_pairs, how_to_run, scorer_in
from jobs.config.sections import artifact_keys, names_in
from jobs.run.commits import StageIncomplete
from jobs.run.console import say
from jobs.run.request import Run
from jobs.tables import scores
from udfs.files.artifacts import ArtifactFile
from udfs.pair_scorers.declaration import Fitted
from udfs.pair_scorers.scorer import PairScorer
from udfs.scorers.declaration import KEEP, KnownFile
from udfs.scorers.scorer import Scorer
from udfs.scorers.tokens import TOKENS

TASK_GPUS = "spark.task.resource.gpu.amount"
"""Spark's setting of GPUs for a task; without it tasks have none."""

_SHOWN = 12
_FOOTER_WAVES = 100
"""The most waves whose files the driver looks at."""


class MixedLocks(StageIncomplete, ConfigError):
    """Scores that follow from another lock than the one in use, or from several."""


class ShippedFiles:
    """The files that a scorer is made from: fetched by the driver, shipped to the executors."""

    def __init__(
        self, artifacts: Mapping[str, Artifact], config: Config, context: SparkContext
    ) -> None:
        """Hold the artifacts by the keys of the settings that name them."""
        self._artifacts = artifacts
        self._config = config
        self._context = context

    def shipped(self, key: str) -> ArtifactFile:
        """A file that the executors read."""
        return ship(self._context, self._artifacts[key], self._config)

    def local(self, key: str) -> Path:
        """A file that the driver reads."""
        return fetch(self._artifacts[key], self._config)


class PairShippedFiles(ShippedFiles):
    """As ShippedFiles, of a scorer of pairs."""

    def __init__(self, name: str, config: Config, lock: Lock, context: SparkContext) -> None:
        """Ship the files of a scorer."""
        super().__init__(_fetched(name, config, lock, context), config, context)
        self._lock = lock

    def scorer(self, name: str) -> PairScorer:
        """Another scorer of pairs, whose model this one uses."""
        return pair_scorer_of(name, self._config, self._lock, self._context, {})


def chosen_scorers(config: Config) -> list[str]:
    """The scorers that a configuration runs, in the order of their declarations."""
    return [name for name in declared() if name in config.score.scorers]


def chosen_pair_scorers(config: Config) -> list[str]:
    """The scorers of pairs that a configuration runs, each behind those that it needs."""
    return [name for name in declared_pairs() if name in config.score_pairs.scorers]


def check_scorers(config: Config, lock: Lock) -> None:
    """Check the settings of the scorers that run against the files that are on this machine.

    Raises:
        ConfigError: naming key and value.
    """
    _check_all(chosen_scorers(config), config, lock)


def check_pair_scorers(config: Config, lock: Lock) -> None:
    """As `check_scorers`, of scorers of pairs."""
    _check_all(chosen_pair_scorers(config), config, lock)


def _check_all(names: Iterable[str], config: Config, lock: Lock) -> None:
    for name in names:
        artifacts = artifacts_of(name, config, lock)
        paths = {key: Path(artifact.uri) for key, artifact in artifacts.items()}
        _check(name, config, artifacts, {key: p for key, p in paths.items() if p.is_file()})


def check_corpus_scorers(config: Config) -> None:
    """Check that the scorers run whose scores a corpus row and the limits of [select] need.

    Raises:
        ConfigError: score.scorers lacks one of them.
    """
    running = list(config.score.scorers)
    for name, scorer in declared().items():
        limits = config.limits.get(name)
        for key in scorer.limits_in_use(limits) if name not in running else ():
            raise ConfigError(
                f"select.{key} = {getattr(limits, key)!r}: score.scorers = {running} has no {name}"
                f"{how_to_run(name)}"
            )
    budget = config.select.budget
    if budget is not None and TOKENS.name not in running and parse_budget(budget).unit != DOCUMENTS:
        raise ConfigError(
            f"select.budget = {budget!r}: score.scorers = {running} has no {TOKENS.name}"
        )
    _check_selection_scorers(config)
    quality_from = config.select.quality_from
    needed = [
        name
        for name, scorer in declared().items()
        if name == quality_from or (scorer.is_required and config.language.has_model(name))
    ]
    if missing := [name for name in needed if name not in running]:
        because = f" (select.quality_from = {quality_from!r})" if quality_from in missing else ""
        raise ConfigError(
            f"score.scorers = {running}: a corpus row needs {', '.join(missing)} too{because}"
        )


def _check_selection_scorers(config: Config) -> None:
    """Check that the scorers run whose results keys of [select] look at by their name.

    Raises:
        ConfigError: naming the key.
    """
    select = config.select
    by_domain = ("min_quality_by_domain", "mix")
    asked = {
        "domain": [f"select.{key}" for key in by_domain if getattr(select, key)],
        "toxicity": [f"select.toxic = {select.toxic!r}"] if select.toxic != KEEP else [],
    }
    for name, keys in asked.items():
        if keys and name not in config.score.scorers:
            raise ConfigError(
                f"{keys[0]}: score.scorers = {list(config.score.scorers)} has no {name}"
            )


def scorer_of(name: str, config: Config, lock: Lock, context: SparkContext) -> Scorer:
    """A scorer with its settings and its files shipped to the executors.

    Raises:
        ConfigError: a file that was not here before Spark started does not fit the settings.
    """
    files = ShippedFiles(_fetched(name, config, lock, context), config, context)
    return declared()[name].make(config.scorers[name], files)


def pair_scorer_of(
    name: str, config: Config, lock: Lock, context: SparkContext, fitted: Fitted
) -> PairScorer:
    """As `scorer_of`, of a scorer of pairs.

    Args:
        fitted: What was fitted for it; empty where it fits nothing.
    """
    files = PairShippedFiles(name, config, lock, context)
    return declared_pairs()[name].make(config.pair_scorers[name], files, fitted)


def _fetched(name: str, config: Config, lock: Lock, context: SparkContext) -> dict[str, Artifact]:
    """The artifacts of a scorer by the keys that name them, fetched and checked."""
    artifacts = artifacts_of(name, config, lock)
    paths = {key: fetch(artifact, config) for key, artifact in artifacts.items()}
    if not all(Path(artifact.uri).is_file() for artifact in artifacts.values()):
        _check(name, config, artifacts, paths)  # else `check_scorers` did
    settings, _ = _settings(name, config)
    if scorer_in(name).wants_gpu(settings) and not context.getConf().get(TASK_GPUS):
        say("device", f"{name}: no GPU is declared ({TASK_GPUS}), so it runs on CPUs")
    return artifacts


def _settings(name: str, config: Config) -> tuple[Any, Any]:
    """A scorer's section, and its keys of [select] or [select_pairs], None where it has none."""
    if name in config.scorers:
        return config.scorers[name], config.limits.get(name)
    return config.pair_scorers[name], config.pair_limits.get(name)


def artifacts_of(name: str, config: Config, lock: Lock) -> dict[str, Artifact]:
    """Key of a scorer's settings -> the artifact that it names, for those that are used; a file
    that is made for it is ``artifact``."""
    if scorer_in(name).make_file is not None:
        return {"artifact": lock.artifacts[made_name(name)]}
    return {
        key: find_artifact(lock.artifacts, artifact, where)
        for key, artifact, where in _artifact_names(name, config)
    }


def lock_id_of(name: str, config: Config, lock: Lock) -> str:
    """The part of the lock that a scorer's rows follow from: its artifacts, and what they need."""
    if scorer_in(name).make_file is not None:
        return lock.id_of([made_name(name)])
    return lock.id_of(artifact for _, artifact, _ in _artifact_names(name, config))


def stamp_of_scorer(name: str, config: Config, lock: Lock) -> str:
    """The model of a scorer as its rows name it: ``quality@1+6eb8aaaf2ec9``; those of all its
    artifacts where none is the model."""
    artifacts = artifacts_of(name, config, lock)
    of = [artifacts["artifact"]] if "artifact" in artifacts else list(artifacts.values())
    return ", ".join(artifact.stamp for artifact in of)


def _artifact_names(name: str, config: Config) -> Iterator[tuple[str, str, str]]:
    """Yield the key of each artifact that a scorer is made from, its name, and the setting that
    names it: that of ``artifact`` may be one of its limits."""
    settings, limits = _settings(name, config)
    limit = declared()[name].artifact_limit if name in declared() else None
    instead = None if limit is None else getattr(limits, limit)
    for key, mark in artifact_keys(type(settings)).items():
        if key == "artifact" and instead is not None:
            yield key, instead, f"select.{limit}"
            continue
        for artifact in names_in(settings, key, mark):
            yield key, artifact, f"{name}.{key}"


def _check(
    name: str, config: Config, artifacts: Mapping[str, Artifact], paths: Mapping[str, Path]
) -> None:
    """Run a scorer's own check; ``paths`` has the files that are on this machine."""
    files = {
        key: KnownFile(f"{artifact.name}@{artifact.version}", artifact.needs, paths.get(key))
        for key, artifact in artifacts.items()
    }
    scorer_in(name).check(*_settings(name, config), files)


def check_locks(run: Run, tables: Mapping[str, DataFrame], *, on_driver: bool = False) -> None:
    """Check that all scores follow from the lock in use; their columns say from which they do.

    Args:
        tables: Scorer -> its scores, with artifact and lock_id.
        on_driver: Whether the driver reads the two columns, without a query: for few documents.
    Raises:
        MixedLocks: naming every scorer with what its scores follow from.
    """
    found = _origins_on_driver(run, tables) if on_driver else _origins(run, tables)
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


def _origins(run: Run, tables: Mapping[str, DataFrame]) -> dict[str, dict[tuple[str, str], int]]:
    """Scorer -> (artifact, lock_id) -> rows; by a query where files do not say it at their ends."""
    if len(run.waves) <= _FOOTER_WAVES:
        stated = {name: _stated_origins(run, name) for name in tables}
        known = {name: rows for name, rows in stated.items() if rows is not None}
        if len(known) == len(tables):
            return known
    columns = [
        table.groupBy("artifact", "lock_id").count().withColumn("scorer", F.lit(name))
        for name, table in tables.items()
    ]
    found: dict[str, dict[tuple[str, str], int]] = {name: {} for name in tables}
    for row in reduce(DataFrame.unionByName, columns).collect():
        found[row["scorer"]][str(row["artifact"]), str(row["lock_id"])] = row["count"]
    return found


def _stated_origins(run: Run, name: str) -> dict[tuple[str, str], int] | None:
    """As `_origins` of a scorer, from the statistics of its files; None where a part of a file has
    more than one value, or does not say which."""
    found: Counter[tuple[str, str]] = Counter()
    for footer in run.store.footers(scores(name), list(run.waves)):
        paths = [footer.schema.column(place).path for place in range(footer.num_columns)]
        places = [paths.index(column) for column in ("artifact", "lock_id")]
        for number in range(footer.num_row_groups):
            group = footer.row_group(number)
            artifact, lock_id = (_only_value(group.column(place)) for place in places)
            if artifact is None or lock_id is None:
                return None
            found[artifact, lock_id] += group.num_rows
    return dict(found)


def _only_value(chunk: pq.ColumnChunkMetaData) -> str | None:
    """The value of all rows of a part of a column, where its statistics say that they have one."""
    says = chunk.statistics
    if says is None or not (says.has_min_max and says.has_null_count) or says.null_count:
        return None
    return str(says.min) if says.min == says.max else None


def _origins_on_driver(run: Run, names: Iterable[str]) -> dict[str, dict[tuple[str, str], int]]:
    """As `_origins`, without a query."""
    return {
        name: Counter(
            (str(row["artifact"]), str(row["lock_id"]))
            for row in run.store.rows(scores(name), ["artifact", "lock_id"], list(run.waves))
        )
        for name in names
    }


def _shown(origin: tuple[str, str]) -> str:
    artifact, lock_id = origin
    return f"{artifact} (lock {lock_id[:_SHOWN]})"
