"""The task toxicity: insults of people and groups; offers of gambling, pornography and fraud."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jobs.training.common.calibration import label_claims
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
from jobs.training.common.metrics import (
    THRESHOLDS,
    at_threshold,
    binary_figures,
    recall_at_false_alarms,
)
from jobs.training.common.pages import page_groups, whole_page_documents
from jobs.training.common.task import FIGURES_ONLY, Answers, Figures, Found, Rows, Task
from jobs.training.toxicity.fit import (
    CURATED,
    LINES,
    PAGES,
    PLAIN_PAGES,
    ToxicityRecipe,
    is_toxic,
)
from jobs.training.toxicity.made import MADE, made_documents
from jobs.training.toxicity.perplexity_fit import (
    CLEAN,
    HARMFUL_FILE,
    LanguageModels,
    load_language_models,
)
from jobs.training.toxicity.perplexity_task import harm_of
from jobs.training.toxicity.short_fit import SHORT_FILE, fit_models, gram_line
from udfs.models.fasttext_model import FastTextModel, load_fasttext
from udfs.scorers import toxicity
from udfs.scorers.short_texts import SHORT_CHARS, short_text_scores
from udfs.tokens.tokenizer import token_lines
from udfs.tokens.tokens import tokens_of_lines

CURATED_EVERY = 8
"""One curated text in this many is used: more would dominate the assignment of units to folds."""

PLAIN_EVERY = 2
"""One of those in this many trains the language model of plain text, as for the bundled one."""

BUNDLED_LANGUAGE_MODELS = Path(__file__).parents[3] / "conf" / "artifacts" / "perplexity"

_PARTS = 40
"""Parts that a source's lines are split into by their checksum; a part is held out whole."""

_FREE = "lines of cold and swsr, held-out parts"
_NAMES = {
    PAGES: "crawl pages of sites and templates never seen",
    "gold": "main text of real pages, all benign, never trained on",
    CURATED: "curated text of sources never seen, all benign",
    LINES: _FREE,
    MADE: "made messages of template families never seen",
}


def toxicity_documents(rows: Rows) -> list[Document]:
    """Return social-media lines, crawl pages as read, curated texts as benign, whole pages, and
    made messages.

    The whole pages of news sites and forums train only the language model of plain text. The note
    of a line is its source; other notes are as `fit_toxicity` expects them.
    """
    pages = rows[PAGES_READ] + rows[PAGES_LABELLED]
    groups = page_groups([r["text"] for r in pages], [r["site"] for r in pages])
    found = [
        *(
            (
                r,
                r["label"] == 1,
                part_of_line(r),
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
            (r, False, r["source"], CURATED, "" if number % PLAIN_EVERY else CLEAN)
            for number, r in enumerate(rows[DOMAIN_TRAIN][::CURATED_EVERY])
        ),
        *((r, False, r["site"], "gold", "") for r in rows[GOLD_PAGES]),
    ]
    lines = token_lines([row["text"] for row, *_ in found], [toxicity.bundled_tokenizer()])[0]
    # One unit with a separate label, which leaves the folds of all other units unchanged.
    plain = [
        Document(
            " ".join(d.text.split()), (PLAIN_PAGES,), PLAIN_PAGES, d.kind, text=d.text, note=CLEAN
        )
        for d in whole_page_documents(rows[HTML_PAGES])
    ]
    return [
        Document(line, (_toxic(toxic),), unit, kind, text=row["text"], note=note)
        for line, (row, toxic, unit, kind, note) in zip(lines, found, strict=True)
    ] + [*plain, *made_documents()]


def part_of_line(row: dict[str, Any]) -> str:
    """Return the unit of a line: a part of its source."""
    return f"{row['source']} {zlib.crc32(row['text'].encode()) % _PARTS}"


@dataclass
class ToxicityModels:
    """The model of words, that of short texts, and the language models that they are used with."""

    words: FastTextModel
    short: FastTextModel
    language_models: LanguageModels
    labels: tuple[str, ...]

    def column(self, label: str) -> int:
        """Return the column of a label in the answers."""
        return self.words.column(label)


def load_toxicity(path: Path) -> ToxicityModels:
    """Load a model's file, that of short texts beside it, and the language models.

    The latter are looked for beside the file, then in the folder perplexity beside its folder, then
    among the bundled artifacts.
    """
    folders = (path.parent, path.parent.parent / "perplexity", BUNDLED_LANGUAGE_MODELS)
    models = next(folder for folder in folders if (folder / HARMFUL_FILE).is_file())
    words = load_fasttext(path)
    short = load_fasttext(path.with_name(SHORT_FILE))
    return ToxicityModels(words, short, load_language_models(models / HARMFUL_FILE), words.labels)


def toxicity_answers(model: ToxicityModels, found: Found, documents: Sequence[Document]) -> Answers:
    """Return the score that a run with default settings gives each document, and 1 - score."""
    tokens = tokens_of_lines([document.line for document in documents])
    rules = toxicity.ToxicityRules(window_discount=found["window_discount"])
    records = toxicity.score_toxicity(tokens, model.words, rules)
    lines = {
        at: line
        for at, document in enumerate(documents)
        if len(document.text) <= SHORT_CHARS and (line := gram_line(document.text))
    }
    short = short_text_scores(list(lines.values()), model.short).tolist()
    records = toxicity.with_scores(records, dict(zip(lines, short, strict=True)))
    records = toxicity.raised(records, model.language_models.perplexities(documents).tolist())
    scores = np.array([record["score"] for record in records])
    answers = np.empty((len(scores), 2))
    answers[:, model.column(toxicity.TOXIC)] = scores
    answers[:, model.column(toxicity.BENIGN)] = 1 - scores
    return answers


def toxicity_figures(
    documents: Sequence[Document], model: ToxicityModels, table: Answers
) -> Figures:
    """Measure lines by source, pages, and the false alarms of benign text."""
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
            truth = np.array([is_toxic(d) for d in documents])[chosen]
            figures[name] = {
                **_decisions(truth, scores[chosen]),
                **binary_figures(truth.tolist(), scores[chosen].tolist(), THRESHOLDS),
            }
    return figures


def _decisions(truth: Any, scores: Any) -> dict[str, Any]:
    """Figures of the decisions at a score of 0.5, of label 1, and where one in twenty is a false
    alarm."""
    half, label = (at_threshold(truth, scores, t) for t in (0.5, toxicity.MIN_LABEL_SCORE))
    return {
        "f1_from_0.5": half["f1"],
        "recall_of_label_1": label["recall"],
        "false_alarms_of_label_1": label["false_alarm_share"],
        "recall_at_false_alarms_0.05": recall_at_false_alarms(truth, scores, 0.05),
    }


def _toxic(toxic: bool) -> str:
    return toxicity.TOXIC if toxic else toxicity.BENIGN


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
    apart=frozenset({MADE}),
    recipe=ToxicityRecipe(),
    fit=fit_models,
    written=("toxicity.ftz", SHORT_FILE),
    load=load_toxicity,
    answers=toxicity_answers,
    figures=toxicity_figures,
    claims=label_claims(
        toxicity.TOXIC,
        {
            "crawl pages of sites and templates never seen: the page is toxic": (PAGES,),
            "lines of cold and swsr, held-out parts: the line is toxic": (LINES,),
        },
        expected="crawl pages of sites and templates never seen: the page is toxic",
    ),
    curve=((_FREE, "f1_from_0.5"), (_NAMES[PAGES], "f1_from_0.5"), (_NAMES[PAGES], "auc")),
    headlines=(
        (_FREE, "f1_from_0.5"),
        ("lines of toxicn, never trained on", "f1_from_0.5"),
        ("lines of toxicn, never trained on", "auc"),
        ("lines of chineseharm, never trained on", "auc"),
        ("lines of chineseharm, never trained on", "recall_at_false_alarms_0.05"),
        (_NAMES[MADE], "auc"),
        (_NAMES[MADE], "recall_at_false_alarms_0.05"),
        (_NAMES[PAGES], "f1_from_0.5"),
        (_NAMES[PAGES], "auc"),
        (_NAMES[PAGES], "false_alarms_of_label_1"),
        (_NAMES[CURATED], "false_alarms_of_label_1"),
        (_NAMES["gold"], "false_alarms_of_label_1"),
    ),
    purpose=(
        "How toxic a text is: insults of a group or a person; offers of gambling, pornography or "
        "fraud. The score of its worst window of 64 distinct words, raised where the language "
        "models of perplexity find the whole text likelier in harmful than in plain text. At 0.5 "
        "precision equals recall, for lines and for crawl pages; hardly any clean crawl page "
        "reaches 0.99. A linear model of words, written as a fastText file; the weight of "
        "perplexity is the setting toxicity.harmful_weight. Texts of at most 200 characters are "
        "judged by the second file, short.ftz, a linear model of characters and pairs of "
        "neighbours: the score is the logistic function of the mean of their weights times the "
        "root of their number and one. It also learns from made messages "
        "(jobs/training/toxicity/messages)."
    ),
    split=(
        "Five folds of whole units. The unit of a page is all pages of its site and template "
        "(pages that share a fifth of their ten-character windows), that of a curated text its "
        "source, that of a line one of 40 parts of its source, that of a made message its family "
        "of templates. Every figure is of documents whose "
        "unit neither the scoring model nor its language models were trained on; offset and slope "
        "of the scores are fitted on three inner folds of each training part. Strength, weights, "
        "window, and the weight and limit of perplexity were chosen on other folds of the same "
        "documents, so the figures are slightly optimistic. Sets whose licence forbids commercial "
        "use or derivatives are only measured."
    ),
    weaknesses=(
        "Insults are learnt from two collections of lines about race, region and gender, and from "
        "made comments about these, orientation and faith: other insults, irony and code words "
        "are missed, and merely naming such a group raises the score. There are 252 toxic pages; "
        "what is missed are unknown templates. Perplexity adds nothing for pages that offer "
        "neither gambling nor pornography. Of an unknown source of lines half the toxic ones are "
        "found. Trained on ToxiCN too, the model of words would have a best F1 on it of 0.75 "
        "instead of 0.72, and on all three sources of 0.80 instead of 0.76. Short offers are "
        "known from made messages alone: others are found where their words are, and at 0.5 fewer "
        "of them than where one ordinary line in twenty is a false alarm; what matters there is "
        "the figure recall_at_false_alarms_0.05, and a lower limit. In long texts they are read "
        "by the model of words. A score is not a probability: scores are scaled so that both "
        "thresholds have the meaning above, differently for lines and pages. The share of false "
        "alarms of label 1 on the inner folds, 0.005, and the most that perplexity counts were "
        "chosen while looking at these figures."
    ),
)
