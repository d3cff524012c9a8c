"""That n-grams read from a file make a model: what is looked up without a check is there."""

from __future__ import annotations

import numpy as np

from udfs.fasttext_file import ModelFileError
from udfs.ngram_model import BEGIN, END, RESERVED, NGrams, key_of


def checked(ngrams: NGrams, name: str) -> NGrams:
    """The same n-grams.

    Args:
        name: What an error calls the file.
    Raises:
        ModelFileError: an n-gram is there twice, or without the shorter ones that it begins and
            ends with; a probability is none; begin or end are missing, or most words are not one
            character.
    """
    shorter = None
    for n, order in enumerate(ngrams.orders, 1):
        keys = key_of(order.words)
        if len(np.unique(keys)) != len(keys):
            raise ModelFileError(f"{name}: an n-gram of order {n} is there twice")
        if not (np.isfinite(order.log10) & np.isfinite(order.backoff) & (order.log10 <= 0)).all():
            raise ModelFileError(f"{name}: a probability of order {n} is none")
        if shorter is not None:
            for part in (order.words[:, 1:], order.words[:, :-1]):
                if not np.isin(key_of(part), shorter).all():
                    raise ModelFileError(
                        f"{name}: an n-gram of order {n} lacks the {n - 1} words that it begins or "
                        "ends with"
                    )
        shorter = keys
    words = [ngrams.vocabulary[number] for number in ngrams.orders[0].words[:, 0]]
    if missing := [word for word in (BEGIN, END) if word not in words]:
        raise ModelFileError(f"{name}: has no {missing[0]} among its words")
    own = [word for word in words if word not in RESERVED]
    characters = sum(len(word) == 1 for word in own)
    if 2 * characters < len(own):
        raise ModelFileError(
            f"{name}: {characters:,} of {len(own):,} words are one character; expected a model of "
            "characters"
        )
    return ngrams
