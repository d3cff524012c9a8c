"""Interleaved documents: documents with their current text, pairs, images -> interleaved.

A document of table `interleaved` has the text of its corpus row, cut where its images are. Images
outside the main text are dropped. What is kept and dropped is counted by reason: documents in the
ledger, images in interleaved.json.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config.pair_settings import InterleaveConfig
from jobs.image_text.images import image_sources, stored_images
from jobs.run.commits import (
    Balance,
    Basis,
    StageIncomplete,
    due,
    fingerprint_of,
    finished,
    settings_of,
    wave_of,
)
from jobs.run.console import StageProgress, show_progress
from jobs.run.current_documents import (
    document_commits,
    edit_commits,
    extracted_ids,
    with_current_text,
)
from jobs.run.ledger import BalanceOpen, close_stages, decided_rows, kept_of, rows_of
from jobs.run.request import (
    EXTRACT_DOCUMENTS,
    EXTRACT_PAIRS,
    INTERLEAVE_DOCUMENTS,
    SELECT_CORPUS,
    Run,
)
from jobs.run.store import WHOLE
from jobs.tables import CORPUS, DOCUMENTS, EDITS, INTERLEAVED, PAIRS, schema_of
from jobs.transforms.images.interleave import (
    image_lists,
    interleaved_documents,
    repeated_sets,
    text_versions,
)
from jobs.transforms.ledger import decided_counts, stage_counts
from jobs.transforms.texts import editing_of
from udfs.interleaved.documents import OF_REJECTED
from udfs.interleaved.images import InterleaveLimits
from udfs.interleaved.schema import GENERAL_METADATA_TYPE
from udfs.measures.schema import PII_TYPE

FACTS = "interleaved.json"
EQUAL_IMAGE_SET = "equal_image_set"
OPTED_OUT = "opted_out"

_PAGE = {
    "document_url": "url",
    "warc_path": "warc_path",
    "warc_offset": "warc_offset",
    "title": "title",
    "quality_score": "quality_score",
    "domain": "domain",
}


def preload() -> None:
    """Import what its work needs."""
    from udfs.measures import text_pass  # noqa: F401


def run(spark: SparkSession, run: Run) -> None:
    """Interleave all documents, unless nothing has changed that they depend on."""
    waves = bases(run)[INTERLEAVE_DOCUMENTS]
    if not due(run.store, INTERLEAVE_DOCUMENTS, waves):
        return
    with (
        wave_of(run.store, INTERLEAVE_DOCUMENTS, WHOLE, waves[WHOLE]) as work,
        show_progress(spark, StageProgress(INTERLEAVE_DOCUMENTS, is_one_pass=False)),
    ):
        work.balance = _interleave(spark, run)


def bases(run: Run) -> dict[str, dict[int, Basis]]:
    """Return the basis of the interleaved documents.

    Raises:
        StageIncomplete: there is no corpus.
    """
    corpus = finished(run.store, SELECT_CORPUS, {WHOLE: ""})
    if corpus is None:
        raise StageIncomplete(f"{SELECT_CORPUS} is not done: run it first")
    sources: dict[str, str | None] = {
        EXTRACT_DOCUMENTS: fingerprint_of(document_commits(run)),
        EXTRACT_PAIRS: fingerprint_of(_fingerprints(run, EXTRACT_PAIRS)),
        **image_sources(run),
        SELECT_CORPUS: corpus[WHOLE],
    }
    settings = settings_of("interleave", run.config.interleave)
    settings.pop("interleave.match_images")  # of a later stage
    return {INTERLEAVE_DOCUMENTS: {WHOLE: Basis(settings, sources)}}


def limits_of(settings: InterleaveConfig) -> InterleaveLimits:
    """Return the limits that the settings ask for."""
    return InterleaveLimits(
        formats=settings.formats,
        min_side=settings.min_side,
        max_side=settings.max_side,
        max_aspect=settings.max_aspect,
        keep_unknown_size=settings.unknown_size == "keep",
        url_words=tuple(word.lower() for word in settings.url_words),
        max_distance=settings.distance,
        max_images=settings.max_images,
        min_chars=settings.min_chars,
    )


def _fingerprints(run: Run, stage: str) -> dict[int, str]:
    """Return the fingerprints of a stage's commits, by wave."""
    return {wave: of.fingerprint for wave, of in sorted(run.store.commits(stage).items())}


def _interleave(spark: SparkSession, run: Run) -> Balance:
    """Write interleaved, its ledger and interleaved.json."""
    from udfs.measures.text_pass import edited_texts

    settings, waves = run.config.interleave, list(run.waves)
    pairs = run.store.read(spark, PAIRS, waves)
    edited = waves if edit_commits(run) is not None else []
    documents = text_versions(
        _documents(spark, run),
        run.store.read(spark, DOCUMENTS, waves),
        run.store.read(spark, EDITS, edited),
    )
    made = _stored(
        spark,
        run,
        interleaved_documents(
            documents,
            image_lists(pairs, stored_images(spark, run), settings.max_url_places),
            limits_of(settings),
            partial(edited_texts, editing_of(run.config)),
        ),
        "documents",
    )
    repeated = repeated_sets(made).where(F.lit(settings.equal_image_sets))
    repeated = _stored(spark, run, repeated, "repeated")
    kept = made.where(F.col("reason").isNull())
    kept = kept.join(repeated.select("doc_id"), on="doc_id", how="left_anti")
    run.store.write(kept.select(*schema_of(INTERLEAVED).fieldNames()), INTERLEAVED)
    counts = _document_counts(spark, run, made, repeated)
    balance = close_stages(run, [INTERLEAVE_DOCUMENTS], counts, WHOLE)[INTERLEAVE_DOCUMENTS]
    _write_facts(run, balance, _image_counts(spark, run, made, repeated))
    run.store.drop_scratch()
    return balance


def _documents(spark: SparkSession, run: Run) -> DataFrame:
    """Read the documents that may become interleaved ones, each once: doc_id, text,
    original_sha256, capture_time, general_metadata, refused."""
    waves = list(run.waves)
    corpus = run.store.read(spark, CORPUS)
    if run.config.select.repeat == "rows":
        corpus = corpus.dropDuplicates(["doc_id"])
    of_corpus = corpus.withColumn("domain", F.col("domain.single_label"))
    if run.config.interleave.documents == "corpus":
        documents = of_corpus
    else:
        extracted = run.store.read(spark, DOCUMENTS, waves)
        places = F.lit(None).cast(PII_TYPE)
        current = with_current_text(spark, run, extracted.withColumn("pii", places), waves)
        scored = of_corpus.select("doc_id", "quality_score", "domain")
        documents = current.join(scored, on="doc_id", how="left")
    metadata = F.struct(*(F.col(column).alias(name) for name, column in _PAGE.items()))
    return documents.select(
        *("doc_id", "text", "original_sha256", "capture_time"),
        metadata.cast(GENERAL_METADATA_TYPE).alias("general_metadata"),
        _refused(run.config.interleave).alias("refused"),
    )


def _refused(settings: InterleaveConfig) -> Column:
    """Why a document is rejected whatever it has; null for one that is not."""
    if not settings.opt_outs:
        return F.lit(None).cast("string")
    stated = F.array(*map(F.lit, settings.opt_outs))
    return F.when(F.arrays_overlap("opt_outs", stated), OPTED_OUT)


def _stored(spark: SparkSession, run: Run, frame: DataFrame, name: str) -> DataFrame:
    """Write a frame that is read several times, and read it back."""
    path = run.store.scratch(INTERLEAVE_DOCUMENTS, name)
    run.store.write_parquet(frame, path)
    return spark.read.schema(frame.schema).parquet(path)


def _document_counts(
    spark: SparkSession, run: Run, made: DataFrame, repeated: DataFrame
) -> Iterable[Mapping[str, Any]]:
    """Count the documents that were there and what was decided on them, by file."""
    path = F.col("general_metadata.warc_path").alias("warc_path")
    kept = run.store.read(spark, INTERLEAVED).select(
        "doc_id", path, F.lit(None).cast("string").alias("reason")
    )
    rejected = made.where(F.col("reason").isNotNull()).select("doc_id", path, "reason")
    equal = repeated.select("doc_id", "warc_path", F.lit(EQUAL_IMAGE_SET).alias("reason"))
    decided = kept.unionByName(rejected).unionByName(equal)
    waves = list(run.waves)
    is_corpus = run.config.interleave.documents == "corpus"
    seen = kept_of(run.store, SELECT_CORPUS if is_corpus else EXTRACT_DOCUMENTS, waves)
    if seen is not None:
        return decided_rows(seen, INTERLEAVE_DOCUMENTS, rows_of(decided_counts(decided)))
    # A file that two waves read parts of: which one, its documents say.
    ids = extracted_ids(spark, run, waves)
    if is_corpus:
        of_corpus = run.store.read(spark, CORPUS).select("doc_id")
        ids = ids.join(of_corpus, on="doc_id", how="left_semi")
    outcome = {INTERLEAVE_DOCUMENTS: decided.select("doc_id", "reason")}
    return rows_of(stage_counts(ids, outcome))


def _image_counts(
    spark: SparkSession, run: Run, made: DataFrame, repeated: DataFrame
) -> dict[str, Any]:
    """Count the image places of the documents that were seen.

    Raises:
        BalanceOpen: some were lost.
    """
    pairs = run.store.read(spark, PAIRS, list(run.waves)).select("doc_id")
    seen = pairs.join(made.select("doc_id"), on="doc_id", how="left_semi").count()
    images = F.size(F.array_compact("images"))
    [row] = run.store.read(spark, INTERLEAVED).agg(F.sum(images).alias("n")).collect()
    kept = int(row["n"] or 0)
    [row] = repeated.agg(F.sum("images").alias("n")).collect()
    dropped = Counter({OF_REJECTED: int(row["n"] or 0)})
    by_reason = made.select(F.inline("dropped")).groupBy("reason").agg(F.sum("images").alias("n"))
    dropped.update({one["reason"]: one["n"] for one in rows_of(by_reason)})
    if seen != kept + dropped.total():
        raise BalanceOpen(
            f"{INTERLEAVED}: {seen:,} images seen, {kept:,} kept, {dropped.total():,} dropped"
        )
    return {"seen": seen, "kept": kept, "dropped": dict(sorted((+dropped).items()))}


def _write_facts(run: Run, balance: Balance, images: Mapping[str, Any]) -> None:
    """Write interleaved.json: settings, documents and images by outcome."""
    facts = {
        "settings": settings_of("interleave", run.config.interleave),
        "documents": {
            "seen": balance.seen,
            "kept": balance.kept,
            "rejected": dict(balance.rejected),
        },
        "images": images,
    }
    run.store.write_bytes(json.dumps(facts, ensure_ascii=False, indent=1).encode(), FACTS)
