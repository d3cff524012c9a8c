"""Rule filtering: documents -> edits, measures, flagged.

edits holds the texts that were repaired, converted or masked; later stages read them from there,
and documents stays as extracted. measures holds all measures of the edited text, in mode
casia-exact those that its decisions need; flagged the reasons that fired, an empty list for a
document that no rule rejects. A text is edited and measured once: when rules or thresholds change,
flagged is written from the stored measures, and no text is read.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, StringType, StructField

from jobs.catalogue.catalogue import Artifact
from jobs.catalogue.fetch import find_artifact_or_file, ship
from jobs.catalogue.lock import Lock
from jobs.config import Config, ConfigError, LanguageConfig
from jobs.run.commits import (
    Balance,
    Basis,
    due,
    fingerprint_of,
    in_wave,
    settings_of,
    wave_of,
)
from jobs.run.console import StageProgress, show_progress
from jobs.run.current_documents import document_commits, extracted_ids, fit_driver, ids_on_driver
from jobs.run.ledger import BalanceOpen, close_stages, rows_of
from jobs.run.request import (
    APPLY_RULES,
    EXTRACT_DOCUMENTS,
    MEASURE_DOCUMENTS,
    READ_ROBOTS,
    Run,
)
from jobs.run.store import WHOLE, stored_first
from jobs.tables import DOCUMENTS, EDITS, FLAGGED, MEASURED, ROBOTS, schema_of
from jobs.transforms.ledger import counts_of, stage_counts
from jobs.transforms.rules import ROBOTS_DISALLOW, check_conditions, with_reject_reasons
from jobs.transforms.texts import edit_and_measure, editing_of
from udfs.files.artifacts import ArtifactFile
from udfs.files.formats import WARC, read_head
from udfs.files.retry import RetryPolicy
from udfs.files.uris import InputFile, expand_inputs, provenance_path, redact
from udfs.lists.host_lists import HostListError, read_host_list
from udfs.lists.lexicon import LexiconError, read_lexicon
from udfs.measures.schema import COUNTS_TYPE, MEASURES_TYPE, Editing, TextPass

_OF_TEXTS = ("script", "sentence_ends", "function_chars", "tokenizer", "stop_words", "fold")
"""Keys of [language] that the measures of a text follow from."""
_LOOKS = 3
"""Files of robots.txt captures that are looked at before any work."""


def check_settings(config: Config, lock: Lock) -> None:
    """Check that the lists of the rules are locked, or files, and read those on this machine; and
    that the second identifier of languages is installed.

    Raises:
        ConfigError: a list is missing, or has a wrong line; the identifier is not installed.
    """
    rules = config.rules
    if rules.second_identifier is not None and importlib.util.find_spec("gcld3") is None:
        raise ConfigError(
            f"rules.second_identifier = {rules.second_identifier!r}: not installed; "
            'pip install "taojin[cld3]"'
        )
    lists: tuple[tuple[str, Sequence[str], Callable[[Path], object]], ...] = (
        ("rules.lexicon", (rules.lexicon,), read_lexicon),
        ("rules.host_block", rules.host_block, read_host_list),
        ("rules.host_allow", rules.host_allow, read_host_list),
    )
    for key, names, read in lists:
        for name in names:
            path = Path(find_artifact_or_file(lock.artifacts, name, key).uri)
            try:
                if path.is_file():
                    read(path)
            except (LexiconError, HostListError) as error:
                raise ConfigError(f"{key}: {error}") from error


def check(config: Config) -> None:
    """Check that the files of robots.txt captures are there, and that the first one is a WARC file.

    Raises:
        ConfigError: it is none.
        InputNotFound: one does not exist.
    """
    if not config.rules.robots:
        return
    files = _robots_files(config.rules.robots)
    if not files:
        raise ConfigError(f"rules.robots = {list(config.rules.robots)}: names no file")
    policy = RetryPolicy(attempts=2, timeout_s=10.0)
    for file in files[:_LOOKS]:
        head = read_head(file.uri, policy)
        if head.format != WARC:
            what = "is empty" if head.is_empty else head.description
            raise ConfigError(
                f"rules.robots: {redact(file.uri)}: {what}; expected a WARC file with captures of "
                "robots.txt"
            )


def check_on_spark(spark: SparkSession, config: Config) -> None:
    """Check the configuration's own conditions, before any stage begins.

    Raises:
        ConfigError: one of them is not a condition over the measures.
    """
    if config.rules.conditions:
        check_conditions(empty_measures(spark), config.rules.conditions)


def empty_measures(spark: SparkSession) -> DataFrame:
    """Return one row: the measures of an empty text without a URL, one column each, as
    `named_measures`.

    They include the zeros that an expression may divide by. Literals, since Spark evaluates those
    without a job and without the tables that measuring builds; as one text, since each call of a
    function would go to Java and back.
    """
    columns = ", ".join(f"{_empty(field)} AS `{field.name}`" for field in MEASURES_TYPE)
    return spark.sql(f"SELECT {columns} FROM VALUES (0)")


@dataclass(frozen=True)
class Measuring:
    """Settings and lists that the measures of a document depend on."""

    lexicon: Artifact
    host_block: tuple[Artifact, ...]
    host_allow: tuple[Artifact, ...]
    editing: Editing
    casia_only: bool = False
    """Compute only the measures that the published script's decisions need."""
    second_identifier: str | None = None
    """Name of the second identifier of languages."""
    language: LanguageConfig = field(default_factory=LanguageConfig)

    def basis(self, documents: str) -> Basis:
        """Return the basis of the measures of these documents."""
        editing = settings_of("rules", self.editing)
        return Basis(
            {f"{name} (editing)": value for name, value in editing.items()}
            | ({"rules.mode (measures)": "casia-exact"} if self.casia_only else {})
            | _if_set("rules.second_identifier", self.second_identifier)
            | settings_of("language", self.language, _OF_TEXTS),
            {
                "rules.lexicon": self.lexicon.sha256,
                "rules.host_block": fingerprint_of([one.sha256 for one in self.host_block]),
                "rules.host_allow": fingerprint_of([one.sha256 for one in self.host_allow]),
                "the measures that there are": fingerprint_of(MEASURES_TYPE.simpleString()),
                EXTRACT_DOCUMENTS: documents,
            },
            reads=documents,
        )


def measuring_of(run: Run) -> Measuring:
    """Find the lists and settings of a run's measures.

    Raises:
        ConfigError: an artifact or file does not exist.
    """
    rules = run.config.rules
    block, allow = (
        tuple(find_artifact_or_file(run.catalogue, name, f"rules.{key}") for name in names)
        for key, names in (("host_block", rules.host_block), ("host_allow", rules.host_allow))
    )
    lexicon = find_artifact_or_file(run.catalogue, rules.lexicon, "rules.lexicon")
    return Measuring(
        *(lexicon, block, allow, editing_of(run.config), rules.mode == "casia-exact"),
        second_identifier=rules.second_identifier,
        language=run.config.language,
    )


def _if_set(key: str, value: str | None) -> dict[str, str]:
    """Return a setting that earlier outputs do not have, unless it is off as it was there."""
    return {} if value is None else {key: value}


def preload() -> None:
    """Import what measuring needs."""
    from udfs.measures import text_pass  # noqa: F401


def run(spark: SparkSession, run: Run) -> None:
    """Flag every wave that is due; edit and measure it first where that is due too."""
    waves = bases(run)
    measured, flagged = waves[MEASURE_DOCUMENTS], waves[APPLY_RULES]
    wanted = due(run.store, APPLY_RULES, flagged)
    if wanted and due(run.store, READ_ROBOTS, waves.get(READ_ROBOTS, {})):
        with wave_of(run.store, READ_ROBOTS, WHOLE, waves[READ_ROBOTS][WHOLE]) as reading:
            reading.balance = _read_robots(spark, run)
    unmeasured = due(run.store, MEASURE_DOCUMENTS, measured).keys() & wanted.keys()
    text_pass = _shipped(spark, run, measuring_of(run)) if unmeasured else None
    extracted = run.store.commits(EXTRACT_DOCUMENTS)
    for wave in wanted:
        progress = StageProgress(
            f"{APPLY_RULES}{in_wave(wave, len(flagged))}",
            extracted[wave].kept,
            is_one_pass=wave in unmeasured,
        )
        with (
            wave_of(run.store, APPLY_RULES, wave, flagged[wave], len(flagged)) as work,
            show_progress(spark, progress),
        ):
            if text_pass is not None and wave in unmeasured:
                with wave_of(
                    *(run.store, MEASURE_DOCUMENTS, wave, measured[wave]), is_shown=False
                ) as first:
                    _measure_wave(spark, run, wave, text_pass)
                    balances = _closed(spark, run, wave, [MEASURE_DOCUMENTS, APPLY_RULES])
                    first.balance = balances[MEASURE_DOCUMENTS]
            else:
                _flag(spark, run, run.store.read(spark, MEASURED, [wave]), wave)
                balances = _closed(spark, run, wave, [APPLY_RULES])
            work.balance = balances[APPLY_RULES]


def bases(run: Run) -> dict[str, dict[int, Basis]]:
    """Return the basis of each wave, of measuring and of flagging."""
    measuring = measuring_of(run)
    documents = document_commits(run)
    measured = {wave: measuring.basis(commit) for wave, commit in documents.items()}
    rules = settings_of("rules", run.config.rules) | settings_of(
        "language", run.config.language, ("labels",)
    )
    robots: dict[int, Basis] = {}
    sources: dict[str, str] = {}
    if run.config.rules.robots:
        files = _robots_files(run.config.rules.robots)
        robots[WHOLE] = Basis({}, {"rules.robots": fingerprint_of(files)})
        sources[READ_ROBOTS] = robots[WHOLE].fingerprint
    flagged = {
        wave: Basis(rules, {MEASURE_DOCUMENTS: basis.fingerprint, **sources}, reads=documents[wave])
        for wave, basis in measured.items()
    }
    before = {READ_ROBOTS: robots} if robots else {}
    return {MEASURE_DOCUMENTS: measured, **before, APPLY_RULES: flagged}


@lru_cache(maxsize=4)
def _robots_files(uris: tuple[str, ...]) -> tuple[InputFile, ...]:
    """Find the files of robots.txt captures, once a command.

    Raises:
        InputNotFound: one does not exist.
    """
    return tuple(expand_inputs(uris))


def _read_robots(spark: SparkSession, run: Run) -> Balance:
    """Write the table robots.

    Raises:
        BalanceOpen: records were lost on the way.
    """
    from jobs.transforms.robots import robots_of_origins, with_origins
    from udfs.extract.robots_records import READ_ROBOTS_DDL, TALLY, robots_reader

    files = _robots_files(run.config.rules.robots)
    root = run.config.input.crawl_root
    named = [(file.uri, provenance_path(file.uri, root)) for file in files]
    numbers = spark.range(0, len(named), 1, len(named))
    read = numbers.mapInArrow(robots_reader(named), READ_ROBOTS_DDL)
    captured = with_origins(read).persist(StorageLevel.DISK_ONLY)
    run.store.write(robots_of_origins(captured), ROBOTS)
    sites = run.store.read(spark, ROBOTS).count()
    is_tally = F.col("row_kind") == TALLY
    robots_counts = captured.where(~is_tally).agg(F.count("*"), F.count("origin")).collect()
    of_robots, with_host = robots_counts[0]
    seen = 0
    counted: dict[str, Counter[str]] = {"rejected": Counter(), "failed": Counter()}
    for row in rows_of(captured.where(is_tally).select("seen", *counted)):
        seen += row["seen"]
        for outcome, counts in counted.items():
            counts.update({one["reason"]: one["records"] for one in row[outcome]})
    captured.unpersist()
    rejected, failed = counted.values()
    if seen != of_robots + rejected.total() + failed.total() or sites > with_host:
        raise BalanceOpen(
            f"{READ_ROBOTS}: {seen:,} records seen, {of_robots:,} of robots.txt for {sites:,} "
            f"sites, {rejected.total():,} rejected, {failed.total():,} failed"
        )
    rejected["earlier_capture"] += with_host - sites
    failed["no_host"] += of_robots - with_host
    return Balance(seen, sites, dict(sorted((+rejected).items())), dict(sorted((+failed).items())))


def _shipped(spark: SparkSession, run: Run, measuring: Measuring) -> TextPass:
    """Return the pass, with its lists shipped to the executors."""

    def shipped(artifact: Artifact) -> ArtifactFile:
        return ship(spark.sparkContext, artifact, run.config)

    return TextPass(
        shipped(measuring.lexicon),
        measuring.editing,
        tuple(map(shipped, measuring.host_block)),
        tuple(map(shipped, measuring.host_allow)),
        measuring.casia_only,
        measuring.second_identifier is not None,
        measuring.language.text_language,
    )


def _measure_wave(spark: SparkSession, run: Run, wave: int, text_pass: TextPass) -> None:
    """Write a wave's edits and measures, and flag it."""
    documents = run.store.read(spark, DOCUMENTS, [wave])
    # Three tables come out of one pass.
    passed = edit_and_measure(documents, text_pass).persist(StorageLevel.DISK_ONLY)
    measures = passed.select(*schema_of(MEASURED).fieldNames())
    edits = passed.where(F.col("text").isNotNull()).select(*schema_of(EDITS).fieldNames())
    stored_first(
        partial(run.store.write, measures, MEASURED, wave),
        partial(run.store.write_counted, edits, EDITS, wave),
        partial(_flag, spark, run, measures, wave),
        wait=not run.is_small,
    )
    passed.unpersist()


def _flag(spark: SparkSession, run: Run, measured: DataFrame, wave: int) -> None:
    """Write a wave's flagged table."""
    rules = run.config.rules
    if rules.robots:
        from jobs.transforms.robots import disallowed_documents

        documents = run.store.read(spark, DOCUMENTS, [wave])
        robots = run.store.read(spark, ROBOTS)
        found = disallowed_documents(
            documents, robots, rules.robots_agent, rules.robots_unreachable
        )
        disallow = found.withColumn(ROBOTS_DISALLOW, F.lit(True))
        measured = measured.join(disallow, on="doc_id", how="left")
    flagged = with_reject_reasons(measured, run.config.rules, run.config.language.labels)
    run.store.write(flagged.select("doc_id", "reject_reasons"), FLAGGED, wave)


def _closed(spark: SparkSession, run: Run, wave: int, stages: Sequence[str]) -> dict[str, Balance]:
    """Close the ledgers of a wave: of flagging, and of measuring where that is among the stages."""
    return close_stages(run, stages, _counts(spark, run, wave, stages), wave)


def _counts(
    spark: SparkSession, run: Run, wave: int, stages: Sequence[str]
) -> Iterable[Mapping[str, Any]]:
    """Count the documents of a wave and what was decided on them: the first reason; of measuring,
    that it has their measures."""
    with_measures = MEASURE_DOCUMENTS in stages
    if fit_driver(run, [wave]):
        seen = ids_on_driver(run, [wave], with_rejected=True, with_duplicates=True)
        rows = run.store.rows(FLAGGED, ["doc_id", "reject_reasons"], [wave])
        decided = {
            APPLY_RULES: [(row["doc_id"], next(iter(row["reject_reasons"]), None)) for row in rows]
        }
        if with_measures:
            measured = run.store.rows(MEASURED, ["doc_id"], [wave])
            decided[MEASURE_DOCUMENTS] = [(row["doc_id"], None) for row in measured]
        return counts_of(seen, decided)
    flagged = run.store.read(spark, FLAGGED, [wave])
    reasons = {APPLY_RULES: flagged.select("doc_id", F.get("reject_reasons", 0).alias("reason"))}
    if with_measures:
        ids = run.store.read(spark, MEASURED, [wave]).select("doc_id")
        reasons[MEASURE_DOCUMENTS] = ids.withColumn("reason", F.lit(None).cast("string"))
    return rows_of(stage_counts(extracted_ids(spark, run, [wave]), reasons))


def _empty(field: StructField) -> str:
    """Return a measure of an empty text in SQL: an empty value, or a number."""
    empty = {ArrayType: "array()", StringType: "''"}
    value = empty.get(type(field.dataType), str(int(field.name == "lines")))
    typed = f"CAST({value} AS {field.dataType.simpleString()})"
    return f"MAP_FROM_ENTRIES({typed})" if field.dataType == COUNTS_TYPE else typed
