"""Toxicity of short texts: messages and comments, by a model of characters and their neighbours.

Short offers name few words, and hide them: cut into other words they are unknown. A model of single
characters and pairs of neighbours knows their parts. It judges short texts alone; of long ones the
windows of words tell more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from udfs.base.array_types import Float64Array
from udfs.base.settings import ConfigError
from udfs.scorers.declaration import KnownFiles, read_known
from udfs.scorers.scorer import Documents, model_of

if TYPE_CHECKING:
    from udfs.files.artifacts import ArtifactFile
    from udfs.models.fasttext_model import FastTextModel
    from udfs.tokens.tokens import Tokens

LABEL = "toxic"
"""The label whose probability is the score."""

_LEAST = 1e-6
"""Probabilities nearer to 0 or 1 are taken as this far from them."""

SHORT_CHARS = 200
"""The most code points of a short text."""


@dataclass(frozen=True)
class ShortTexts:
    """A model of short texts, and which texts it judges."""

    model: ArtifactFile
    """A supervised fastText file with a label toxic, whose words are grams."""
    max_chars: int = SHORT_CHARS
    """The most code points of a text that it judges."""


def short_text_scores(lines: Sequence[str] | Tokens, model: FastTextModel) -> Float64Array:
    """The score of each line of grams, or of each text by its grams, (lines,); 0.0 without one.

    fastText takes the mean of a line's weights, which is small for long lines whatever they say;
    the regression that the weights come from takes their sum divided by the root of their number.
    """
    from udfs.tokens.tokens import Tokens, tokens_of_lines

    if not len(lines):
        return np.zeros(0)
    tokens = lines if isinstance(lines, Tokens) else tokens_of_lines(lines)
    counts = np.diff(tokens.bounds)
    means = model.probabilities(tokens)[:, model.column(LABEL)].clip(_LEAST, 1 - _LEAST)
    logits = (np.log(means) - np.log1p(-means)) * np.sqrt(counts + 1)  # the end of a line counts
    scores: Float64Array = np.where(counts > 0, 1.0 / (1.0 + np.exp(-logits)), 0.0)
    return scores


def of_short_texts(documents: Documents, short: ShortTexts) -> dict[int, float]:
    """Number of each short document -> its score."""
    from udfs.models.fasttext_model import load_fasttext
    from udfs.tokens.grams import gram_tokens

    chosen = [at for at, text in enumerate(documents) if len(text) <= short.max_chars]
    if not chosen:
        return {}
    grams = gram_tokens([documents[at] for at in chosen])
    model = model_of(short.model, load_fasttext)
    scores = short_text_scores(grams, model).tolist()
    return {at: score for at, score, own in zip(chosen, scores, grams, strict=True) if own}


def check_short(name: str, files: KnownFiles) -> None:
    """Check the model of short texts, as far as it is on this machine.

    Args:
        name: The scorer's.
    Raises:
        ConfigError: it is no fastText model, or has no label toxic.
    """
    from udfs.models.fasttext_file import ModelFileError, read_fasttext_header

    header = read_known(f"{name}.short", files.get("short"), read_fasttext_header, ModelFileError)
    if header is not None and LABEL not in header.labels:
        raise ConfigError(
            f"{name}.short: the model's labels are {', '.join(sorted(header.labels))}: expected "
            f"{LABEL} among them"
        )
