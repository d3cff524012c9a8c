"""One pass of all scorers over a batch of texts.

Texts are tokenized once for each tokenizer setting and scored by every model. Separate pandas UDFs
would move the text to Python, and tokenize it, once for each scorer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import StructField, StructType
from pyspark.sql.udf import UserDefinedFunction

from udfs.scorers.scorer import Documents, Record, Scorer, model_of
from udfs.tokens.tokenizer import TokenizerSettings, tokenize_texts


def scoring_udf(scorers: Sequence[Scorer]) -> UserDefinedFunction:
    """A UDF from a column of texts and one of URLs to a struct with one field for each scorer.

    Every field is null for a null text; a null URL is an unknown one. The UDF is marked
    nondeterministic, because Spark would otherwise run the models again for every filter on their
    scores.

    Batch:
        Iterator pandas UDF; the models are loaded once in a Python worker.
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
        texts: Strings, shape (texts,); None for a missing text.
        scorers: The scorers to run.
        models: The model of each scorer.
        urls: Addresses of the same documents; None where unknown.
    Returns:
        One row for each text and one column for each scorer: its record, or None for a missing
        text.
    """
    is_there = texts.notna().to_numpy()
    known = None if urls is None else urls.where(urls.notna(), None)[is_there].tolist()
    present = Documents(texts[is_there], known)
    settings = list(dict.fromkeys(s.tokenizer for s in scorers if s.tokenizer is not None))
    tokenized: dict[TokenizerSettings | None, Any] = dict(
        zip(settings, tokenize_texts(present, settings), strict=True)
    )
    tokenized[None] = present
    columns: dict[str, list[Record | None]] = {}
    for scorer, model in zip(scorers, models, strict=True):
        records = scorer.score(tokenized[scorer.tokenizer], model)
        if scorer.revise is not None:
            records = scorer.revise(records, present)
        rows = iter(records)
        columns[scorer.name] = [next(rows) if there else None for there in is_there]
    # Without dtype=object pandas would read a column of None only as numbers.
    return pd.DataFrame(columns, index=texts.index, dtype=object)
