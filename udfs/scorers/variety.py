"""Variety: which of the wanted varieties of a language a text is in.

Identifiers of languages know no Tunisian, and take most Cantonese for Mandarin. Here words that
only one variety uses decide, or a linear model of hashed n-grams together with these words and with
terms of the address. Varieties have the names of GlotLID and FineWeb-2: ISO 639-3 code and script,
``yue_Hani``, ``aeb_Arab``, ``aeb_Latn``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from pyspark.sql.types import DoubleType, LongType, StringType, StructField, StructType

from udfs.base.settings import Amount, ConfigError, Lexicon, Model, PositiveCount, Share
from udfs.lists.host_list_files import Line
from udfs.lists.lexicon import LexiconError
from udfs.scorers.declaration import (
    CorpusColumn,
    KnownFiles,
    Rejection,
    ReportShares,
    ScoreCurve,
    ScorerDeclaration,
    ScorerFiles,
    read_known,
)
from udfs.scorers.scorer import Documents, Record, Scorer, model_of, with_odds
from udfs.scorers.specific_words import HAN, SpecificWords, read_specific_words, script_of

if TYPE_CHECKING:
    from udfs.files.artifacts import ArtifactFile
    from udfs.lists.host_lists import HostList
    from udfs.models.hashed_ngrams import HashedModel

NAME = "variety"
OTHER = "other"
"""The label of a text in none of the wanted varieties."""

MIN_WORD_SHARE = 0.02
MIN_PROBABILITY = 0.99
URL_WEIGHT = 2.0
MAX_CHARS = 20_000


@dataclass(frozen=True)
class VarietySettings:
    """Variety of a language: Cantonese among Chinese texts, Tunisian among Arabic ones."""

    artifact: Lexicon = "variety_words"
    """Artifact name of a list of words that only one variety uses, or a path to one: lines of
    ``variety TAB word``. A variety ends with its script: ``_Hani`` (entries are single characters),
    ``_Arab`` or ``_Latn``. Words of the variety ``name`` are names, which nothing counts."""
    wanted: tuple[str, ...] = ("yue_Hani",)
    """Varieties of the list that texts are looked through for; a text in none is ``other``. One of
    Arabic or Latin script needs that half of a text's words are in it."""
    min_word_share: Share = MIN_WORD_SHARE
    """Least share of a variety's words in a text's words, or of its characters in the text's Han
    characters; of varieties that ``model`` does not have."""
    model: Model | None = None
    """Artifact name of a linear model of varieties, or a path to one, as ``python -m
    jobs.train_models --task variety`` makes it: it decides on the varieties that it has, with the
    share of specific words."""
    min_probability: Share = MIN_PROBABILITY
    """Least probability of a variety by the model, where as many texts are in it as are not. Of a
    variety that is rare in a crawl more is needed: see the model's card."""
    url_terms: tuple[str, ...] = ()
    """Hosts, top-level domains (``.tn``) and words of addresses, as in ``rules.host_block``, that
    make the varieties of the model likelier."""
    url_weight: Amount = URL_WEIGHT
    """How much the log odds of a variety rise where the address has one of these terms."""
    max_chars: PositiveCount | None = MAX_CHARS
    """Leading characters of a text that are read; off for all."""


@dataclass(frozen=True)
class VarietyLimits:
    """Keys of [select] that look at varieties."""

    varieties: tuple[str, ...] = ()
    """Varieties kept, of ``variety.wanted`` and ``other``; empty keeps all."""


RESULT_TYPE = StructType(
    [
        StructField("label", StringType()),  # a wanted variety, or OTHER
        # Of the likeliest wanted variety, whether the text is in it or not:
        StructField("probability", DoubleType()),  # by the model; null where it has none
        StructField("words", LongType()),  # specific words or characters
        StructField("word_share", DoubleType()),  # in [0, 1]; 0 for a text without any word
        StructField("url_term", StringType()),  # of the address; null where it has none
    ]
)


@dataclass(frozen=True)
class VarietyRules:
    """From words, a model and an address to a label; the settings describe the fields."""

    wanted: tuple[str, ...]
    min_word_share: float = MIN_WORD_SHARE
    model: ArtifactFile | None = None
    min_probability: float = MIN_PROBABILITY
    url_terms: tuple[str, ...] = ()
    url_weight: float = URL_WEIGHT
    max_chars: int | None = MAX_CHARS


@dataclass(frozen=True)
class _Evidence:
    """What speaks for one variety in a text."""

    variety: str
    words: int
    word_share: float
    line: str
    """All words of the text in the variety's script, for the model; empty where most words are in
    another, and of Han varieties."""


def score_varieties(
    texts: Sequence[str], words: SpecificWords, rules: VarietyRules
) -> list[Record]:
    """The variety of every text.

    Args:
        texts: `Documents`, for their addresses; other texts have none.
        words: Has all wanted varieties.
        rules: Of several varieties that fit, the likeliest is taken: by probability, then by share,
            the first of equal ones.
    """
    read = [text[: rules.max_chars] for text in texts]
    found = [_evidence(text, rules.wanted, words) for text in read]
    chances = _chances(found, rules)
    urls = texts.urls if isinstance(texts, Documents) else [None] * len(read)
    records: list[Record] = []
    for evidence, of_text, url in zip(found, chances, urls, strict=True):
        term = url_term(url, rules.url_terms)
        weight = 0.0 if term is None else rules.url_weight
        best: tuple[bool, float, float] | None = None
        for one, chance in zip(evidence, of_text, strict=True):
            sure = None if chance is None else with_odds(chance, weight)
            is_in = one.words > 0 and one.word_share >= rules.min_word_share
            if sure is not None:
                is_in = sure >= rules.min_probability
            rank = (is_in, -1.0 if sure is None else sure, one.word_share)
            if best is None or rank > best:
                best = rank
                record: Record = {
                    "label": one.variety if is_in else OTHER,
                    "probability": sure,
                    "words": one.words,
                    "word_share": one.word_share,
                    "url_term": term,
                }
        records.append(record)
    return records


def probability(model: HashedModel, label: str, score: float, word_share: float) -> float:
    """The probability of a variety, from the model's score and the share of specific words."""
    numbers = model.numbers
    found = evidence(numbers, label, score, word_share)
    logit = numbers[f"slope_{label}"] * found + numbers[f"offset_{label}"]
    return 1.0 / (1.0 + math.exp(-max(-500.0, min(500.0, logit))))


def evidence(numbers: Mapping[str, float], label: str, score: float, word_share: float) -> float:
    """What a model's score and the share of specific words say together of a variety.

    One specific word may be chance, several hardly: from ``bonus_from`` on the share counts more.
    """
    counted = min(word_share, numbers["most_word_share"])
    bonus = numbers[f"bonus_{label}"] * max(counted - numbers["bonus_from"], 0.0)
    return score + numbers["word_weight"] * counted + bonus


def variety_scorer(artifact: ArtifactFile, rules: VarietyRules) -> Scorer:
    """The scorer over a list of specific words."""
    score = partial(score_varieties, rules=rules)
    return Scorer(NAME, artifact, RESULT_TYPE, score, None, read_specific_words)


def url_term(url: str | None, terms: tuple[str, ...]) -> str | None:
    """The term that an address has; None for none, and for no address.

    >>> url_term("https://radio.example.tn/news", (".tn", "tunisia"))
    '.tn'
    """
    return _terms(terms).match(url) if terms else None


@lru_cache(maxsize=4)
def _terms(terms: tuple[str, ...]) -> HostList:
    from udfs.lists.host_lists import HostList

    return HostList(Line(term, term, False) for term in terms)


def _evidence(text: str, wanted: Sequence[str], words: SpecificWords) -> list[_Evidence]:
    """What speaks for each wanted variety in a text."""
    found = []
    by_script: dict[str, list[str]] | None = None
    for variety in wanted:
        script, specific, line = script_of(variety), words.words[variety], ""
        if script == HAN:
            from udfs.base.han import han_ideographs

            whole, count = han_ideographs(text), sum(map(text.count, specific))
        else:
            by_script = words.words_of(text) if by_script is None else by_script
            own = by_script[str(script)]
            if 2 * len(own) < sum(map(len, by_script.values())):
                own = []
            whole, count = len(own), sum(word in specific for word in own)
            line = " ".join(own)
        found.append(_Evidence(variety, count, count / whole if whole else 0.0, line))
    return found


def _chances(found: Sequence[Sequence[_Evidence]], rules: VarietyRules) -> list[list[float | None]]:
    """The model's probability of each variety of each text; None of one that it does not have."""
    if rules.model is None:
        return [[None] * len(rules.wanted) for _ in found]
    from udfs.models.hashed_ngrams import read_hashed_model

    model: HashedModel = model_of(rules.model, read_hashed_model)
    flat = [one for of_text in found for one in of_text]
    scores = model.scores([one.line for one in flat], model.numbers["prior"]).tolist()
    chances = [
        probability(model, one.variety, score, one.word_share)
        if one.variety in model.labels
        else None
        for one, score in zip(flat, scores, strict=True)
    ]
    size = len(rules.wanted)
    return [chances[at : at + size] for at in range(0, len(chances), size)]


def _make(settings: VarietySettings, files: ScorerFiles) -> Scorer:
    rules = VarietyRules(
        settings.wanted,
        settings.min_word_share,
        None if settings.model is None else files.shipped("model"),
        settings.min_probability,
        settings.url_terms,
        settings.url_weight,
        settings.max_chars,
    )
    return variety_scorer(files.shipped("artifact"), rules)


def _check(settings: VarietySettings, limits: VarietyLimits, files: KnownFiles) -> None:
    if not settings.wanted:
        raise ConfigError("variety.wanted = []: expected a variety of variety.artifact")
    known = (*settings.wanted, OTHER)
    if unknown := sorted(set(limits.varieties) - set(known)):
        raise ConfigError(
            f"select.varieties = {list(limits.varieties)}: no variety {unknown[0]!r} in "
            f"variety.wanted; known: {', '.join(known)}"
        )
    words = read_known("variety.artifact", files["artifact"], read_specific_words, LexiconError)
    if words is not None and (unlisted := sorted(set(settings.wanted) - set(words.words))):
        raise ConfigError(
            f"variety.wanted = {list(settings.wanted)}: variety.artifact has no word of "
            f"{unlisted[0]!r}; it has words of {', '.join(sorted(words.words))}"
        )
    for term in settings.url_terms:
        if not len(_terms((term,))):
            raise ConfigError(
                f"variety.url_terms: {term!r}: expected a host, a top-level domain such as .tn, or "
                "a word of letters and digits"
            )
    if "model" in files:
        _check_model(settings, files)
    elif settings.url_terms:
        raise ConfigError(
            f"variety.url_terms = {list(settings.url_terms)} has no effect while variety.model is "
            "off: set both"
        )


def _check_model(settings: VarietySettings, files: KnownFiles) -> None:
    from udfs.models.fasttext_file import ModelFileError
    from udfs.models.hashed_ngrams import read_hashed_model

    model = read_known("variety.model", files["model"], read_hashed_model, ModelFileError)
    if model is None:
        return
    needed = {"word_weight", "most_word_share", "bonus_from", "prior"}
    of_label = ("bonus", "slope", "offset")
    needed |= {f"{name}_{label}" for label in model.labels for name in of_label}
    if missing := sorted(needed - set(model.numbers)):
        raise ConfigError(f"variety.model: has no number {missing[0]!r}: it is of another scorer")
    if not set(model.labels) & set(settings.wanted):
        raise ConfigError(
            f"variety.wanted = {list(settings.wanted)}: variety.model has none of them; it has "
            f"{', '.join(model.labels)}"
        )


VARIETY = ScorerDeclaration(
    name=NAME,
    settings=VarietySettings,
    result_type=RESULT_TYPE,
    make=_make,
    check=_check,
    corpus=(CorpusColumn("variety", ("label", "probability", "word_share", "url_term")),),
    limits=VarietyLimits,
    rejections=(
        Rejection(
            "unwanted_variety",
            "varieties",
            lambda scores, kept: ~scores["label"].isin(*kept),
            rank=1,
        ),
    ),
    shares=(ReportShares("varieties", "variety.label", "variety", "Varieties of the corpus"),),
    curves=(ScoreCurve("variety", "probability"), ScoreCurve("variety_words", "word_share")),
)
