"""Harmful-text perplexity: how likely a text is to a model of gambling and pornography pages.

A text is cut into pieces at line breaks and signs. Where a second model of plain text is given,
a piece counts for what the harmful model foretells better than the plain one: menus and prose,
which harmful pages hold as well, then say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial

import numpy as np
import numpy.typing as npt

from udfs.base.code_points import CODE_POINTS, CodePoints, encode_texts
from udfs.base.jit import compiled
from udfs.files.artifacts import ArtifactFile
from udfs.models.char_lm import CharLanguageModel
from udfs.models.char_lm_file import load_language_model
from udfs.scorers.result_types import PERPLEXITY_TYPE
from udfs.scorers.scoring import Documents, Record, Scorer, model_of

Numbers = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MAX_CHARS = 20_000
BREAKS = "\n\r，。！？；、|｜_-,!?;:：·»>【】（）()[]"
"""Signs that part the pieces of a text; spammers string their words with them."""

HARMFUL_SHARE = 0.1
"""How likely a piece is a harmful one before it is read, with a plain model."""
HEAD_PIECES = 3
HEAD_WEIGHT = 0.2
"""The first pieces, a page's title, count once more, as a fifth of the text."""

MAX_PERPLEXITY = 0.9629
"""Under it a text is harmful, by the bundled models; see their card."""


def perplexities(
    texts: Sequence[str],
    harmful: CharLanguageModel,
    plain: CharLanguageModel | None = None,
    max_chars: int | None = MAX_CHARS,
) -> Scores:
    """How much a model of harmful text is surprised by each text.

    Without a plain model it is the text's perplexity: 10 to the power of the mean of -log10 P
    over its characters and the ends of its pieces; that of an empty line for a text without any
    piece. With one it is relative: the text's perplexity where each piece may be harmful, by that
    where each is plain. 1 says that nothing is likelier in harmful text; it is the lower the more
    of the text is, its head above all.

    Returns:
        Shape (texts,).
    """
    encoded = encode_texts([text[:max_chars] for text in texts])
    begins, stops, owners = _pieces(encoded.codes, encoded.starts, encoded.stops, _is_break())
    scores, counts = harmful.line_scores(encoded.codes, begins, stops)
    heard = counts > 0  # white space alone is no piece
    begins, stops, owners = begins[heard], stops[heard], owners[heard]
    scores, sizes = scores[heard], counts[heard] + 1
    if plain is None:
        empty = -harmful.encoded_scores(encode_texts([""]))[0]
        means = _means(-scores, sizes, owners, len(texts))
        return _power(np.where(np.isnan(means), empty, means))
    gains = scores - plain.line_scores(encoded.codes, begins, stops)[0]
    mixed = np.logaddexp(
        np.log(1 - HARMFUL_SHARE), np.log(HARMFUL_SHARE) + gains * np.log(10)
    ) / np.log(10)
    surprise = -np.maximum(mixed, 0.0)
    is_head = np.arange(len(owners)) - np.searchsorted(owners, owners) < HEAD_PIECES
    whole = _means(surprise, sizes, owners, len(texts))
    head = _means(surprise[is_head], sizes[is_head], owners[is_head], len(texts))
    return _power(np.nan_to_num(whole + HEAD_WEIGHT * head))


def score_perplexity(
    texts: Sequence[str],
    harmful: CharLanguageModel,
    plain: ArtifactFile | None = None,
    max_perplexity: float = MAX_PERPLEXITY,
    max_chars: int | None = MAX_CHARS,
) -> list[Record]:
    """The perplexity of every text, and whether it is under the limit.

    Source:
        Jansen et al. 2022, Perplexed by Quality (arXiv 2212.10440): a model of harmful text alone,
        and a limit under which texts are dropped. The plain model beside it is ours.
    """
    found = document_perplexities(texts, harmful, plain, max_chars)
    return [{"perplexity": value, "flagged": value < max_perplexity} for value in found.tolist()]


def document_perplexities(
    texts: Sequence[str],
    harmful: CharLanguageModel,
    plain: ArtifactFile | None = None,
    max_chars: int | None = MAX_CHARS,
) -> Scores:
    """`perplexities` by the model of a file: of `Documents` once for all scorers that ask."""
    model = None if plain is None else model_of(plain, load_language_model)
    if not isinstance(texts, Documents):
        return perplexities(texts, harmful, model, max_chars)
    return texts.once(
        (harmful, model, max_chars), lambda: perplexities(texts, harmful, model, max_chars)
    )


def perplexity_scorer(
    harmful: ArtifactFile,
    plain: ArtifactFile | None = None,
    max_perplexity: float = MAX_PERPLEXITY,
    max_chars: int | None = MAX_CHARS,
) -> Scorer:
    """The perplexity scorer over n-gram models; its result is `PERPLEXITY_TYPE`."""
    score = partial(
        score_perplexity, plain=plain, max_perplexity=max_perplexity, max_chars=max_chars
    )
    return Scorer("perplexity", harmful, PERPLEXITY_TYPE, score, None, load_language_model)


def _means(values: Scores, sizes: Numbers, owners: Numbers, texts: int) -> Scores:
    """Of each text the sum of its pieces' values by that of their sizes; NaN without a piece."""
    totals, whole = np.bincount(owners, values, texts), np.bincount(owners, sizes, texts)
    with np.errstate(invalid="ignore"):
        means: Scores = totals / whole
    return means


def _power(exponents: Scores) -> Scores:
    powers: Scores = 10.0**exponents
    return powers


@lru_cache(maxsize=1)
def _is_break() -> Flags:
    flags = np.zeros(CODE_POINTS, dtype=np.bool_)
    flags[[ord(sign) for sign in BREAKS]] = True
    return flags


@compiled
def _pieces(
    codes: CodePoints, starts: Numbers, stops: Numbers, is_break: Flags
) -> tuple[Numbers, Numbers, Numbers]:
    """Where the pieces of texts begin and stop, and which text each is of; none is empty."""
    begins = np.empty(len(codes), dtype=np.int64)
    ends = np.empty(len(codes), dtype=np.int64)
    owners = np.empty(len(codes), dtype=np.int64)
    count = 0
    for text in range(len(starts)):
        begin = starts[text]
        for at in range(starts[text], stops[text] + 1):
            if at == stops[text] or is_break[codes[at]]:
                if at > begin:
                    begins[count], ends[count], owners[count] = begin, at, text
                    count += 1
                begin = at + 1
    return begins[:count].copy(), ends[:count].copy(), owners[:count].copy()
