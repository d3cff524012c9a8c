"""Fitting the n-gram models of harmful and of plain text, and the limit between them. No Spark."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from ahocorasick_rs import AhoCorasick

from jobs.training.common.examples import Document, fold_of_units
from jobs.training.common.task import Found, Settings
from jobs.training.toxicity.char_lm_estimate import estimate
from udfs.models.char_lm import CharLanguageModel, plain_character
from udfs.models.char_lm_file import compact_bytes, load_language_model, read_compact
from udfs.models.char_lm_tables import NGramTables
from udfs.scorers.perplexity import BREAKS, MAX_CHARS, perplexities
from udfs.tokens.shape_measures import WORDS

Scores = npt.NDArray[np.float64]

HARMFUL_FILE, PLAIN_FILE = "harmful.ng", "plain.ng"
HARMFUL, CLEAN, OTHER = "harmful", "clean", "other"
"""Labels of documents: gambling or pornography, none, and other harm, which nothing learns."""

_HARMFUL_WORDS = ("gambling", "porn")
_WORDS_OF_ONE = frozenset("淫骚撸")
_PARTS = re.compile("[" + re.escape(BREAKS) + "]+")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, kw_only=True)
class NGramRecipe(Settings):
    """How the models are estimated."""

    inner_folds: int = 4
    """Folds of the training pages that the limit comes from."""
    recall: float = 0.9
    """Share of harmful pages that the limit is to find, on the inner folds."""
    harmful_min_counts: tuple[int, ...] = (1, 1, 2, 2, 2)
    """Least count of the n-grams that are kept, by order."""
    plain_min_counts: tuple[int, ...] = (1, 2, 3, 3)
    curated_every: int = 16
    """One in so many curated texts is read for the plain model."""
    curated_chars: int = 1_200
    """So many characters of each."""


@dataclass
class Models:
    """The model of harmful text, and that of plain text."""

    harmful: CharLanguageModel
    plain: CharLanguageModel
    labels: tuple[str, ...] = (HARMFUL,)

    def perplexities(self, documents: Sequence[Document]) -> Scores:
        """Those of some documents."""
        return perplexities([d.text for d in documents], self.harmful, self.plain)


def fit_perplexity(documents: Sequence[Document], path: Path, recipe: NGramRecipe) -> Found:
    """Estimate both models from some documents, and write them.

    Args:
        path: File of the model of harmful text; that of plain text is put beside it.
    Returns:
        The limit under which a text is harmful, and numbers of n-grams.
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


def load_models(path: Path) -> Models:
    """The models that `fit_perplexity` wrote."""
    return Models(load_language_model(path), load_language_model(path.with_name(PLAIN_FILE)))


def estimated(
    documents: Sequence[Document], recipe: NGramRecipe
) -> tuple[NGramTables, NGramTables]:
    """The models of harmful and of plain text.

    Of harmful pages only the pieces with a word of gambling or pornography are read, each once a
    page: the rest of them is menus and prose of others. The plain model reads all pieces of pages
    that are not harmful, and the beginnings of curated texts.
    """
    harmful: list[str] = []
    plain: list[str] = []
    for document in documents:
        if document.labels[0] == HARMFUL:
            harmful += dict.fromkeys(filter(_has_harmful_word, pieces(document.text)))
        elif document.labels[0] == CLEAN and document.kind in ("crawl", "html"):
            plain += pieces(document.text)
        elif document.kind == "curated":
            plain += pieces(document.text[: recipe.curated_chars])
    return (
        estimate(harmful, len(recipe.harmful_min_counts), recipe.harmful_min_counts),
        estimate(plain, len(recipe.plain_min_counts), recipe.plain_min_counts),
    )


def limit_of(documents: Sequence[Document], recipe: NGramRecipe) -> float:
    """The perplexity under which the asked share of harmful pages is, on inner folds."""
    scores = []
    for held, trained in folds(documents, recipe.inner_folds):
        pages = [d for d in held if d.labels[0] == HARMFUL]
        if pages:
            # As the files will have them: probabilities of few levels.
            harmful, plain = (
                CharLanguageModel(read_compact(compact_bytes(ngrams), "a model"))
                for ngrams in estimated(trained, recipe)
            )
            scores.append(Models(harmful, plain).perplexities(pages))
    return float(np.quantile(np.concatenate(scores), recipe.recall))


def folds(
    documents: Sequence[Document], count: int
) -> Iterable[tuple[list[Document], list[Document]]]:
    """For each fold what is held out, and the rest; units stay together."""
    fold_of = fold_of_units(documents, count)
    for fold in range(count):
        yield (
            [d for d in documents if fold_of[d.unit] == fold],
            [d for d in documents if fold_of[d.unit] != fold],
        )


def pieces(text: str) -> list[str]:
    """The pieces of a text as the models read them: without white space, in plain characters.

    >>> pieces("澳门 赌场，ＶＩＰ注册 | 首页")
    ['澳门赌场', 'vip注册', '首页']
    """
    return [
        "".join(map(plain_character, piece))
        for part in _PARTS.split(text)
        if (piece := _SPACE.sub("", part))
    ]


def _has_harmful_word(piece: str) -> bool:
    return bool(_words().find_matches_as_indexes(piece))


@lru_cache(maxsize=1)
def _words() -> AhoCorasick:
    words = [w.lower() for kind in _HARMFUL_WORDS for w in WORDS[kind]]
    return AhoCorasick([w for w in words if len(w) > 1 or w in _WORDS_OF_ONE])
