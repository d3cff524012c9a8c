"""Windows of tokens that run over texts.

Toxicity: the probability that a text insults, or peddles gambling, pornography or fraud.

A text is looked at whole and through windows of tokens, so that one insult under a clean article
is seen, and where it stands is said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt

from udfs.base.jit import compiled
from udfs.files.artifacts import ArtifactFile
from udfs.models.char_lm_file import load_language_model
from udfs.models.fasttext_model import FastTextModel
from udfs.scorers.perplexity import MAX_CHARS, document_perplexities
from udfs.scorers.result_types import TOXICITY_TYPE
from udfs.scorers.scoring import Documents, Record, Scorer, model_of, with_odds
from udfs.tokens.token_hashes import Numbers
from udfs.tokens.tokenizer import TokenizerSettings
from udfs.tokens.tokens import Tokens


def texts_and_windows(bounds: Numbers, size: int | None) -> tuple[Numbers, Numbers]:
    """Each text whole, and behind it the windows that it is seen through.

    A window begins every half of its size; the last one ends with the text. A text that is no
    longer than one has none, as has every text where there is no size.

    Args:
        bounds: Where the tokens of each text begin, and where the last one's end.
        size: Tokens of a window, 1 at least.
    Returns:
        First token and the one behind the last of each span, shape (spans, 2); and where the spans
        of each text begin, and the last one's end, shape (texts + 1,).
    """
    if size is None:
        return np.stack([bounds[:-1], bounds[1:]], axis=1), np.arange(len(bounds))
    return _spans(bounds, size, max(1, size // 2))


@compiled
def _spans(bounds: Numbers, size: int, stride: int) -> tuple[Numbers, Numbers]:
    most = 2 * len(bounds) + (bounds[-1] - bounds[0]) // stride
    spans = np.empty((most, 2), dtype=np.int64)
    starts = np.zeros(len(bounds), dtype=np.int64)
    count = 0
    for text in range(len(bounds) - 1):
        first, last = bounds[text], bounds[text + 1]
        spans[count] = first, last
        count += 1
        if last - first > size:
            at = first
            while at + size < last:
                spans[count] = at, at + size
                count += 1
                at += stride
            spans[count] = last - size, last
            count += 1
        starts[text + 1] = count
    return spans[:count].copy(), starts


TOXIC = "toxic"
BENIGN = "benign"

MIN_LABEL_SCORE = 0.99
WINDOW_TOKENS = 64
TOP_K = 3
HARMFUL_WEIGHT = 30.0
"""What the log odds of a text rise by, for each natural logarithm that it is likelier in harmful
text."""
MOST_LIKELIER = 0.1
"""Of those logarithms the most that counts: more says no more, and would outweigh all else."""
MOST_BY_PERPLEXITY = 0.98
"""The highest score that this makes: label 1 stays with what the model of words is sure of."""

READING = TokenizerSettings(
    min_token_chars=1, stop_words=None, max_chars=1_000_000, exempt_formulas=True, distinct=True
)
"""How the bundled model wants its texts."""

Scores = npt.NDArray[np.float64]

Aggregate = Literal["max", "mean", "top_k"]


@dataclass(frozen=True)
class ToxicityRules:
    """From a model's probabilities to a score and a label."""

    min_label_score: float = MIN_LABEL_SCORE
    """Least score of label 1."""
    label: str = TOXIC
    """The model's label whose probability is the score."""
    window_tokens: int | None = WINDOW_TOKENS
    """Tokens of a window, which begins every half of that; None for the whole text alone."""
    aggregate: Aggregate = "max"
    """What the score is: that of the whole text, of the worst window, or the mean of the ``top_k``
    worst windows."""
    top_k: int = TOP_K
    """Windows of that mean; fewer where a text has fewer."""
    window_discount: float = 0.0
    """What the log odds of ``max`` are lowered by, for each natural logarithm of the number of
    windows: the worst of many is bad by chance. From a score of 0.5 on less and less, from
    `MIN_LABEL_SCORE` on not at all: one insult under a long article stays one."""


@dataclass(frozen=True)
class HarmfulText:
    """n-gram models that know offers of gambling and pornography (udfs/scorers/perplexity.py)."""

    harmful: ArtifactFile
    plain: ArtifactFile
    weight: float = HARMFUL_WEIGHT
    max_chars: int | None = MAX_CHARS


def score_toxicity(
    tokens: Tokens, model: FastTextModel, rules: ToxicityRules | None = None
) -> list[Record]:
    """How toxic every text is, and its worst span.

    ``mean_score`` is P(label) of the whole text, which follows from the mean of its features;
    ``worst_score`` the highest P(label) of a window by itself, ``worst_start`` and
    ``worst_length`` where that window stands in the text, the first of several that are level.
    ``score`` follows the aggregate, and ``label`` is 1 where it reaches ``min_label_score``. A text
    without tokens scores 0.0 and has no worst span.

    Source:
        ChineseWebText 2.0, section on toxicity (label 1 from 0.99 on; whole texts).
    """
    chosen = rules or ToxicityRules()
    spans, bounds = texts_and_windows(tokens.bounds, chosen.window_tokens)
    scores = model.span_probabilities(tokens, spans)[:, model.column(chosen.label)]
    wholes = scores[bounds[:-1]]
    # A text without windows is one itself.
    is_window = np.ones(len(spans), dtype=np.bool_)
    is_window[bounds[:-1][np.diff(bounds) > 1]] = False
    windows = np.flatnonzero(is_window)
    firsts = np.searchsorted(windows, bounds[:-1])
    worst = windows[_worst_of_each(scores[windows], firsts)]
    by_aggregate = {
        "mean": lambda: wholes,
        "max": lambda: _discounted(
            scores[worst], np.diff(firsts, append=len(windows)), chosen.window_discount
        ),
        "top_k": lambda: _mean_of_worst(scores[windows], firsts, chosen.top_k),
    }
    has_tokens = np.diff(tokens.bounds) > 0
    there = worst[has_tokens]
    starts = tokens.starts[spans[there, 0]]
    values = zip(
        by_aggregate[chosen.aggregate]()[has_tokens].tolist(),
        starts.tolist(),
        (tokens.stops[spans[there, 1] - 1] - starts).tolist(),
        scores[there].tolist(),
        wholes[has_tokens].tolist(),
        strict=True,
    )
    least = chosen.min_label_score
    return [
        _record(*next(values), least) if is_there else _record_of_nothing(least)
        for is_there in has_tokens
    ]


def with_perplexity(
    records: Sequence[Record],
    documents: Documents,
    text: HarmfulText,
    rules: ToxicityRules | None = None,
) -> list[Record]:
    """The records of documents, those with a higher score that are likelier in harmful text.

    A page that is made of offers says the same few things all over; what a window of it holds is
    known from harmless pages, too, and tells less.

    Args:
        records: As `score_toxicity` gives them.
        documents: What they are of.
    """
    harmful = model_of(text.harmful, load_language_model)
    found = document_perplexities(documents, harmful, text.plain, text.max_chars)
    return raised(records, found.tolist(), text.weight, rules)


def raised(
    records: Sequence[Record],
    perplexities: Sequence[float],
    weight: float = HARMFUL_WEIGHT,
    rules: ToxicityRules | None = None,
) -> list[Record]:
    """The records with ``score`` and ``label`` by perplexity, too: the odds of one under 1 rise, up
    to a score of `MOST_BY_PERPLEXITY`.

    What is said of the worst span and of the mean is left as it is.
    """
    least = (rules or ToxicityRules()).min_label_score
    raised_records = []
    for record, perplexity in zip(records, perplexities, strict=True):
        if perplexity < 1.0:
            higher = with_odds(record["score"], weight * likelier(perplexity))
            score = max(record["score"], min(higher, MOST_BY_PERPLEXITY))
            record = record | {"score": score, "label": int(score >= least)}
        raised_records.append(record)
    return raised_records


def likelier(perplexity: float) -> float:
    """The natural logarithm of how much likelier a text is in harmful text, `MOST_LIKELIER` at
    most; 0 where it is not.

    >>> round(likelier(0.95), 3), likelier(0.5), likelier(1.2)
    (0.051, 0.1, 0.0)
    """
    return min(max(0.0, -math.log(perplexity)), MOST_LIKELIER)


def toxicity_scorer(
    artifact: ArtifactFile,
    rules: ToxicityRules | None = None,
    reading: TokenizerSettings | None = None,
    text: HarmfulText | None = None,
) -> Scorer:
    """The toxicity scorer over one model, and those of harmful text, if any; its result is
    `TOXICITY_TYPE`."""
    score = partial(score_toxicity, rules=rules)
    revise = None if text is None else partial(with_perplexity, text=text, rules=rules)
    return Scorer(
        "toxicity", artifact, TOXICITY_TYPE, score, reading or TokenizerSettings(), revise=revise
    )


def _discounted(scores: Scores, counts: Numbers, discount: float) -> Scores:
    """The scores of texts' worst windows, by how many windows they are the worst of."""
    if not discount:
        return scores
    with np.errstate(divide="ignore"):
        logits = np.log(scores) - np.log1p(-scores)
    lowered = discount * np.log(counts) * discounted_share(logits)
    pairs = zip(scores.tolist(), lowered.tolist(), strict=True)
    return np.array([with_odds(score, -less) for score, less in pairs])


def discounted_share(logits: Scores) -> Scores:
    """How much of the discount log odds are subject to: all under 0, none from `MIN_LABEL_SCORE`
    on."""
    certain = math.log(MIN_LABEL_SCORE / (1 - MIN_LABEL_SCORE))
    share: Scores = np.clip(1 - logits / certain, 0.0, 1.0)
    return share


def _worst_of_each(scores: Scores, firsts: Numbers) -> Numbers:
    """The place of each text's highest score, the first of level ones."""
    highest = np.maximum.reduceat(scores, firsts) if len(firsts) else scores
    counts = np.diff(firsts, append=len(scores))
    found = np.flatnonzero(scores == np.repeat(highest, counts))
    first: Numbers = found[np.searchsorted(found, firsts)]
    return first


def _mean_of_worst(scores: Scores, firsts: Numbers, count: int) -> Scores:
    """The mean of so many of each text's highest scores, of all where there are fewer."""
    counts = np.diff(firsts, append=len(scores))
    owners = np.repeat(np.arange(len(firsts)), counts)
    order = np.lexsort((-scores, owners))
    places = np.arange(len(scores)) - np.repeat(firsts, counts)
    chosen = places < count
    sums = np.bincount(owners[chosen], scores[order][chosen], len(firsts))
    means: Scores = sums / np.minimum(counts, count)
    return means


def _record(
    score: float, start: int, length: int, worst: float, whole: float, least: float
) -> Record:
    return {
        "label": int(score >= least),
        "score": score,
        "worst_start": start,
        "worst_length": length,
        "worst_score": worst,
        "mean_score": whole,
    }


def _record_of_nothing(least: float) -> Record:
    return {
        "label": int(least <= 0.0),
        "score": 0.0,
        "worst_start": None,
        "worst_length": None,
        "worst_score": None,
        "mean_score": 0.0,
    }
