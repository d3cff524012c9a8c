"""Probabilities that further evidence raises or lowers.

A batch of documents, as scorers come to know them.

One pass for all scorers: texts are read once in every way that is asked for, and every model
answers what was read.

Separate pandas UDFs would move the text to Python, and cut it into words, once a scorer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import StructField, StructType
from pyspark.sql.udf import UserDefinedFunction

from udfs.files.artifacts import ArtifactFile
from udfs.models.fasttext_model import load_fasttext
from udfs.tokens.tokenizer import TokenizerSettings, tokenize_texts


def with_odds(probability: float, weight: float) -> float:
    """A probability whose log odds are so much more; 0 and 1 stay what they are.

    >>> round(with_odds(0.5, math.log(3)), 2), with_odds(0.0, 1.0), with_odds(1.0, 1.0)
    (0.75, 0.0, 1.0)
    """
    if weight == 0.0 or probability in (0.0, 1.0):
        return probability
    return 1.0 / (1.0 + (1.0 - probability) / probability * math.exp(-weight))


_Found = TypeVar("_Found")


class Documents(list[str]):
    """The texts of a batch, and what is known beside them.

    Attributes:
        urls: The address of each document; None where it is not known.
    """

    def __init__(self, texts: Iterable[str], urls: Sequence[str | None] | None = None) -> None:
        super().__init__(texts)
        self.urls: Sequence[str | None] = [None] * len(self) if urls is None else urls
        self._found: dict[Hashable, Any] = {}

    def once(self, key: Hashable, make: Callable[[], _Found]) -> _Found:
        """What is made of the documents under a key, by whichever scorer asks first."""
        if key not in self._found:
            self._found[key] = make()
        found: _Found = self._found[key]
        return found


Record = dict[str, Any]


@dataclass(frozen=True)
class Scorer:
    """A scorer as it travels to the executors: what it is called, reads and answers.

    Its functions must pickle: functions of a module, or a functools.partial of one that carries
    the options.
    """

    name: str
    """Name of its field in the result, and of its table."""
    artifact: ArtifactFile
    """The model's file."""
    result_type: StructType
    """What it says of one text."""
    score: Callable[[Any, Any], list[Record]]
    """(what was read, model) -> one record a text, each text on its own. What was read are tokens
    (`Tokens`), or without a reading the texts themselves (`Documents`); none of them is null."""
    reading: TokenizerSettings | None = field(default_factory=TokenizerSettings)
    """How the model wants its texts, which are read once for all scorers of an equal reading; None
    for the texts themselves."""
    load: Callable[[Path], Any] = load_fasttext
    """Makes the model of its file, once a Python worker."""
    revise: Callable[[list[Record], Documents], list[Record]] | None = None
    """(records, documents) -> records: what is changed by that which the model did not read of a
    document, each by its own; None where there is nothing."""


def scoring_udf(scorers: Sequence[Scorer]) -> UserDefinedFunction:
    """A UDF from a column of texts and one of URLs to a struct with one field a scorer.

    Every field is null for a null text; a null URL is one that is not known. The UDF is marked
    nondeterministic, because Spark would otherwise run the models again for every filter on their
    scores.

    Batch:
        Iterator pandas UDF; the models are loaded once a Python worker, on the CPU.
    """
    chosen = tuple(scorers)
    result_type = StructType([StructField(s.name, s.result_type) for s in chosen])

    @pandas_udf(result_type)  # type: ignore[call-overload, untyped-decorator]
    def scores(batches: Iterator[tuple[pd.Series, pd.Series]]) -> Iterator[pd.DataFrame]:
        models = [model_of(scorer.artifact, scorer.load) for scorer in chosen]
        for texts, urls in batches:
            yield score_texts(texts, chosen, models, urls)

    udf: UserDefinedFunction = scores.asNondeterministic()
    return udf


def score_texts(
    texts: pd.Series,
    scorers: Sequence[Scorer],
    models: Sequence[Any],
    urls: pd.Series | None = None,
) -> pd.DataFrame:
    """Score a batch of texts with every scorer.

    Args:
        texts: Strings; None is a text that is not there.
        scorers: What to run.
        models: The model of each scorer.
        urls: Of the same documents; None is one that is not known, or that none is.
    Returns:
        One row a text and one column a scorer, holding its record, or None for a null text.
    """
    is_there = texts.notna().to_numpy()
    known = None if urls is None else urls.where(urls.notna(), None)[is_there].tolist()
    present = Documents(texts[is_there], known)
    readings = list(dict.fromkeys(s.reading for s in scorers if s.reading is not None))
    read: dict[TokenizerSettings | None, Any] = dict(
        zip(readings, tokenize_texts(present, readings), strict=True)
    )
    read[None] = present
    columns: dict[str, list[Record | None]] = {}
    for scorer, model in zip(scorers, models, strict=True):
        records = scorer.score(read[scorer.reading], model)
        if scorer.revise is not None:
            records = scorer.revise(records, present)
        rows = iter(records)
        columns[scorer.name] = [next(rows) if there else None for there in is_there]
    # Without dtype=object pandas would read a column of None only as numbers.
    return pd.DataFrame(columns, index=texts.index, dtype=object)


@lru_cache(maxsize=16)
def model_of(artifact: ArtifactFile, load: Callable[[Path], Any]) -> Any:
    """The artifact's model, verified and loaded once a Python worker."""
    return load(artifact.local_path())
