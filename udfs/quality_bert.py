"""Quality by an encoder: a document's segments are scored one by one, on a GPU where there is one.

What runs the encoder is imported where that is done: the driver, and whoever has no use for it,
need not have it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from udfs.artifact_files import ArtifactFile
from udfs.bert_file import Dtype, read_encoder_header
from udfs.bert_segments import Span, published_segments
from udfs.result_types import QUALITY_BERT_TYPE
from udfs.scoring import Record, Scorer
from udfs.task_resources import cores_of_task, gpu_of_task

if TYPE_CHECKING:
    from udfs.bert_batches import BatchRunner

Segments = Literal["fixed", "casia-exact"]
Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class EncoderRules:
    """How texts are cut, and how the encoder runs."""

    segments: Segments = "fixed"
    """``fixed``: the whole text, in segments of as many tokens as the encoder takes;
    ``casia-exact``: those of the published script, padded as it pads them."""
    device: Device = "auto"
    """``auto``: the GPU that Spark gives the task, else the CPU; ``cuda``: that GPU, else the
    machine's first."""
    dtype: Dtype = "auto"
    """What the encoder computes in; ``auto``: what the device does fastest."""
    batch_tokens: int | None = None
    """Tokens of a batch with its padding; None for what suits the kind of device."""


class DocumentScorer:
    """An encoder's file, its tokenizer, and the encoder once on every device that was asked for."""

    def __init__(self, path: Path, rules: EncoderRules) -> None:
        cores = cores_of_task()
        if cores is not None:  # before the first use, which makes the tokenizer's threads
            os.environ["RAYON_NUM_THREADS"] = str(cores)
        try:
            from udfs.bert_inputs import InputMaker
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                'scorer quality_bert needs pip install "taojin[bert]"', name=error.name
            ) from error
        header = read_encoder_header(path)
        self.path = path
        self.rules = rules
        self.max_tokens = header.settings.max_tokens
        self.inputs = InputMaker(header)
        self.runners: dict[str, BatchRunner] = {}

    def runner(self) -> BatchRunner:
        """The encoder on this task's device, loaded if it is the first use there."""
        device = device_of_task(self.rules.device)
        if device not in self.runners:
            self.runners[device] = self._loaded(device)
        return self.runners[device]

    def _loaded(self, device: str) -> BatchRunner:
        import torch

        from udfs.bert_batches import BatchRunner
        from udfs.bert_model import load_encoder

        if cores := cores_of_task():
            torch.set_num_threads(cores)  # else every task would take all cores of the machine
        encoder = load_encoder(self.path, device, self.rules.dtype)
        is_published = self.rules.segments == "casia-exact"
        encoder.pools_padding = is_published
        pad_to = self.max_tokens if is_published else None
        runner = BatchRunner(encoder, self.rules.batch_tokens, pad_to)
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
    if scorer.rules.segments == "casia-exact":
        spans = [published_segments(text) for text in texts]
        parts = [(text, span) for text, own in zip(texts, spans, strict=True) for span in own]
        inputs = list(scorer.inputs.of_parts(parts))
    else:
        cut = list(scorer.inputs.of_texts(texts))
        spans = [own for own, _ in cut]
        inputs = [segment for _, own in cut for segment in own]
    scores = iter(scorer.runner().scores(inputs).astype(np.float64).tolist())
    return [_record(own, [next(scores) for _ in own]) for own in spans]


def quality_bert_scorer(artifact: ArtifactFile, rules: EncoderRules | None = None) -> Scorer:
    """The scorer over one encoder; its result is `QUALITY_BERT_TYPE`."""
    load = partial(DocumentScorer, rules=rules or EncoderRules())
    return Scorer("quality_bert", artifact, QUALITY_BERT_TYPE, score_documents, None, load)


def device_of_task(wanted: Device) -> str:
    """The device that a task computes on, as PyTorch names it."""
    gpu = None if wanted == "cpu" else gpu_of_task()
    if gpu is None:
        return "cuda:0" if wanted == "cuda" else "cpu"
    return f"cuda:{gpu}"


def _record(spans: Sequence[Span], scores: Sequence[float]) -> Record:
    if not spans:
        return dict.fromkeys(QUALITY_BERT_TYPE.fieldNames())
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
