"""Fit the character language models of harmful and of plain text, and the limit between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from ahocorasick_rs import AhoCorasick

from jobs.training.common.examples import Document, fold_of_units
from jobs.training.common.task import Found, Settings
from jobs.training.toxicity.char_lm_estimate import estimate
from udfs.base.array_types import Float64Array
from udfs.models.char_lm import CharLanguageModel, plain_character
from udfs.models.char_lm_file import compact_bytes, load_language_model, read_compact
from udfs.models.char_lm_tables import NGramTables
from udfs.scorers.perplexity import BREAKS, MAX_CHARS, perplexities
from udfs.tokens.shape_measures import WORDS

HARMFUL_FILE, PLAIN_FILE = "harmful.ng", "plain.ng"
HARMFUL, CLEAN, OTHER = "harmful", "clean", "other"
"""Labels of documents: gambling or pornography, no harm, and other harm, which is not learnt."""

_HARMFUL_WORDS = ("gambling", "porn")
_WORDS_OF_ONE = frozenset("淫骚撸")
_PARTS = re.compile("[" + re.escape(BREAKS) + "]+")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, kw_only=True)
class LanguageModelRecipe(Settings):
    """Settings of the estimation."""

    inner_folds: int = 4
    """Folds of the training pages that the limit is chosen on."""
    recall: float = 0.9
    """Share of harmful pages of the inner folds under the limit."""
    harmful_min_counts: tuple[int, ...] = (1, 1, 2, 2, 2)
    """Least count of the n-grams that are kept, by order."""
    plain_min_counts: tuple[int, ...] = (1, 2, 3, 3)
    curated_every: int = 16
    """One curated text in this many trains the plain model."""
    curated_chars: int = 1_200
    """Characters of each that are used."""


@dataclass
class LanguageModels:
    """The language models of harmful and of plain text."""

    harmful: CharLanguageModel
    plain: CharLanguageModel
    labels: tuple[str, ...] = (HARMFUL,)

    def perplexities(self, documents: Sequence[Document]) -> Float64Array:
        """Return the perplexity of each document, (documents,)."""
        return perplexities([d.text for d in documents], self.harmful, self.plain)


def fit_perplexity(documents: Sequence[Document], path: Path, recipe: LanguageModelRecipe) -> Found:
    """Estimate both models from documents and write them.

    Args:
        path: File of the model of harmful text; that of plain text goes beside it.
    Returns:
        The limit under which a text counts as harmful, and numbers of n-grams.
    """
    harmful, plain = estimated(documents, recipe)
    path.write_bytes(compact_bytes(harmful))
    path.with_name(PLAIN_FILE).write_bytes(compact_bytes(plain))
    return {
        "max_perplexity": round(limit_of(documents, recipe), 4),
        "max_chars": MAX_CHARS,
        "harmful_ngrams": [len(order.words) for order in harmful.orders],
        "plain_ngrams": [len(order.words) for order in plain.orders],
    }


def load_language_models(path: Path) -> LanguageModels:
    """Load the models that `fit_perplexity` wrote."""
    return LanguageModels(
        load_language_model(path), load_language_model(path.with_name(PLAIN_FILE))
    )


def estimated(
    documents: Sequence[Document], recipe: LanguageModelRecipe
) -> tuple[NGramTables, NGramTables]:
    """Estimate the models of harmful and of plain text.

    Harmful pages contribute only the pieces with a word of gambling or pornography, each once a
    page: the rest is menus and copied prose. The plain model is trained on all pieces of pages
    without harm and on the beginnings of curated texts.
    """
    harmful: list[str] = []
    plain: list[str] = []
    for document in documents:
        if document.labels[0] == HARMFUL:
            harmful += dict.fromkeys(filter(has_harmful_word, pieces(document.text)))
        elif document.labels[0] == CLEAN and document.kind in ("crawl", "html"):
            plain += pieces(document.text)
        elif document.kind == "curated":
            plain += pieces(document.text[: recipe.curated_chars])
    return (
        estimate(harmful, len(recipe.harmful_min_counts), recipe.harmful_min_counts),
        estimate(plain, len(recipe.plain_min_counts), recipe.plain_min_counts),
    )


def limit_of(documents: Sequence[Document], recipe: LanguageModelRecipe) -> float:
    """Return the limit with the recall of the recipe on harmful pages, chosen on inner folds."""
    scores = []
    for held, trained in folds(documents, recipe.inner_folds):
        pages = [d for d in held if d.labels[0] == HARMFUL]
        if pages:
            # As files store them: with few levels of probabilities.
            harmful, plain = (
                CharLanguageModel(read_compact(compact_bytes(ngrams), "a model"))
                for ngrams in estimated(trained, recipe)
            )
            scores.append(LanguageModels(harmful, plain).perplexities(pages))
    return float(np.quantile(np.concatenate(scores), recipe.recall))


def folds(
    documents: Sequence[Document], count: int
) -> Iterable[tuple[list[Document], list[Document]]]:
    """Yield the held-out documents of each fold, and the others; units stay together."""
    fold_of = fold_of_units(documents, count)
    for fold in range(count):
        yield (
            [d for d in documents if fold_of[d.unit] == fold],
            [d for d in documents if fold_of[d.unit] != fold],
        )


def pieces(text: str) -> list[str]:
    """Split a text into the pieces that the models read: without white space, in plain characters.

    >>> pieces("澳门 赌场，ＶＩＰ注册 | 首页")
    ['澳门赌场', 'vip注册', '首页']
    """
    return [
        "".join(map(plain_character, piece))
        for part in _PARTS.split(text)
        if (piece := _SPACE.sub("", part))
    ]


def has_harmful_word(piece: str) -> bool:
    """Whether a piece has a word of gambling or pornography."""
    return bool(_words().find_matches_as_indexes(piece))


@lru_cache(maxsize=1)
def _words() -> AhoCorasick:
    words = [w.lower() for kind in _HARMFUL_WORDS for w in WORDS[kind]]
    return AhoCorasick([w for w in words if len(w) > 1 or w in _WORDS_OF_ONE])
