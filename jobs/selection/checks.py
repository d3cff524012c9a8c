"""What is checked before a selection does any work."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from pyspark.sql import SparkSession

from jobs.catalogue.lock import Lock
from jobs.config import Config, ConfigError
from jobs.config.budget import REST
from jobs.run.request import Run
from jobs.run.scorers import artifacts_of
from jobs.tables import scores
from jobs.transforms.expressions import condition_fault, number_fault
from jobs.transforms.selection.frame import frame_type, selection_scorers
from jobs.transforms.spark_errors import quiet_errors
from udfs.files.uris import redact
from udfs.scorers.declaration import BY_DOMAIN, KnownFile, read_known
from udfs.scorers.domain import DOMAIN, TaxonomyError, read_taxonomy
from udfs.scorers.toxicity import TOXICITY


def check_settings(config: Config, lock: Lock) -> None:
    """Check the domain labels and kinds of harm that keys of [select] name.

    Raises:
        ConfigError: naming the key, a label that no document can have, and the labels.
    """
    if config.select.toxic_kinds and config.scorers[TOXICITY.name].kinds is None:
        raise ConfigError(
            f"select.toxic_kinds = {list(config.select.toxic_kinds)}: no document has a kind while "
            "toxicity.kinds is off"
        )
    tables = {
        field.name: getattr(part, field.name)
        for part in (config.select, *config.limits.values())
        for field in dataclasses.fields(part)
        if field.name.endswith(BY_DOMAIN)
    }
    tables["mix"] = {name: share for name, share in config.select.mix.items() if name != REST}
    for key, table in tables.items():
        check_labels(f"select.{key}", table, config, lock)


def check_labels(key: str, labels: Iterable[str], config: Config, lock: Lock) -> None:
    """Check that labels are some of the domain scorer's, where its taxonomy is on this machine.

    Args:
        key: ``section.key`` that names the labels, for the message.
    Raises:
        ConfigError: naming the key, an unknown label, and the labels that there are.
    """
    named = sorted(set(labels))
    if not named:
        return
    artifact = artifacts_of(DOMAIN.name, config, lock)["taxonomy"]
    path = Path(artifact.uri)
    file = KnownFile(artifact.name, artifact.needs, path if path.is_file() else None)
    taxonomy = read_known(f"{DOMAIN.name}.taxonomy", file, read_taxonomy, TaxonomyError)
    unknown = [] if taxonomy is None else [name for name in named if name not in taxonomy.labels]
    if taxonomy is not None and unknown:
        raise ConfigError(
            f"{key}: no label {unknown[0]!r}; known labels: {', '.join(taxonomy.labels)}"
        )


def check_on_spark(spark: SparkSession, config: Config) -> None:
    """Check the SQL expressions of [select], before any stage begins.

    Raises:
        ConfigError: one is not a condition, or the order no number, over the columns that documents
            are chosen by.
    """
    checks = {"where": condition_fault, "order": number_fault}
    for key, expression in config.select.expressions.items():
        frame = spark.createDataFrame([], frame_type(config.score.scorers))
        with quiet_errors():
            fault = checks[key](frame, expression)
        refuse(f"select.{key}", expression, fault, frame.columns)


def refuse(key: str, expression: str, fault: str | None, columns: Iterable[str]) -> None:
    """Raise ConfigError for an expression with a fault.

    Args:
        key: ``section.key`` of the expression.
        fault: None for none.
        columns: Those that it may use.
    """
    if fault is not None:
        raise ConfigError(f"{key} = {expression.strip()!r}: {fault}; columns: {', '.join(columns)}")


def check_tables(run: Run) -> None:
    """Check that the tables of scores that were committed are there.

    Raises:
        ConfigError: naming one that is not.
    """
    for name in selection_scorers(run.config) if run.waves else ():
        if not run.store.list_names(*scores(name).split("/")):
            root = redact(run.store.root)
            raise ConfigError(
                f"{root}/{scores(name)}: there is no such table, though its waves are committed; "
                f"remove {root}/_commits/score_{name} to score again"
            )
