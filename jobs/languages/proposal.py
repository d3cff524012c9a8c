"""A proposal of a language pack: what is measured, and the text of the pack with its sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.config import Config, LanguageConfig, toml_value
from jobs.config.exit_status import NothingCameOut
from jobs.languages.counts import (
    LIKE,
    OWN,
    Characters,
    Histogram,
    WordCount,
    characters,
    frequent,
    histograms,
    sizes,
    texts_of,
    word_counts,
)
from jobs.languages.limits import CarriedLimit, carried, carried_condition, share_beyond, shown
from udfs.measures.language_counts import WordCut

LEAST_DOCUMENTS = 50
"""Of the measured language and of the pack's that is carried over."""
LEAST_SCRIPT_SHARE = 0.10
"""Of all characters of known scripts; scripts with less are guests."""
LEAST_MARK_SHARE = 0.001
"""Of documents, in which a mark ends a sentence."""
UNSEPARATED = frozenset(
    {"Han", "Hiragana", "Katakana", "Khmer", "Lao", "Myanmar", "Thai", "Tibetan"}
)
"""Scripts that do not separate words by white space."""
STOP_WORDS, FUNCTION_CHARS, SPECIFIC_WORDS = 60, 24, 200
"""Most words of each kind. FineWeb-2's languages have 8 to 63 stop words; zh 24 characters."""
WORD_DOCUMENTS, LEAST_SPECIFIC = 5, 0.95
"""Least documents of a word, and least share of a specific word that lies in the language."""
LIMITS = {
    ("extract", "min_script_chars"): ("script_chars", "<"),
    ("rules", "min_chars"): ("chars", "<"),
    ("rules", "min_mean_line_chars"): ("mean_line_chars", "<"),
    ("rules", "min_script_share"): ("script_share", "<"),
    ("rules", "max_traditional_share"): ("traditional_share", ">"),
    ("rules", "max_dup_13gram_share"): ("dup_13gram_share", ">"),
    ("rules", "max_mojibake_share"): ("mojibake_share", ">"),
}
"""Section and key of each limit -> its measure, and how a rejected text compares."""
_HAN_ONLY = ("max_traditional_share", "max_mojibake_share")
_WHOLE_NUMBERS = ("min_script_chars", "min_chars")
_ARABIC_STEPS = ("presentation_forms", "tatweel")
_ARABIC_FOLDS = ("arabic_marks", "tatweel", "alef_forms", "alef_maqsura", "teh_marbuta")


@dataclass(frozen=True)
class LanguageRequest:
    """What a proposal is to be of."""

    tag: str
    labels: tuple[str, ...]
    like: Config
    """With the pack whose limits are carried over."""


@dataclass(frozen=True)
class MeasuredLanguage:
    """What was measured."""

    documents: Mapping[str, int]
    """Language -> documents."""
    sources: int
    unreadable: int
    """Lines of all files without a text."""
    characters: Characters
    language: LanguageConfig
    words: Sequence[WordCount]
    """Stop words, or function characters."""
    specific: Sequence[WordCount]
    histograms: Mapping[str, Mapping[str, Histogram]]


@dataclass(frozen=True)
class _Entry:
    """A key of a pack."""

    key: str
    value: Any
    source: str = ""


def measured(documents: DataFrame, request: LanguageRequest) -> MeasuredLanguage:
    """Measure texts.

    Args:
        documents: Rows of CLEAN_TEXT, language OWN, LIKE or the name of another language.
    Raises:
        NothingCameOut: a language has no text, or OWN or LIKE fewer than LEAST_DOCUMENTS.
    """
    counted = sizes(documents)
    totals = {name: row[0] for name, row in counted.items()}
    for name, total in sorted(totals.items()):
        least = LEAST_DOCUMENTS if name in (OWN, LIKE) else 1
        if total < least:
            raise NothingCameOut(f"texts of {name}: {total:,} documents; {least} are needed")
    sources = counted[OWN][1]
    texts = texts_of(documents)
    found = characters(texts)
    language = _language(request, found, totals[OWN])
    has_words = language.tokenizer == "words"
    cut = WordCut(language.script, has_words, language.fold)
    words = word_counts(texts, cut, totals).persist()
    try:
        # A word of one source is often its name, or those of whom it writes about.
        wide = words.where(
            (F.col("documents") >= WORD_DOCUMENTS) & (F.col("sources") >= min(2, sources))
        )
        share = F.col("documents") / F.lit(float(totals[OWN]))
        spread = wide.where(F.col("sources") / F.lit(float(sources)) >= share / 2)
        common = frequent(spread, STOP_WORDS if has_words else FUNCTION_CHARS)
        is_specific = share >= LEAST_SPECIFIC * (share + F.col("others"))
        has_others = bool(totals.keys() - {OWN, LIKE})
        specific = frequent(wide.where(is_specific), SPECIFIC_WORDS) if has_others else []
    finally:
        words.unpersist()
    names = sorted(one.word for one in common) if has_words else [one.word for one in common]
    language = (
        replace(language, stop_words=tuple(names))
        if has_words
        else replace(language, function_chars="".join(names))
    )
    asked = {OWN: language.text_language, LIKE: request.like.language.text_language}
    return MeasuredLanguage(
        totals,
        sources,
        sum(row[2] for row in counted.values()),
        found,
        language,
        common,
        specific,
        histograms(texts, asked),
    )


def pack_text(request: LanguageRequest, found: MeasuredLanguage) -> str:
    """Return the text of a pack, each number with its source in a comment."""
    like = request.like.language.pack
    tables = {
        "language": _language_entries(request, found),
        "extract": _extract_entries(request, found),
        "rules": _rule_entries(request, found),
        "rules.conditions": _condition_entries(request, found),
        "dedup": [_dedup_entry(request, found)],
        "score": [_Entry("scorers", ())],
        "select": [_Entry("quality_from", "off"), _Entry("min_quality", "off")],
    }
    lines = [
        f"# {request.tag}: a proposal by measure_language, to be read before it is used.",
        f"# Measured on {found.documents[OWN]:,} documents of {found.sources:,} sources.",
        f"# Limits are carried over from pack {like}, by their place in "
        f"{found.documents[LIKE]:,} documents of its language.",
    ]
    for section, entries in tables.items():
        lines += ["", f"[{section}]"]
        for entry in entries:
            lines += [f"# {entry.source}"] if entry.source else []
            lines.append(f"{entry.key} = {toml_value(entry.value)}")
    return "\n".join([*lines, *_specific_lines(found), ""])


def _language(request: LanguageRequest, found: Characters, documents: int) -> LanguageConfig:
    """Scripts, tokenizer and marks; the words come later.

    Raises:
        NothingCameOut: no character is of a known script.
    """
    like = request.like.language
    total = sum(found.scripts.values())
    if not total:
        raise NothingCameOut("texts of own: no character of a known script")
    ranked = sorted(found.scripts.items(), key=lambda item: (-item[1], item[0]))
    script = tuple(name for name, count in ranked if count >= LEAST_SCRIPT_SHARE * total)
    is_related = script[0] in like.script
    if script[0] not in UNSEPARATED:
        tokenizer: Any = "words"
    else:
        tokenizer = like.tokenizer if is_related and like.tokenizer != "words" else "characters"
    is_arabic = script[0] == "Arabic"
    marks = [name for name, n in found.marks.items() if n >= LEAST_MARK_SHARE * documents]
    return LanguageConfig(
        pack=like.pack,
        tag=request.tag,
        labels=request.labels,
        script=script,
        charsets=like.charsets if is_related else (),
        sentence_ends="".join(sorted(marks)),
        function_chars="",
        tokenizer=tokenizer,
        normalise=_ARABIC_STEPS if is_arabic else (),
        fold=_ARABIC_FOLDS if is_arabic else (),
        number_plans=(),
        index_languages=like.index_languages if is_related else (),
        scorers=(),
    )


def _language_entries(request: LanguageRequest, found: MeasuredLanguage) -> list[_Entry]:
    language, counts = found.language, found.characters
    total = sum(counts.scripts.values())
    ranked = sorted(counts.scripts.items(), key=lambda item: (-item[1], item[0]))
    shares = ", ".join(f"{name} {count / total:.3f}" for name, count in ranked[:4])
    mean_chars = counts.word_chars / max(1, counts.words)
    unmeasured = f"Not measured: as in {request.like.language.pack}, or none for another script."
    least, most = _document_shares(found)
    kind = "stop word" if language.tokenizer == "words" else "function character"
    common = (
        f"The most frequent words by documents, of two sources or more: each {kind} is in "
        f"{least:.3f} to {most:.3f} of them."
    )
    marks = f"In {LEAST_MARK_SHARE} of the documents or more they end a sentence."
    letters = "Spellings of the Arabic script, not measured." if language.fold else ""
    return [
        _Entry("tag", language.tag),
        _Entry("labels", language.labels, "Given with the request."),
        _Entry("script", language.script, f"Shares of characters: {shares}."),
        _Entry("charsets", language.charsets, unmeasured),
        _Entry("sentence_ends", language.sentence_ends, marks),
        _Entry("function_chars", language.function_chars, common * (kind[0] == "f")),
        _Entry(
            "tokenizer",
            language.tokenizer,
            f"Runs of letters and digits have {mean_chars:.1f} characters.",
        ),
        _Entry("stop_words", language.stop_words, common * (kind[0] == "s")),
        _Entry("normalise", language.normalise, letters),
        _Entry("fold", language.fold),
        _Entry("number_plans", language.number_plans, "No country was named."),
        _Entry("index_languages", language.index_languages, unmeasured),
        _Entry("scorers", (), "No bundled model is known to hold."),
    ]


def _document_shares(found: MeasuredLanguage) -> tuple[float, float]:
    shares = [one.documents / found.documents[OWN] for one in found.words] or [0.0]
    return min(shares), max(shares)


def _extract_entries(request: LanguageRequest, found: MeasuredLanguage) -> list[_Entry]:
    extract, like = request.like.extract, request.like.language.pack
    kept = f"Of {like}; not measured."
    kana = extract.max_kana_share if found.language.script == ("Han",) else None
    return [
        _Entry("languages", found.language.labels),
        _Entry("min_language_score", extract.min_language_score, kept),
        *_carried_entries(request, found, "extract"),
        _Entry("max_kana_share", kana, kept),
        _Entry("extractor", extract.extractor, kept),
    ]


def _rule_entries(request: LanguageRequest, found: MeasuredLanguage) -> list[_Entry]:
    rules = request.like.rules
    is_han = "Han" in found.language.script
    beyond = share_beyond(
        found.histograms[OWN].get("traditional_share", ()), rules.max_traditional_share or 1.0, ">"
    )
    is_kept = not is_han or beyond > 0.5
    source = f"{beyond:.3f} of the documents are in traditional script." if is_han else ""
    return [
        _Entry("pack", "off"),
        _Entry("traditional_policy", "keep" if is_kept else rules.traditional_policy, source),
        *([_Entry("max_traditional_share", None)] if is_kept else []),
        *_carried_entries(request, found, "rules", without=_without(is_kept, is_han)),
        *([] if is_han else [_Entry("max_mojibake_share", None, "The measure is of Chinese.")]),
        _Entry("max_sensitive_per_line", None, "No list of words was given."),
    ]


def _without(is_kept: bool, is_han: bool) -> tuple[str, ...]:
    return _HAN_ONLY if not is_han else _HAN_ONLY[:1] if is_kept else ()


def _carried_entries(
    request: LanguageRequest, found: MeasuredLanguage, section: str, without: Sequence[str] = ()
) -> list[_Entry]:
    """The limits of a section, carried over; those that are off stay off."""
    entries = []
    for (of_section, key), (measure, operator) in LIMITS.items():
        if of_section != section or key in without:
            continue
        limit = getattr(getattr(request.like, section), key)
        if limit is None:
            entries.append(_Entry(key, None, f"Off in {request.like.language.pack}."))
            continue
        like, own = (found.histograms[name].get(measure, ()) for name in (LIKE, OWN))
        one = carried(like, own, float(limit), operator)
        value = int(one.value) if key in _WHOLE_NUMBERS else one.value
        entries.append(_Entry(key, value, _source(request, measure, one)))
    return entries


def _condition_entries(request: LanguageRequest, found: MeasuredLanguage) -> list[_Entry]:
    entries = []
    for name, condition in request.like.rules.conditions.items():
        moved = carried_condition(
            condition,
            found.histograms[LIKE],
            found.histograms[OWN],
            has_words=found.language.tokenizer == "words",
        )
        if moved is not None:
            text, limits = moved
            sources = [_source(request, measure, one) for measure, one in limits]
            entries.append(_Entry(name, text, "\n# ".join(sources)))
    return entries


def _source(request: LanguageRequest, measure: str, one: CarriedLimit) -> str:
    like = request.like.language.pack
    return (
        f"{measure}: {shown(one.was)} of {like} rejects {one.place:.4f} of its text; "
        f"{shown(one.value)} rejects {one.rejects:.4f} of this."
    )


def _dedup_entry(request: LanguageRequest, found: MeasuredLanguage) -> _Entry:
    if found.language.tokenizer == "words":
        return _Entry("shingle_words", 5, "FineWeb-2's for all languages; not measured.")
    like = request.like
    return _Entry(
        "shingle_chars", like.dedup.shingle_chars, f"Of {like.language.pack}; not measured."
    )


def _specific_lines(found: MeasuredLanguage) -> list[str]:
    """The specific words as comments: a pack names a list of them, for scorer variety."""
    others = sorted(found.documents.keys() - {OWN, LIKE})
    if not others:
        return []
    named = ", ".join(f"{name} ({found.documents[name]:,} documents)" for name in others)
    lines = [
        "",
        f"# Specific words: of {WORD_DOCUMENTS} documents and two sources or more, "
        f"{LEAST_SPECIFIC:.0%} of their share of documents here,",
        f"# against {named}. Names of places and people may be among them.",
        "# word, documents",
    ]
    return [*lines, *(f"# {one.word}\t{one.documents}" for one in found.specific)]
