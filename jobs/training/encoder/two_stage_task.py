"""The task quality-bert-stages: an encoder of quality, trained in two stages.

Documents, units, folds and figures are those of `jobs.training.quality.task`, the fastText
student's, so that both can be compared.
"""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from jobs.training.common.examples import Document
from jobs.training.common.task import Answers, Found
from jobs.training.encoder.own_texts import NEGATIVE, POSITIVE, UNLABELLED
from jobs.training.encoder.recipe import EncoderRecipe, missing_package
from jobs.training.quality.fit import pages_made_of
from jobs.training.quality.made_pages import MadePage
from jobs.training.quality.task import QUALITY
from udfs.encoder.quality_bert import (
    Device,
    DocumentScorer,
    QualityBertSettings,
    record_of_segments,
    score_documents,
)
from udfs.scorers import quality

if TYPE_CHECKING:
    from jobs.training.encoder.network import FrozenLayers
    from jobs.training.encoder.two_stage_fit import TrainingText
    from udfs.base.array_types import Float64Array
    from udfs.encoder.model import Encoder

_JUDGED = ("read", "picked", POSITIVE, NEGATIVE)
"""Kinds of documents that early stopping is decided on."""
LEARNT = (*_JUDGED, "html")
"""Kinds of documents that stage 1 learns."""


class EncoderModel:
    """A trained encoder with labels, as figures need it."""

    labels: tuple[str, ...] = (quality.CLEAN, quality.DIRTY)

    def __init__(self, path: Path, on_cpu: bool = False) -> None:
        """Load a model to the machine's GPU if there is one, unless it must be on the CPU."""
        import torch

        device: Device = "cpu" if on_cpu or not torch.cuda.is_available() else "cuda"
        self.scorer = DocumentScorer(path, QualityBertSettings(device=device))
        self.scorer.runner()  # loaded while the file is there

    def column(self, label: str) -> int:
        """Return the column of a label in the answers."""
        return self.labels.index(label)

    def scores_behind(self, frozen: FrozenLayers, texts: Sequence[str]) -> Float64Array:
        """Score texts, (texts,), by what the head sees of their segments behind frozen layers.

        The head must have a hidden layer. A text without segments scores 0.
        """
        import torch

        runner = self.scorer.runner()
        encoder = cast("Encoder", runner.encoder)
        cut = list(self.scorer.inputs.of_texts(texts))
        segments = [segment for _, own in cut for segment in own]
        if not segments:
            return np.zeros(len(texts))
        features = torch.stack(frozen.features(segments, encoder.settings.head))
        chances = iter(encoder.scores_of_features(features).tolist())
        records = [record_of_segments(spans, [next(chances) for _ in spans]) for spans, _ in cut]
        return np.array([record["score"] or 0.0 for record in records])


def encoder_answers(model: EncoderModel, found: Found, documents: Sequence[Document]) -> Answers:
    """Return score and 1 - score of every document, as the scorer gives it, (documents, 2).

    The row of an unlabelled document is NaN.
    """
    asked = [number for number, d in enumerate(documents) if d.kind != UNLABELLED]
    records = score_documents([documents[number].text for number in asked], model.scorer)
    scores = np.array([record["score"] or 0.0 for record in records])
    table = np.full((len(documents), 2), np.nan)
    table[asked] = np.stack([scores, 1 - scores], axis=1)
    return table


def fit_quality_encoder(
    documents: Sequence[Document],
    path: Path,
    recipe: EncoderRecipe,
    checkpoints: Path | None = None,
    devices: tuple[str, ...] = (),
) -> Found:
    """Train an encoder on documents and write it, as `fit_encoder` does.

    Stage 1 learns documents of the kinds in `LEARNT`, and pages made of them and of "curated" ones.
    Stage 2 labels segments of unlabelled documents, or without any those of learnt documents that
    stage 1 does not use; "curated" and positive documents are its exemplars. Other kinds are
    ignored.

    Raises:
        TrainingError: PyTorch or a package that comes with it is not installed.
    """
    try:
        from jobs.training.encoder.start import start_of
        from jobs.training.encoder.two_stage_fit import fit_encoder
        from udfs.encoder.inputs import InputMaker
    except ModuleNotFoundError as error:
        raise missing_package(error) from error
    start = start_of(recipe.start, recipe.layers, recipe.max_tokens, recipe.head, recipe.width)
    maker = InputMaker(start.header)

    def segments_of(texts: Sequence[str]) -> list[list[Any]]:
        return [own for _, own in maker.of_texts(texts)]

    pages = [d for d in documents if d.kind in LEARNT]
    curated = [d for d in documents if d.kind == "curated"]
    made = _made_pages(pages, curated, recipe)
    rng = random.Random(recipe.seed)
    of_pages = segments_of([page.text for page in pages])
    label_weights = _label_weights(pages) if recipe.label_balance else {}
    described = [
        (
            d.labels[0] == quality.CLEAN,
            d.copies**0.5 * label_weights.get(d.labels[0], 1.0),
            d.unit,
            d.kind in _JUDGED,
        )
        for d in pages
    ]
    of_made = [(page.is_clean, recipe.made_weight, page.unit, False) for page in made]
    examples = [
        *_examples(of_pages, described, recipe),
        *_examples(segments_of([page.text for page in made]), of_made, recipe),
    ]
    unlabelled: list[Any] = []
    exemplary: list[Document] = []
    if recipe.rounds:
        of_run = segments_of([d.text for d in documents if d.kind == UNLABELLED])
        unlabelled = [s for own in of_run for s in own] or _unused_segments(of_pages, recipe)
        exemplary = curated or [d for d in documents if d.kind == POSITIVE]
    exemplars = [rng.choice(own) for own in segments_of([d.text for d in exemplary]) if own]
    return {
        "made_pages": len(made),
        **fit_encoder(
            examples,
            rng.sample(unlabelled, min(recipe.unlabelled_segments, len(unlabelled))),
            rng.sample(exemplars, min(recipe.chosen_segments, len(exemplars))),
            path,
            recipe,
            checkpoints,
            devices,
        ),
    }


def _label_weights(documents: Sequence[Document]) -> dict[str, float]:
    """Weight of a document of each label with which all labels weigh the same together."""
    counts = Counter(d.labels[0] for d in documents)
    return {label: len(documents) / (len(counts) * count) for label, count in counts.items()}


def _unused_segments(segments: Sequence[Sequence[Any]], recipe: EncoderRecipe) -> list[Any]:
    """The segments of texts that stage 1 does not use."""
    found = []
    for own in segments:
        chosen = _learnt_places(len(own), recipe)
        found += [segment for place, segment in enumerate(own) if place not in chosen]
    return found


def _examples(
    segments: Sequence[Sequence[Any]],
    described: Sequence[tuple[bool, float, str, bool]],
    recipe: EncoderRecipe,
) -> Iterator[TrainingText]:
    """Examples of texts with segments.

    Args:
        segments: Of each text.
        described: Of each text whether it is clean, its weight, its unit and whether early stopping
            is decided on it.
    """
    from jobs.training.encoder.two_stage_fit import TrainingText

    for own, (is_clean, weight, unit, is_judged) in zip(segments, described, strict=True):
        if chosen := _learnt_places(len(own), recipe):
            kept = tuple(own[place] for place in chosen)
            yield TrainingText(kept, float(is_clean), weight, unit, is_judged)


def _learnt_places(count: int, recipe: EncoderRecipe) -> list[int]:
    """The numbers of the segments of a text that are learnt."""
    most = recipe.most_segments
    return list(range(count)) if most is None else spread(count, most)


def spread(count: int, most: int) -> list[int]:
    """Choose at most `most` of the numbers below `count`, evenly spread, both ends included.

    >>> spread(9, 3), spread(2, 3)
    ([0, 4, 8], [0, 1])
    """
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, most))})


def _made_pages(
    pages: Sequence[Document], curated: Sequence[Document], recipe: EncoderRecipe
) -> list[MadePage]:
    """A sample of the pages that the fastText student is given, made of the same ones."""
    made = pages_made_of(pages, curated, recipe.seed) if recipe.made_pages else []
    return random.Random(recipe.seed).sample(made, min(recipe.made_pages, len(made)))


QUALITY_BERT_STAGES = dataclasses.replace(
    QUALITY,
    name="quality_bert_stages",
    curve=(),  # a fit takes minutes
    recipe=EncoderRecipe(),
    fit=fit_quality_encoder,
    load=EncoderModel,
    answers=encoder_answers,
    written=("quality_bert_stages.safetensors",),
    purpose="Whether a reader would keep a text, from 0 to 1: the mean of its segments' scores.",
    split=(
        "The folds, documents and figures of the fastText student (`quality`): ten folds of whole "
        "groups. A group is all pages of one site or one template, or one source. Every figure is "
        "of documents whose group the scoring model was not trained on, scored as in a run, by a "
        "file with its matrices in eight bits. Early stopping uses units of each training part. "
        "Pages with the same words count once unless stated otherwise. Clean means good or mixed. "
        "The interval comes from 2,000 draws of whole groups."
    ),
    weaknesses=(
        "All segments of a page are trained with the page's label, a menu on a good page included: "
        "scores of single segments are less reliable than the document's. Line breaks are read as "
        "blanks. The encoder was pretrained on text in many languages and on pairs of queries and "
        "passages; its matrices were stored in four bits."
    ),
)
