"""Quality by an encoder: a document's segments are scored one by one, on a GPU where there is one.

The libraries that run the encoder are imported where it runs: the driver, and a run without this
scorer, need not have them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pyspark.sql.types import ArrayType, DoubleType, IntegerType, StructField, StructType

from udfs.base.settings import Model, PositiveCount, Share
from udfs.encoder.encoder_file import Dtype, EncoderFileError, read_encoder_header
from udfs.encoder.segments import Span, published_segments
from udfs.scorers.declaration import (
    KnownFiles,
    ScoreCurve,
    ScorerDeclaration,
    ScorerFiles,
    SegmentCut,
    read_known,
)
from udfs.scorers.scorer import Record, Scorer

if TYPE_CHECKING:
    from udfs.encoder.batches import BatchRunner
    from udfs.files.artifacts import ArtifactFile

NAME = "quality_bert"

Segments = Literal["fixed", "casia-exact"]
Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class QualityBertSettings:
    """Quality by an encoder, segment by segment; in a table beside the corpus.

    It runs on CPUs where no GPU is declared to Spark (conf/spark-gpu.conf).
    """

    artifact: Model = "quality_bert"
    """Artifact name of an encoder, or a path to one, as ``python -m jobs.import_encoder`` makes
    it."""
    segments: Segments = "fixed"
    """``fixed`` cuts a text at ends of lines and sentences into segments of as many tokens as the
    encoder takes, and leaves nothing out; ``casia-exact`` makes those of the published script,
    which drops segments under 200 characters, and pads as that does: its scores, at its speed."""
    device: Device = "auto"
    """``auto``: the GPU that Spark gives a task, else the CPU; ``cuda``: that GPU, else the
    machine's first, for a run on one machine."""
    dtype: Dtype = "auto"
    """The encoder's number type; ``auto``: the fastest of the device, on a CPU bfloat16 where it
    has AMX. Scores differ by less than 0.01."""
    batch_tokens: PositiveCount | None = None
    """Tokens of a batch; off: 2,048 on a CPU, 65,536 on a GPU, halved when it is out of memory."""


@dataclass(frozen=True)
class QualityBertLimits:
    """Keys of [select] that look at segments."""

    min_segment_score: Share | None = None
    """Cut a document to its runs of segments to which ``quality_bert`` gives at least this score,
    joined by line breaks; column ``runs`` has their places. A document without any is rejected as
    ``no_good_segment``. Off: documents stay whole. The other limits are on whole documents."""


RESULT_TYPE = StructType(
    [
        # Mean of the segments, weighted by their characters; null without segments.
        StructField("score", DoubleType()),
        StructField(
            "segments",
            ArrayType(
                StructType(
                    [
                        StructField("offset", IntegerType()),  # code points of the text
                        StructField("length", IntegerType()),  # likewise
                        StructField("score", DoubleType()),
                    ]
                )
            ),
        ),
        StructField("mean", DoubleType()),  # of the segments, unweighted; null without segments
        StructField("min", DoubleType()),
        StructField("max", DoubleType()),
    ]
)


class DocumentScorer:
    """An encoder's file and its tokenizer, and the encoder loaded once for each device in use."""

    def __init__(self, path: Path, settings: QualityBertSettings) -> None:
        from udfs.base.worker import cores_of_task

        cores = cores_of_task()
        if cores is not None:  # before the first use, which makes the tokenizer's threads
            os.environ["RAYON_NUM_THREADS"] = str(cores)
        try:
            from udfs.encoder.inputs import InputMaker
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                'scorer quality_bert needs pip install "taojin[bert]"', name=error.name
            ) from error
        header = read_encoder_header(path)
        self.path = path
        self.settings = settings
        self.max_tokens = header.settings.max_tokens
        self.inputs = InputMaker(header)
        self.runners: dict[str, BatchRunner] = {}

    def runner(self) -> BatchRunner:
        """The encoder on this task's device, loaded at its first use there."""
        device = device_of_task(self.settings.device)
        if device not in self.runners:
            self.runners[device] = self._loaded(device)
        return self.runners[device]

    def _loaded(self, device: str) -> BatchRunner:
        import torch

        from udfs.base.worker import cores_of_task
        from udfs.encoder.batches import BatchRunner
        from udfs.encoder.model import load_encoder

        if cores := cores_of_task():
            torch.set_num_threads(cores)  # else every task would take all cores of the machine
        encoder = load_encoder(self.path, device, self.settings.dtype)
        is_published = self.settings.segments == "casia-exact"
        encoder.pools_padding = is_published
        pad_to = self.max_tokens if is_published else None
        runner = BatchRunner(encoder, self.settings.batch_tokens, pad_to)
        print(
            f"quality_bert: {encoder.dtype} on {device}, {torch.get_num_threads()} threads, "
            f"{runner.budget:,} tokens a batch",
            file=sys.stderr,
        )
        return runner


def score_documents(texts: Sequence[str], scorer: DocumentScorer) -> list[Record]:
    """Score every text by its segments; all null for a text that has none.

    Batch:
        The segments of all texts together, sorted by length.
    Source:
        ChineseWebText 1.0, BERTEval; the mean by length is ours, its script keeps runs of segments.
    """
    if scorer.settings.segments == "casia-exact":
        spans = [published_segments(text) for text in texts]
        parts = [(text, span) for text, own in zip(texts, spans, strict=True) for span in own]
        inputs = list(scorer.inputs.of_parts(parts))
    else:
        cut = list(scorer.inputs.of_texts(texts))
        spans = [own for own, _ in cut]
        inputs = [segment for _, own in cut for segment in own]
    found = scorer.runner().scores(inputs).astype(np.float64)
    scores = iter(found.tolist())
    return [record_of_segments(own, [next(scores) for _ in own]) for own in spans]


def quality_bert_scorer(
    artifact: ArtifactFile, settings: QualityBertSettings | None = None
) -> Scorer:
    """The scorer over one encoder."""
    load = _EncoderLoader(settings or QualityBertSettings())
    return Scorer(NAME, artifact, RESULT_TYPE, score_documents, None, load)


@dataclass(frozen=True)
class _EncoderLoader:
    """Loads an encoder once a worker: equal objects are one key of its cache, and a
    functools.partial would be another one in every task."""

    settings: QualityBertSettings

    def __call__(self, path: Path) -> DocumentScorer:
        return DocumentScorer(path, self.settings)


def device_of_task(wanted: Device) -> str:
    """The device that a task computes on, as PyTorch names it."""
    from udfs.base.worker import gpu_of_task

    gpu = None if wanted == "cpu" else gpu_of_task()
    if gpu is None:
        return "cuda:0" if wanted == "cuda" else "cpu"
    return f"cuda:{gpu}"


def record_of_segments(spans: Sequence[Span], scores: Sequence[float]) -> Record:
    """The record of a text, from the places and scores of its segments."""
    if not spans:
        return dict.fromkeys(RESULT_TYPE.fieldNames())
    lengths = [stop - start for start, stop in spans]
    segments: list[dict[str, Any]] = [
        {"offset": start, "length": length, "score": score}
        for (start, _), length, score in zip(spans, lengths, scores, strict=True)
    ]
    return {
        "score": float(np.average(scores, weights=lengths)),
        "segments": segments,
        "mean": float(np.mean(scores)),
        "min": min(scores),
        "max": max(scores),
    }


def _make(settings: QualityBertSettings, files: ScorerFiles) -> Scorer:
    return quality_bert_scorer(files.shipped("artifact"), settings)


def _check(settings: QualityBertSettings, limits: object, files: KnownFiles) -> None:
    read_known("quality_bert.artifact", files["artifact"], read_encoder_header, EncoderFileError)


QUALITY_BERT = ScorerDeclaration(
    name=NAME,
    settings=QualityBertSettings,
    result_type=RESULT_TYPE,
    make=_make,
    check=_check,
    score="score",
    curves=(ScoreCurve(NAME, "score", "low_quality", "min_quality"),),
    limits=QualityBertLimits,
    cut=SegmentCut("min_segment_score", "segments", "no_good_segment"),
    wants_gpu=lambda settings: settings.device == "auto",
)
