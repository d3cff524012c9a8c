"""Toxicity: the probability that a text insults, or offers gambling, pornography or fraud.

A text is scored whole and through windows of tokens, so that one insult below a clean article
counts, and its place is stored. Short texts, such as messages and comments, have a model of their
own. Another says of which kind the harm is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pyspark.sql.types import DoubleType, IntegerType, StringType, StructField, StructType

from udfs.base.array_types import Float64Array, Int64Array
from udfs.base.settings import Amount, ArtifactKey, Model, PositiveCount, Share, StopWords
from udfs.scorers.declaration import (
    CorpusColumn,
    KnownFiles,
    Rejection,
    ReportCount,
    ScoreCurve,
    ScorerDeclaration,
    ScorerFiles,
)
from udfs.scorers.fasttext_settings import (
    FastTextSettings,
    TokenChars,
    check_label,
    check_tokenizer,
    plain_label,
    tokenizer_settings,
)
from udfs.scorers.perplexity import MAX_CHARS, check_language_models, document_perplexities
from udfs.scorers.scorer import Documents, Record, Scorer, model_of, with_odds
from udfs.scorers.short_texts import SHORT_CHARS, ShortTexts, check_short, of_short_texts
from udfs.scorers.toxic_kinds import check_kinds, likeliest_kinds

if TYPE_CHECKING:
    from udfs.files.artifacts import ArtifactFile
    from udfs.models.fasttext_model import FastTextModel
    from udfs.tokens.tokenizer import TokenizerSettings
    from udfs.tokens.tokens import Tokens

NAME = "toxicity"

TOXIC = "toxic"
BENIGN = "benign"

MIN_LABEL_SCORE = 0.99
WINDOW_TOKENS = 64
TOP_K = 3
HARMFUL_WEIGHT = 30.0
"""How much the log odds of a text rise, for each natural logarithm by which it is likelier in
harmful text."""
MOST_LIKELIER = 0.15
"""The most of those logarithms that counts: more adds no evidence, and would outweigh all else."""
MOST_BY_PERPLEXITY = 0.98
"""The highest score that this can reach: label 1 needs the model of words to be sure."""

Aggregate = Literal["max", "mean", "top_k"]


@dataclass(frozen=True)
class ToxicitySettings(FastTextSettings):
    """fastText toxicity model: score = P(label)."""

    artifact: Model = "toxicity"
    """Artifact name of the model, or a path."""
    label: str = TOXIC
    """The model's label whose probability is the score, without ``__label__``."""
    min_label_score: Share = MIN_LABEL_SCORE
    """Least score of label 1 (MDFG)."""
    min_label_scores: dict[str, Share] = field(default_factory=dict)
    """Kind of harm -> least score of label 1 of a text of this kind, in the place of
    ``min_label_score``: {insult = 0.995, fraud = 0.9}."""
    kinds: Model | None = "kinds"
    """Artifact name of a model of kinds of harm, or a path to a fastText file of characters and
    pairs of neighbours, with some of the labels insult, gambling, pornography, fraud and
    black_market: a text with label 1 gets the likeliest kind of its worst span. Off: no text has a
    kind."""
    short: Model | None = "toxicity_short"
    """Artifact name of a model of short texts, messages and comments, or a path to a fastText file
    of characters and pairs of neighbours with a label toxic: its score takes the place of that of
    ``artifact``. Off, as it should be for a model of your own: ``artifact`` judges them too."""
    short_chars: PositiveCount = SHORT_CHARS
    """The most characters of a text that ``short`` judges."""
    min_token_chars: TokenChars = 1
    """Tokens of fewer characters are dropped."""
    stopwords: StopWords | None = None
    """Tokens that are dropped too, as in the other sections."""
    distinct: bool = True
    """Count each token once in a text, however often it occurs."""
    max_chars: PositiveCount | None = 1_000_000
    """Leading characters of a text that are read; off for all. Windows run to its end."""
    window_tokens: PositiveCount | None = WINDOW_TOKENS
    """Tokens of the windows through which a text is scored, beside the whole; they begin half a
    window apart. Off: the whole text alone, as published."""
    aggregate: Aggregate = "max"
    """How scores become one: ``max`` is that of the worst window, so that one toxic comment below a
    long article counts; ``mean`` that of the whole text, as published; ``top_k`` the mean of the
    worst windows. The worst span and its score are stored in any case. ``min_label_score`` depends
    on it: a worst window scores higher than its text."""
    top_k: PositiveCount = TOP_K
    """Windows in the mean of ``top_k``."""
    window_discount: Amount = 0.6574
    """How much the log odds of ``max`` are lowered, for each natural logarithm of the number of
    windows: the worst of many is bad by chance. From a score of 0.5 on less, from 0.99 on not at
    all."""
    exempt_formulas: bool = True
    """Leave out sentences of which more than half are digits and symbols (MDFG, which says so of
    its method; its script reads them)."""
    folding: bool = False
    """Read disguised writing as what it stands for (udfs/folding): styled and circled characters,
    signs inside words, homophones and initials in their contexts, such as 薇芯 for 微信. The text
    itself stays, and ``worst_start`` is its place there. For a model that was trained so."""
    harmful: Model | None = "perplexity"
    """Artifact name of a language model of harmful text, or a path to an ARPA file, as in
    ``perplexity.artifact``: a text that is likelier in it than in plain text is more toxic. Off:
    the fastText model alone."""
    harmful_plain: Annotated[str, ArtifactKey("model", used_with="harmful")] = "perplexity_plain"
    """The language model of plain text."""
    harmful_weight: Amount = HARMFUL_WEIGHT
    """How much the log odds of the score rise, for each natural logarithm of the perplexity by
    these two below 1, of which at most 0.15 counts; to a score of 0.98 at most."""


@dataclass(frozen=True)
class ToxicityLimits:
    """Keys of [select] that look at toxicity."""

    max_toxicity: Share | None = None
    """Largest toxicity score; off keeps toxic texts, labelled."""
    max_toxicity_by_domain: dict[str, Share | None] = field(default_factory=dict)
    """Domain label -> largest toxicity score of documents with this main label."""


RESULT_TYPE = StructType(
    [
        StructField("label", IntegerType()),  # 1 where score is at least the limit of its kind
        StructField("kind", StringType()),  # of the worst span; null where label is 0
        StructField("score", DoubleType()),
        StructField("worst_start", IntegerType()),  # code points of the text; null without a token
        StructField("worst_length", IntegerType()),  # likewise
        StructField("worst_score", DoubleType()),  # of that span by itself; null likewise
        StructField("mean_score", DoubleType()),  # of the whole text
    ]
)


@dataclass(frozen=True)
class ToxicityRules:
    """From a model's probabilities to a score and a label."""

    min_label_score: float = MIN_LABEL_SCORE
    """Least score of label 1."""
    label: str = TOXIC
    """The model's label whose probability is the score."""
    window_tokens: int | None = WINDOW_TOKENS
    """Tokens of a window; they begin half a window apart. None for the whole text alone."""
    aggregate: Aggregate = "max"
    """The score: that of the worst window, of the whole text, or the mean of the ``top_k`` worst
    windows."""
    top_k: int = TOP_K
    """Windows of that mean; fewer where a text has fewer."""
    window_discount: float = 0.0
    """How much the log odds of ``max`` are lowered, for each natural logarithm of the number of
    windows: the worst of many is bad by chance. From a score of 0.5 on less and less, from
    `MIN_LABEL_SCORE` on not at all: one insult below a long article keeps its score."""
    min_label_scores: Mapping[str, float] = field(default_factory=dict)
    """Kind -> least score of label 1, in the place of that."""

    def label_of(self, score: float, kind: str | None = None) -> int:
        """1 for a score that reaches the limit of a kind, or of no kind, else 0."""
        least = self.min_label_score
        return int(score >= (least if kind is None else self.min_label_scores.get(kind, least)))


@dataclass(frozen=True)
class HarmfulText:
    """Language models of harmful and of plain text (udfs/scorers/perplexity.py)."""

    harmful: ArtifactFile
    plain: ArtifactFile
    weight: float = HARMFUL_WEIGHT
    max_chars: int | None = MAX_CHARS


def score_toxicity(
    tokens: Tokens,
    model: FastTextModel,
    rules: ToxicityRules | None = None,
) -> list[Record]:
    """The toxicity of every text, and its worst span.

    ``mean_score`` is P(label) of the whole text, which follows from the mean of its features;
    ``worst_score`` the highest P(label) of a window by itself; ``worst_start`` and
    ``worst_length`` are that window's place in the text, the first of equal ones. ``score`` follows
    the aggregate, and ``label`` is 1 where it reaches ``min_label_score``. A text without tokens
    scores 0.0 and has no worst span. ``kind`` is null here: see `finished`.

    Source:
        ChineseWebText 2.0, section on toxicity (label 1 from 0.99 on; whole texts).
    """
    from udfs.scorers.spans import texts_and_windows

    chosen = rules or ToxicityRules()
    spans, bounds = texts_and_windows(tokens.bounds, chosen.window_tokens)
    scores = model.span_probabilities(tokens, spans)[:, model.column(chosen.label)]
    wholes = scores[bounds[:-1]]
    # A text without windows counts as one window.
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
    starts = tokens.places_of(spans[there, 0]).starts
    values = zip(
        by_aggregate[chosen.aggregate]()[has_tokens].tolist(),
        starts.tolist(),
        (tokens.places_of(spans[there, 1] - 1).stops - starts).tolist(),
        scores[there].tolist(),
        wholes[has_tokens].tolist(),
        strict=True,
    )
    return [
        _record(chosen, *next(values)) if is_there else _record_of_nothing(chosen)
        for is_there in has_tokens
    ]


def with_perplexity(
    records: Sequence[Record],
    documents: Documents,
    text: HarmfulText,
    rules: ToxicityRules | None = None,
) -> list[Record]:
    """The records with a higher score for documents that are likelier in harmful text.

    A page made of offers repeats the same few words; a single window of it also occurs in harmless
    pages, and is weaker evidence than the whole.

    Args:
        records: Results of `score_toxicity`.
        documents: Their documents.
    """
    from udfs.models.char_lm_file import load_language_model

    harmful = model_of(text.harmful, load_language_model)
    found = document_perplexities(documents, harmful, text.plain, text.max_chars)
    return raised(records, found.tolist(), text.weight, rules)


def raised(
    records: Sequence[Record],
    perplexities: Sequence[float],
    weight: float = HARMFUL_WEIGHT,
    rules: ToxicityRules | None = None,
) -> list[Record]:
    """The records with ``score`` and ``label`` raised by perplexity: the odds rise for one below 1,
    up to a score of `MOST_BY_PERPLEXITY`. Worst span and mean stay as they are.
    """
    chosen = rules or ToxicityRules()
    raised_records = []
    for record, perplexity in zip(records, perplexities, strict=True):
        if perplexity < 1.0:
            higher = with_odds(record["score"], weight * likelier(perplexity))
            score = max(record["score"], min(higher, MOST_BY_PERPLEXITY))
            record = record | {"score": score, "label": chosen.label_of(score)}
        raised_records.append(record)
    return raised_records


def finished(
    records: Sequence[Record],
    documents: Documents,
    text: HarmfulText | None = None,
    rules: ToxicityRules | None = None,
    short: ShortTexts | None = None,
    kinds: ArtifactFile | None = None,
) -> list[Record]:
    """The records as they are stored.

    Short texts get the score of their model, if any; perplexity raises scores, where there are
    language models of harmful text; and texts whose score reaches a limit get the kind of harm that
    their worst span is likeliest of, where there is a model of kinds, and the label by its limit.
    """
    if short is not None:
        records = with_scores(records, of_short_texts(documents, short), rules)
    if text is not None:
        records = with_perplexity(records, documents, text, rules)
    return list(records) if kinds is None else with_kinds(records, documents, kinds, rules)


def with_kinds(
    records: Sequence[Record],
    documents: Documents,
    kinds: ArtifactFile,
    rules: ToxicityRules | None = None,
) -> list[Record]:
    """The records with ``kind``, null where the label is 0, and the label by the kind's limit."""
    chosen = rules or ToxicityRules()
    least = min((chosen.min_label_score, *chosen.min_label_scores.values()))
    asked = [at for at, record in enumerate(records) if record["score"] >= least]
    spans = []
    for at in asked:
        start, length = records[at]["worst_start"], records[at]["worst_length"]
        spans.append(documents[at] if start is None else documents[at][start : start + length])
    found = list(records)
    for at, kind in zip(asked, likeliest_kinds(spans, kinds), strict=True):
        label = chosen.label_of(records[at]["score"], kind)
        found[at] = records[at] | {"label": label, "kind": kind if label else None}
    return found


def with_scores(
    records: Sequence[Record], scores: Mapping[int, float], rules: ToxicityRules | None = None
) -> list[Record]:
    """The records with another score, and its label, for those whose number has one."""
    chosen = rules or ToxicityRules()
    return [
        record | {"score": scores[at], "label": chosen.label_of(scores[at])}
        if at in scores
        else record
        for at, record in enumerate(records)
    ]


def likelier(perplexity: float) -> float:
    """The natural logarithm of how much likelier a text is in harmful text, `MOST_LIKELIER` at
    most; 0 where it is not.

    >>> round(likelier(0.95), 3), likelier(0.5), likelier(1.2)
    (0.051, 0.15, 0.0)
    """
    return min(max(0.0, -math.log(perplexity)), MOST_LIKELIER)


def toxicity_scorer(
    artifact: ArtifactFile,
    rules: ToxicityRules | None = None,
    tokenizer: TokenizerSettings | None = None,
    text: HarmfulText | None = None,
    kinds: ArtifactFile | None = None,
    short: ShortTexts | None = None,
) -> Scorer:
    """The toxicity scorer over one model, and the language models of harmful text, the model of
    kinds and that of short texts, if any."""
    from udfs.models.fasttext_model import load_fasttext
    from udfs.tokens.tokenizer import TokenizerSettings

    score = partial(score_toxicity, rules=rules)
    revise = partial(finished, text=text, rules=rules, short=short, kinds=kinds)
    read = tokenizer or TokenizerSettings()
    return Scorer(NAME, artifact, RESULT_TYPE, score, read, load_fasttext, revise)


def bundled_tokenizer() -> TokenizerSettings:
    """How the texts of the bundled model are tokenized."""
    settings = ToxicitySettings()
    return tokenizer_settings(settings, exempt_formulas=True, folding=settings.folding)


def _make(settings: ToxicitySettings, files: ScorerFiles) -> Scorer:
    rules = ToxicityRules(
        settings.min_label_score,
        plain_label(settings.label),
        settings.window_tokens,
        settings.aggregate,
        settings.top_k,
        settings.window_discount,
        settings.min_label_scores,
    )
    text = None
    if settings.harmful is not None:
        models = files.shipped("harmful"), files.shipped("harmful_plain")
        text = HarmfulText(*models, settings.harmful_weight)
    tokenizer = tokenizer_settings(
        settings, files, exempt_formulas=settings.exempt_formulas, folding=settings.folding
    )
    kinds = None if settings.kinds is None else files.shipped("kinds")
    short = None
    if settings.short is not None:
        short = ShortTexts(files.shipped("short"), settings.short_chars)
    return toxicity_scorer(files.shipped("artifact"), rules, tokenizer, text, kinds, short)


def _check(settings: ToxicitySettings, limits: object, files: KnownFiles) -> None:
    # A model that was fitted beside the harmful-text models takes them as they were.
    is_fitted_beside = ToxicitySettings.harmful in files["artifact"].needs
    further = ("folding", *(_HARMFUL_KEYS if is_fitted_beside else ()))
    check_tokenizer(NAME, settings, files, further)
    check_label(NAME, settings.label, files)
    check_language_models(NAME, ("harmful", "harmful_plain"), files)
    check_short(NAME, files)
    check_kinds(NAME, settings.kinds, settings.min_label_scores, files)


_HARMFUL_KEYS = ("harmful", "harmful_plain", "harmful_weight", "window_discount")

TOXICITY = ScorerDeclaration(
    name=NAME,
    settings=ToxicitySettings,
    result_type=RESULT_TYPE,
    make=_make,
    check=_check,
    is_default=True,
    is_required=True,
    corpus=(
        CorpusColumn("toxicity", ("label", "score"), is_published=True),
        CorpusColumn("toxic_kind", "kind"),
    ),
    limits=ToxicityLimits,
    rejections=(Rejection("toxic", "max_toxicity", lambda scores, most: scores["score"] > most),),
    counts=(ReportCount("toxic_rows", "toxicity.label", "labelled toxic"),),
    curves=(ScoreCurve(NAME, "score", "toxic", "max_toxicity", keeps_below=True),),
)


def _discounted(scores: Float64Array, counts: Int64Array, discount: float) -> Float64Array:
    """The scores of the texts' worst windows, lowered by the number of windows of each text."""
    if not discount:
        return scores
    with np.errstate(divide="ignore"):
        logits = np.log(scores) - np.log1p(-scores)
    lowered = discount * np.log(counts) * discounted_share(logits)
    pairs = zip(scores.tolist(), lowered.tolist(), strict=True)
    return np.array([with_odds(score, -less) for score, less in pairs])


def discounted_share(logits: Float64Array) -> Float64Array:
    """Share of the discount that applies to log odds: 1 below 0, 0 from `MIN_LABEL_SCORE` on."""
    certain = math.log(MIN_LABEL_SCORE / (1 - MIN_LABEL_SCORE))
    share: Float64Array = np.clip(1 - logits / certain, 0.0, 1.0)
    return share


def _worst_of_each(scores: Float64Array, firsts: Int64Array) -> Int64Array:
    """The place of each text's highest score, the first of equal ones."""
    highest = np.maximum.reduceat(scores, firsts) if len(firsts) else scores
    counts = np.diff(firsts, append=len(scores))
    found = np.flatnonzero(scores == np.repeat(highest, counts))
    first: Int64Array = found[np.searchsorted(found, firsts)]
    return first


def _mean_of_worst(scores: Float64Array, firsts: Int64Array, count: int) -> Float64Array:
    """The mean of each text's ``count`` highest scores, of all where there are fewer."""
    counts = np.diff(firsts, append=len(scores))
    owners = np.repeat(np.arange(len(firsts)), counts)
    order = np.lexsort((-scores, owners))
    places = np.arange(len(scores)) - np.repeat(firsts, counts)
    chosen = places < count
    sums = np.bincount(owners[chosen], scores[order][chosen], len(firsts))
    means: Float64Array = sums / np.minimum(counts, count)
    return means


def _record(
    rules: ToxicityRules,
    score: float,
    start: int,
    length: int,
    worst: float,
    whole: float,
) -> Record:
    return {
        "label": rules.label_of(score),
        "kind": None,
        "score": score,
        "worst_start": start,
        "worst_length": length,
        "worst_score": worst,
        "mean_score": whole,
    }


def _record_of_nothing(rules: ToxicityRules) -> Record:
    return {
        "label": rules.label_of(0.0),
        "kind": None,
        "score": 0.0,
        "worst_start": None,
        "worst_length": None,
        "worst_score": None,
        "mean_score": 0.0,
    }
