"""Toxicity: insults of people and groups, and offers of gambling, pornography and fraud."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jobs.training.common.data_files import (
    DOMAIN_FILE,
    DOMAIN_TRAIN,
    FREE_LINES,
    GOLD_FILE,
    GOLD_PAGES,
    HTML_FILE,
    HTML_PAGES,
    LINES_FILE,
    PAGE_FILES,
    PAGES_LABELLED,
    PAGES_READ,
    TOXIC_LINES,
)
from jobs.training.common.examples import Document
from jobs.training.common.metrics import THRESHOLDS, at_threshold, binary_figures
from jobs.training.common.pages import page_groups, whole_page_documents
from jobs.training.common.task import FIGURES_ONLY, Answers, Figures, Found, Rows, Task
from jobs.training.toxicity.fit import (
    CURATED,
    LINES,
    PAGES,
    PLAIN_PAGES,
    ToxicityRecipe,
    fit_toxicity,
)
from jobs.training.toxicity.perplexity_fit import CLEAN, HARMFUL_FILE, Models, load_models
from jobs.training.toxicity.perplexity_task import harm_of
from udfs.models.fasttext_model import FastTextModel, load_fasttext
from udfs.scorers import toxicity
from udfs.tokens.tokenizer import token_lines
from udfs.tokens.tokens import tokens_of_lines

CURATED_EVERY = 8
"""One in so many curated texts is used: more of them than lines would rule the dealing of folds."""

NGRAM_EVERY = 2
"""One in so many of those is counted for the n-grams of plain text, as for the bundled ones."""

BUNDLED_NGRAMS = Path(__file__).parents[3] / "conf" / "artifacts" / "perplexity"

_PARTS = 40
"""Parts that the lines of a source are dealt to by their letters; a part is held out whole."""

_FREE = "lines of cold and swsr, held-out parts"
_NAMES = {
    PAGES: "crawl pages of sites and templates never seen",
    "gold": "main text of real pages, all benign, never trained on",
    CURATED: "curated text of sources never seen, all benign",
    LINES: _FREE,
}


def toxicity_documents(rows: Rows) -> list[Document]:
    """Social-media lines, crawl pages as read, and curated text as benign; whole pages of news
    sites and forums for n-grams of plain text. Notes are as `fit_toxicity` wants them, and of lines
    their source.
    """
    pages = rows[PAGES_READ] + rows[PAGES_LABELLED]
    groups = page_groups([r["text"] for r in pages], [r["site"] for r in pages])
    found = [
        *(
            (
                r,
                r["label"] == 1,
                f"{r['source']} {zlib.crc32(r['text'].encode()) % _PARTS}",
                LINES if r["source"] in FREE_LINES else "other lines",
                r["source"],
            )
            for r in rows[TOXIC_LINES]
        ),
        *(
            (r, r["toxic"] == 1, group, PAGES, harm_of(r))
            for r, group in zip(pages, groups, strict=True)
        ),
        *(
            (r, False, r["source"], CURATED, "" if number % NGRAM_EVERY else CLEAN)
            for number, r in enumerate(rows[DOMAIN_TRAIN][::CURATED_EVERY])
        ),
        *((r, False, r["site"], "gold", "") for r in rows[GOLD_PAGES]),
    ]
    lines = token_lines([row["text"] for row, *_ in found], [toxicity.bundled_tokenizer()])[0]
    # One unit with a label of its own: how all others are dealt to folds stays as it is.
    plain = [
        Document(
            " ".join(d.text.split()), (PLAIN_PAGES,), PLAIN_PAGES, d.kind, text=d.text, note=CLEAN
        )
        for d in whole_page_documents(rows[HTML_PAGES])
    ]
    return [
        Document(line, (_toxic(is_toxic),), unit, kind, text=row["text"], note=note)
        for line, (row, is_toxic, unit, kind, note) in zip(lines, found, strict=True)
    ] + plain


@dataclass
class ToxicityModels:
    """The model of words, and the n-gram models that it is used with."""

    words: FastTextModel
    ngrams: Models
    labels: tuple[str, ...]

    def column(self, label: str) -> int:
        """The column of a label."""
        return self.words.column(label)


def load_toxicity(path: Path) -> ToxicityModels:
    """A model's file, with the n-grams beside it, or those of the folder of perplexity beside its
    own, or the bundled ones."""
    folders = (path.parent, path.parent.parent / "perplexity", BUNDLED_NGRAMS)
    ngrams = next(folder for folder in folders if (folder / HARMFUL_FILE).is_file())
    words = load_fasttext(path)
    return ToxicityModels(words, load_models(ngrams / HARMFUL_FILE), words.labels)


def toxicity_answers(model: ToxicityModels, found: Found, documents: Sequence[Document]) -> Answers:
    """Both labels' shares of the score that a run with default settings gives each document."""
    tokens = tokens_of_lines([document.line for document in documents])
    rules = toxicity.ToxicityRules(window_discount=found["window_discount"])
    records = toxicity.score_toxicity(tokens, model.words, rules)
    records = toxicity.raised(records, model.ngrams.perplexities(documents).tolist())
    scores = np.array([record["score"] for record in records])
    answers = np.empty((len(scores), 2))
    answers[:, model.column(toxicity.TOXIC)] = scores
    answers[:, model.column(toxicity.BENIGN)] = 1 - scores
    return answers


def toxicity_figures(
    documents: Sequence[Document], model: ToxicityModels, table: Answers
) -> Figures:
    """Figures by source of lines, and of pages; benign text only gives false alarms."""
    scores = table[:, model.column(toxicity.TOXIC)]
    names = dict(_NAMES)
    for document in documents:
        if document.kind == LINES:
            names[document.note] = f"lines of {document.note}, held-out parts"
        elif document.kind == "other lines":
            names[document.note] = f"lines of {document.note}, never trained on"
    figures = {}
    for key, name in names.items():
        chosen = np.array([key in (d.kind, d.note) for d in documents])
        if chosen.any():
            truth = np.array([d.labels[0] == toxicity.TOXIC for d in documents])[chosen]
            figures[name] = {
                **_decisions(truth, scores[chosen]),
                **binary_figures(truth.tolist(), scores[chosen].tolist(), THRESHOLDS),
            }
    return figures


def _decisions(truth: Any, scores: Any) -> dict[str, Any]:
    """What comes of a score of 0.5, and of label 1."""
    half, label = (at_threshold(truth, scores, t) for t in (0.5, toxicity.MIN_LABEL_SCORE))
    return {
        "f1_from_0.5": half["f1"],
        "recall_of_label_1": label["recall"],
        "false_alarms_of_label_1": label["false_alarm_share"],
    }


def _toxic(is_toxic: bool) -> str:
    return toxicity.TOXIC if is_toxic else toxicity.BENIGN


TOXICITY = Task(
    name="toxicity",
    files=(
        LINES_FILE,
        *(dataclasses.replace(file, needs=(*file.needs, "kind")) for file in PAGE_FILES),
        HTML_FILE,
        DOMAIN_FILE,
        dataclasses.replace(GOLD_FILE, use=FIGURES_ONLY),
    ),
    documents=toxicity_documents,
    only_measured=frozenset({"gold", "other lines"}),
    recipe=ToxicityRecipe(),
    fit=fit_toxicity,
    load=load_toxicity,
    answers=toxicity_answers,
    figures=toxicity_figures,
    curve=((_FREE, "f1_from_0.5"), (_NAMES[PAGES], "f1_from_0.5"), (_NAMES[PAGES], "auc")),
    headlines=(
        (_FREE, "f1_from_0.5"),
        ("lines of toxicn, never trained on", "f1_from_0.5"),
        (_NAMES[PAGES], "f1_from_0.5"),
        (_NAMES[PAGES], "auc"),
        (_NAMES[PAGES], "false_alarms_of_label_1"),
        (_NAMES[CURATED], "false_alarms_of_label_1"),
        (_NAMES["gold"], "false_alarms_of_label_1"),
    ),
    purpose=(
        "How toxic a text is, insulting a group or a person, or offering gambling, pornography or "
        "fraud: the score of its worst window of 64 different words, raised where the whole text "
        "is likelier in harmful text than in plain text, as perplexity's n-grams say. 0.5 is "
        "where precision and recall meet, of lines and of crawl pages; 0.99 what hardly any clean "
        "crawl page passes. A linear model of words, written as a fastText file; the weight of "
        "perplexity is the setting toxicity.harmful_weight."
    ),
    split=(
        "Five folds of whole units: a page's unit is all pages of its site and template (a fifth "
        "of their windows of ten characters shared), a curated text's its source, a line's one "
        "of 40 parts of its source, dealt by its letters. Every figure is of documents whose "
        "unit the scoring model was not trained on, nor its n-grams counted of; where scores "
        "begin and how steep they are comes from three inner folds of each training part. "
        "Strength, weights, window, what perplexity counts and the most that it may were chosen "
        "on other folds of the same documents, which flatters a little. Sets whose licence "
        "forbids commercial use or derivatives are only measured."
    ),
    weaknesses=(
        "Insults are learnt from two line collections about race, region and gender: other "
        "insults, irony and code words are missed, and lines that merely name such a group raise "
        "the score. Of toxic pages there are 252, and templates never seen are what is missed; "
        "of those that offer neither gambling nor pornography perplexity knows nothing. Of a "
        "source of lines never seen half is found. Trained on ToxiCN too, its own best F1 would "
        "be 0.75 for 0.72, and that of all three sources 0.80 for 0.76. Short disguised "
        "advertising, as in ChineseHarm, is not found. Not a probability: scores are stretched "
        "so that both thresholds mean what they say, and differ in that between lines and pages. "
        "How many false alarms label 1 may have was set to 0.005 on the inner folds with these "
        "figures in sight."
    ),
)
