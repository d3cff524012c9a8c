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
import numpy.typing as npt

from udfs.base.worker import cores_of_task, gpu_of_task
from udfs.encoder.encoder_file import Dtype, read_encoder_header
from udfs.encoder.page_head import PageHead, read_page_head
from udfs.encoder.segments import Span, published_segments
from udfs.files.artifacts import ArtifactFile
from udfs.scorers.result_types import QUALITY_BERT_TYPE
from udfs.scorers.scoring import Record, Scorer

if TYPE_CHECKING:
    from udfs.encoder.batches import BatchRunner

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
            from udfs.encoder.inputs import InputMaker
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                'scorer quality_bert needs pip install "taojin[bert]"', name=error.name
            ) from error
        header = read_encoder_header(path)
        self.path = path
        self.rules = rules
        self.max_tokens = header.settings.max_tokens
        self.inputs = InputMaker(header)
        self.page = read_page_head(path) if header.settings.head == "page" else None
        """What sees a page whole, where the encoder's file has it."""
        self.runners: dict[str, BatchRunner] = {}

    def runner(self) -> BatchRunner:
        """The encoder on this task's device, loaded if it is the first use there."""
        device = device_of_task(self.rules.device)
        if device not in self.runners:
            self.runners[device] = self._loaded(device)
        return self.runners[device]

    def _loaded(self, device: str) -> BatchRunner:
        import torch

        from udfs.encoder.batches import BatchRunner
        from udfs.encoder.model import load_encoder

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
    found = scorer.runner().scores(inputs).astype(np.float64)
    if scorer.page is not None:
        tokens = np.array([len(segment) for segment in inputs])
        return page_records(texts, spans, tokens, found, scorer.page)
    scores = iter(found.tolist())
    return [_record(own, [next(scores) for _ in own]) for own in spans]


def page_records(
    texts: Sequence[str],
    spans: Sequence[Sequence[Span]],
    tokens: npt.NDArray[np.int64],
    means: npt.NDArray[np.floating[Any]],
    page: PageHead,
) -> list[Record]:
    """Records of texts whose head sees them whole: the score is that of all of a text, and not the
    mean of its segments.

    Args:
        spans: The segments of each text.
        tokens: Of every segment of all texts, shape (segments,).
        means: Of the hidden states of each segment's tokens, shape (segments, size).
    """
    has_any = [bool(own) for own in spans]
    read = [text for text, is_one in zip(texts, has_any, strict=True) if is_one]
    if not read:
        return [_record([], []) for _ in texts]
    owners = np.repeat(np.arange(len(read)), [len(own) for own in spans if own])
    weights = tokens / np.bincount(owners, tokens)[owners]
    sums = np.zeros((len(read), means.shape[1]))
    np.add.at(sums, owners, means * weights[:, None])
    whole = page.whole(read)
    scores = iter(_chances(page.logits(whole, sums)).tolist())
    of_segments = iter(_chances(page.logits(whole[owners], means)).tolist())
    return [
        _record(own, [next(of_segments) for _ in own], next(scores) if own else None)
        for own in spans
    ]


def _chances(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    chances: npt.NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(logits, -60.0, 60.0)))
    return chances


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


def _record(spans: Sequence[Span], scores: Sequence[float], whole: float | None = None) -> Record:
    """A text's record; its score is what is said of the whole, or the mean of the segments."""
    if not spans:
        return dict.fromkeys(QUALITY_BERT_TYPE.fieldNames())
    lengths = [stop - start for start, stop in spans]
    segments: list[dict[str, Any]] = [
        {"offset": start, "length": length, "score": score}
        for (start, _), length, score in zip(spans, lengths, scores, strict=True)
    ]
    return {
        "score": float(np.average(scores, weights=lengths)) if whole is None else whole,
        "segments": segments,
        "mean": float(np.mean(scores)),
        "min": min(scores),
        "max": max(scores),
    }
