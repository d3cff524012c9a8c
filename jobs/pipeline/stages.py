"""The stages of a pipeline in running order: the table of contents of a run.

--help, --plan, the report, the ledger's balance and the table of commands come from here.
``python -m jobs.pipeline.stages`` prints that table.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from functools import partial

from jobs.audit.samples import write_audit
from jobs.config import Config, ConfigError
from jobs.estimate.options import add_arguments as dry_run_arguments
from jobs.estimate.prices import core_price
from jobs.image_text import (
    caption_reassignment,
    images,
    interleaving,
    line_matching,
    pair_scoring,
    pair_selection,
    pair_texts,
)
from jobs.image_text import pair_release_stage as pair_release
from jobs.pipeline import (
    deduplication,
    extraction,
    rule_filtering,
    scoring,
)
from jobs.release import stage as release
from jobs.report import compare, reporting
from jobs.run.request import (
    APPLY_RULES,
    EXTRACT_DOCUMENTS,
    FIND_DUPLICATES,
    INTERLEAVE_DOCUMENTS,
    MATCH_IMAGES,
    MEASURE_IMAGES,
    MEASURE_PAIRS,
    PLAN_INPUT,
    REASSIGN_CAPTIONS,
    REPORT_RUN,
    SCORE_DOCUMENTS,
    SCORE_PAIRS,
    SELECT_CORPUS,
    SELECT_PAIRS,
    Stage,
)
from jobs.run.scorers import check_corpus_scorers, check_pair_scorers, check_scorers
from jobs.selection import checks, preview
from jobs.selection import stage as selection

PLAN = Stage(
    PLAN_INPUT,
    "find the input and cut it into waves",
    reads="names of files, a crawl or its index",
    writes=("splits", "ranges"),
)

EXTRACT = Stage(
    EXTRACT_DOCUMENTS,
    "read records and take the main text of pages",
    reads="splits, ranges",
    writes=("documents", "read_failures", "replay", "products", "pairs"),
    run=extraction.run,
    preload=extraction.preload,
    worker_modules=("udfs.extract.extract", "jobs.run.splits"),
    bases=extraction.bases,
    deletes=extraction.deletes,
    check_settings=extraction.check_settings,
)

RULES = Stage(
    APPLY_RULES,
    "edit and measure texts and flag them by rules",
    reads="documents",
    writes=("edits", "measures", "flagged", "robots"),
    run=rule_filtering.run,
    preload=rule_filtering.preload,
    worker_modules=("udfs.measures.text_pass", "udfs.pii.candidates"),
    bases=rule_filtering.bases,
    check_settings=rule_filtering.check_settings,
    needs=(EXTRACT,),
    check=rule_filtering.check,
    check_on_spark=rule_filtering.check_on_spark,
    sees=EXTRACT,
)

DUPLICATES = Stage(
    FIND_DUPLICATES,
    "find duplicates over all documents",
    reads="documents, edits, flagged; a signature store",
    writes=("duplicates", "cuts"),
    run=deduplication.run,
    preload=deduplication.preload,
    worker_modules=("udfs.dedup.fingerprints", "udfs.dedup.near_groups"),
    bases=deduplication.bases,
    deletes=deduplication.deletes,
    needs=(EXTRACT,),
    check=deduplication.check,
    sees=RULES,
)

SCORE = Stage(
    SCORE_DOCUMENTS,
    "score texts, one table a scorer",
    reads="documents, edits, flagged, duplicates, cuts",
    writes=("scores/SCORER", "scored_texts"),
    run=scoring.run,
    preload=scoring.preload,
    worker_modules=(
        "udfs.scorers.scoring",
        "udfs.scorers.fasttext_settings",
        "udfs.models.fasttext_model",
        "udfs.models.char_lm_file",
        "udfs.tokens.forms",
        "udfs.tokens.shape_tokens",
        "udfs.tokens.token_counts",
    ),
    bases=scoring.bases,
    deletes=scoring.deletes,
    check_settings=check_scorers,
    needs=(EXTRACT,),
    add_arguments=scoring.add_arguments,
    with_arguments=scoring.with_arguments,
    ledgers=scoring.ledgers,
)

SELECT = Stage(
    SELECT_CORPUS,
    "select the corpus by thresholds on scores",
    reads="all tables above",
    writes=("corpus", "rejected", "corpus_jsonl"),
    run=partial(selection.run, describe=release.describe),
    bases=selection.bases,
    deletes=selection.deletes,
    check_settings=checks.check_settings,
    needs=(EXTRACT, RULES, DUPLICATES, SCORE),
    check=check_corpus_scorers,
    check_on_spark=checks.check_on_spark,
    add_arguments=selection.add_arguments,
    shows=preview.shows,
    sees=DUPLICATES,
)

IMAGES = Stage(
    MEASURE_IMAGES,
    "find and measure the bodies of images",
    reads="splits, pairs; shards of images",
    writes=("images", "shard_images"),
    run=images.run,
    preload=images.preload,
    worker_modules=("udfs.extract.stored_images",),
    bases=images.bases,
    deletes=images.deletes,
    needs=(EXTRACT,),
    check=images.check,
    ledgers=images.ledgers,
    room="pairs",
)

MEASURE_PAIR_TEXTS = Stage(
    MEASURE_PAIRS,
    "measure the texts of image-text pairs",
    reads="pairs",
    writes=("pair_measures",),
    run=pair_texts.run,
    preload=pair_texts.preload,
    worker_modules=("udfs.measures.pair_texts",),
    bases=pair_texts.bases,
    needs=(EXTRACT,),
    room="pairs",
)

SCORE_PAIR_SCORERS = Stage(
    SCORE_PAIRS,
    "score image-text pairs, one table a scorer",
    reads="pairs, images",
    writes=("pair_scores/SCORER", "pair_scores.json"),
    run=pair_scoring.run,
    preload=pair_scoring.preload,
    worker_modules=("udfs.pair_scorers.scoring",),
    bases=pair_scoring.bases,
    check_settings=check_pair_scorers,
    needs=(EXTRACT, IMAGES),
    ledgers=pair_scoring.ledgers,
    room="pairs",
)

INTERLEAVE = Stage(
    INTERLEAVE_DOCUMENTS,
    "put the images of documents between the lines of their texts",
    reads="documents, edits, pairs, images, corpus",
    writes=("interleaved", "interleaved.json"),
    run=interleaving.run,
    preload=interleaving.preload,
    worker_modules=("udfs.interleaved.documents", "udfs.measures.text_pass"),
    bases=interleaving.bases,
    needs=(EXTRACT, RULES, DUPLICATES, SCORE, SELECT, IMAGES),
    room="pairs",
)

PAIR_SELECTION = Stage(
    SELECT_PAIRS,
    "select image-text pairs by rules and thresholds",
    reads="pairs, pair_measures, images, pair_scores, documents, corpus",
    writes=("selected_pairs", "rejected_pairs", "fetch_list"),
    run=pair_selection.run,
    preload=pair_selection.preload,
    worker_modules=("udfs.dedup.near_hashes", "udfs.dedup.known_hashes"),
    bases=pair_selection.bases,
    check_settings=pair_selection.check_settings,
    needs=(
        *(EXTRACT, RULES, DUPLICATES, SCORE, SELECT),
        *(IMAGES, MEASURE_PAIR_TEXTS, SCORE_PAIR_SCORERS),
    ),
    check_on_spark=pair_selection.check_on_spark,
    sees=MEASURE_PAIR_TEXTS,
    room="pairs",
)

REASSIGN = Stage(
    REASSIGN_CAPTIONS,
    "reassign texts of selected pairs to the images that they fit best",
    reads="selected_pairs, pair_scores",
    writes=("reassigned_captions", "reassigned_captions.json"),
    run=caption_reassignment.run,
    preload=caption_reassignment.preload,
    worker_modules=("udfs.pair_noise.top_matches", "udfs.pair_noise.cycle"),
    bases=caption_reassignment.bases,
    needs=(
        *(EXTRACT, RULES, DUPLICATES, SCORE, SELECT),
        *(IMAGES, MEASURE_PAIR_TEXTS, SCORE_PAIR_SCORERS, PAIR_SELECTION),
    ),
    check=caption_reassignment.check,
    ledgers=caption_reassignment.ledgers,
    room="pairs",
)

MATCH = Stage(
    MATCH_IMAGES,
    "match the images of interleaved documents with their texts",
    reads="interleaved, images",
    writes=("matched_images",),
    run=line_matching.run,
    preload=line_matching.preload,
    worker_modules=("udfs.alignment.line_matching",),
    bases=line_matching.bases,
    needs=(EXTRACT, RULES, DUPLICATES, SCORE, SELECT, IMAGES, INTERLEAVE),
    check=line_matching.check,
    ledgers=line_matching.ledgers,
    room="pairs",
)

REPORT = Stage(
    REPORT_RUN,
    "report what a run did",
    reads="the ledger and all tables above",
    writes=("report/index.html", "run.json", "audit"),
    run=partial(reporting.run, write_audit=write_audit, core_price=core_price),
    preload=reporting.preload,
    show=reporting.show,
    bases=reporting.bases,
    ledgers=reporting.ledgers,
    add_arguments=compare.add_arguments,
    with_arguments=compare.with_arguments,
)

RELEASE = Stage(
    release.RELEASE_CORPUS,
    "write a corpus as files to publish and to train on, with a dataset card",
    reads="corpus",
    writes=("data", "jsonl", "README.md", "checksums.sha256", "run.json"),
    run=release.run,
    preload=release.preload,
    worker_modules=release.WORKER_MODULES,
    bases=release.bases,
    deletes=release.deletes,
    ledgers=release.ledgers,
)
"""Of run_pipeline alone, where a release is asked for: its files lie outside an output's tables."""

RELEASE_OF_PAIRS = Stage(
    pair_release.NAME,
    "write pairs and interleaved documents as files to publish and to train on",
    reads="selected_pairs, images, interleaved",
    writes=("webdataset", "links", "interleaved", "README.md", "checksums.sha256", "run.json"),
    run=pair_release.run,
    preload=pair_release.preload,
    worker_modules=pair_release.WORKER_MODULES,
    bases=pair_release.bases,
    deletes=pair_release.deletes,
    ledgers=pair_release.ledgers,
    room="pairs",
)
"""Likewise."""

STAGES = (PLAN, EXTRACT, RULES, DUPLICATES, SCORE, SELECT, REPORT)
"""Those of every output."""
PAIR_STAGES: tuple[Stage, ...] = (
    *(IMAGES, MEASURE_PAIR_TEXTS, SCORE_PAIR_SCORERS, PAIR_SELECTION),
    *(REASSIGN, INTERLEAVE, MATCH),
)
"""Those of an output with `extract.pairs`: between the corpus and the report."""


def stages_of(config: Config) -> tuple[Stage, ...]:
    """Return the stages of an output, in the order of the documentation."""
    return (*STAGES[:-1], *(PAIR_STAGES if config.extract.pairs else ()), REPORT)


def _pipeline_arguments(parser: ArgumentParser) -> None:
    """Add the arguments that only the whole pipeline has."""
    release.add_arguments(parser)
    pair_release.add_arguments(parser)
    dry_run_arguments(parser)


def _with_pipeline_arguments(config: Config, arguments: Namespace) -> Config:
    """Return the configuration with the places of releases."""
    return pair_release.with_arguments(release.with_arguments(config, arguments), arguments)


PIPELINE = Stage(
    "run_pipeline",
    "all of the above in one application",
    reads="names of files, a crawl or its index",
    writes=("all of the above",),
    needs=(*STAGES[:-1], *PAIR_STAGES, REPORT),
    add_arguments=_pipeline_arguments,
    with_arguments=_with_pipeline_arguments,
)


_NO_PLACES = "the output has no image places; --set extract.pairs=true extracts them"


def running_order(command: Stage, config: Config) -> tuple[Stage, ...]:
    """Return the stages that a command runs, itself included, each before those that need it.

    Quality is scored before duplicates are looked for where it decides which of them is kept.

    Raises:
        ConfigError: the command or a release is of pairs, and the output has none.
    """
    order = list(stages_of(config))
    if command in PAIR_STAGES and command not in order:
        raise ConfigError(f"{command.name}: {_NO_PLACES}")
    if config.dedup.needs_scores():
        order.remove(SCORE)
        order.insert(order.index(DUPLICATES), SCORE)
    chosen = [
        stage
        for stage in order
        if stage.run is not None and (stage is command or stage in command.needs)
    ]
    if command is PIPELINE and config.release.to is not None:
        chosen.append(RELEASE)
    if command is PIPELINE and config.release_pairs.to is not None:
        if not config.extract.pairs:
            raise ConfigError(f"release_pairs.to = {config.release_pairs.to!r}: {_NO_PLACES}")
        chosen.append(RELEASE_OF_PAIRS)
    return tuple(chosen)


def stage_help(command: Stage) -> str:
    """Return what a command reads, writes and runs first, for --help."""
    lines = [f"reads   {command.reads}", f"writes  {', '.join(command.writes)}"]
    first = [stage for stage in command.needs if stage.run is not None]
    if first:
        lines.append("brings up to date first:")
        lines += [f"  {stage.name:<18} {stage.summary}" for stage in first]
    return "\n".join(lines)


def job_table() -> str:
    """Return the table of the commands of a pipeline as Markdown."""
    rows = [
        f"| `{stage.module}` | {stage.summary} | {stage.reads} | "
        f"{', '.join(name if ' ' in name else f'`{name}`' for name in stage.writes)} |"
        for stage in (*STAGES[:-1], *PAIR_STAGES, REPORT, PIPELINE)
    ]
    return "\n".join(["| job | does | reads | writes |", "|---|---|---|---|", *rows])


if __name__ == "__main__":
    print(job_table())
