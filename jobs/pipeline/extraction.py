"""Extraction: splits -> documents, read_failures, lists of ranges to try again, what is beside.

Records are read, decoded, turned into text and given a language in one pass of a Python worker
(`jobs.pipeline.extraction_wave`). Records that are not wanted are counted by reason in the ledger;
what could not be read has a row in read_failures.
"""

from __future__ import annotations

import importlib.util
import mmap
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from pyspark.sql import SparkSession

from jobs.catalogue.catalogue import Artifact
from jobs.catalogue.fetch import find_artifact, known_path, ship
from jobs.catalogue.lock import Lock
from jobs.config import Config, ConfigError, LanguageConfig
from jobs.pipeline.beside_documents import NOT_OF_DOCUMENTS, PARTS, BesidePart
from jobs.run.commits import Basis, due, fingerprint_of, in_wave, settings_of, wave_of
from jobs.run.request import EXTRACT_DOCUMENTS, Run
from udfs.base.model_constants import LABEL_PREFIX, UNDETERMINED
from udfs.models.fasttext_file import ModelFileError, read_fasttext_header


def check_settings(config: Config, lock: Lock) -> None:
    """Check that the extractor is installed, that the language model is locked, and that it has the
    languages that are chosen by its labels, where it is on this machine.

    Raises:
        ConfigError: one of them is not.
    """
    if (
        config.extract.extractor == "trafilatura"
        and importlib.util.find_spec("trafilatura") is None
    ):
        raise ConfigError(
            "extract.extractor = 'trafilatura': not installed; pip install \"taojin[trafilatura]\""
        )
    name = config.extract.language_artifact
    artifact = find_artifact(lock.artifacts, name, "extract.language_artifact")
    # The default labels are no request: a model of one's own may have others.
    labels = config.language.labels
    for key, languages in {
        "language.labels": () if labels == LanguageConfig().labels else labels,
        "extract.languages": config.extract.languages,
        "select.languages": config.select.languages,
    }.items():
        _check_languages(key, languages, known_path(artifact, config))


def _check_languages(key: str, languages: Sequence[str], model: Path | None) -> None:
    """Raise ConfigError for a language that no document can have."""
    named = [language for language in languages if language != UNDETERMINED]
    if model is None or not named:
        return
    with model.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        # As the file has them: reading the whole dictionary takes a moment that every command pays.
        if all(data.find(f"{LABEL_PREFIX}{language}\0".encode()) >= 0 for language in named):
            return
    try:
        labels = read_fasttext_header(model).labels
    except ModelFileError as error:
        raise ConfigError(f"extract.language_artifact: {error}") from error
    for language in named:
        if language not in labels:
            raise ConfigError(
                f"{key} = {list(languages)}: the language model has no label {language!r}; it has "
                f"{', '.join(sorted(labels))}"
            )


def preload() -> None:
    """Import what a wave needs."""
    from jobs.pipeline import extraction_wave  # noqa: F401


def run(spark: SparkSession, run: Run) -> None:
    """Extract every wave that is due.

    Raises:
        NothingRead: no file of a wave could be read; that wave is not committed.
    """
    from jobs.pipeline.extraction_wave import extract_wave  # imports what a worker needs

    waves = bases(run)
    wanted = {stage: due(run.store, stage, of_stage) for stage, of_stage in waves.items()}
    if wanted[EXTRACT_DOCUMENTS]:
        for part in _unwanted(run):
            _delete(run, part)
    language_file = None
    for wave in sorted(set().union(*wanted.values())):
        language_file = language_file or ship(spark.sparkContext, _language_model(run), run.config)
        label = f"{EXTRACT_DOCUMENTS}{in_wave(wave, len(run.waves))}"
        stages = [stage for stage in waves if wave in wanted[stage]]
        with ExitStack() as works:
            work = {
                stage: works.enter_context(
                    wave_of(run.store, stage, wave, waves[stage][wave], len(run.waves))
                )
                for stage in stages
            }
            balances = extract_wave(spark, run, wave, language_file, label, stages)
            for stage, balance in balances.items():
                work[stage].balance = balance


def deletes(run: Run) -> dict[str, str]:
    """Return the tables beside documents, where extraction would leave older rows in them, with the
    reason."""
    return {part.table: f"extract.{part.setting} is false" for part in _unwanted(run)}


def _unwanted(run: Run) -> list[BesidePart]:
    return [
        part
        for part in PARTS
        if not part.is_wanted(run.config) and run.store.list_names(part.table)
    ]


def _delete(run: Run, part: BesidePart) -> None:
    """Remove a table with its commits."""
    for wave in run.store.commits(part.stage):
        run.store.revoke(part.stage, wave)
    run.store.delete(part.table)


def bases(run: Run) -> dict[str, dict[int, Basis]]:
    """Return the basis of each wave, of documents and of the parts beside them that are asked for.

    Documents do not follow from what is read beside them.
    """
    settings = settings_of("extract", run.config.extract)
    for key in NOT_OF_DOCUMENTS:
        del settings[f"extract.{key}"]
    settings |= settings_of("input", run.config.input, ("text_column", "id_column"))
    settings |= settings_of("language", run.config.language, ("labels", "script", "charsets"))
    language = {"extract.language_artifact": _language_model(run).sha256}
    # The format is part of each split: another run may add files of another format.
    documents = {
        wave: Basis(settings, {"input": fingerprint_of(splits), **language})
        for wave, splits in run.waves.items()
    }
    return {EXTRACT_DOCUMENTS: documents} | {
        part.stage: {wave: part.basis(run, basis) for wave, basis in documents.items()}
        for part in PARTS
        if part.is_wanted(run.config)
    }


def _language_model(run: Run) -> Artifact:
    name = run.config.extract.language_artifact
    return find_artifact(run.catalogue, name, "extract.language_artifact")
