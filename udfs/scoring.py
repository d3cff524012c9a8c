"""One pass for all fastText scorers: a text is segmented once and every model reads the words.

Separate pandas UDFs would move the text to Python, and cut it into words, once a scorer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import pandas as pd
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import StructField, StructType
from pyspark.sql.udf import UserDefinedFunction

from udfs.artifact_files import ArtifactFile
from udfs.fasttext_model import FastTextModel, load_fasttext
from udfs.token_lines import Reading, token_lines

Record = dict[str, Any]


@dataclass(frozen=True)
class Scorer:
    """A scorer as it travels to the executors: what it is called, reads and answers."""

    name: str
    """Name of its field in the result, and of its table."""
    artifact: ArtifactFile
    """The fastText model."""
    result_type: StructType
    """What it says of one text."""
    score: Callable[[Sequence[str], FastTextModel], list[Record]]
    """Token lines to one record a line, each line on its own. It must pickle: a function of a
    module, or a functools.partial of one that carries the options."""
    reading: Reading = field(default_factory=Reading)
    """How the model wants its texts."""


def scoring_udf(scorers: Sequence[Scorer]) -> UserDefinedFunction:
    """A UDF from a text column to a struct with one field a scorer.

    Every field is null for a null text. The UDF is marked nondeterministic, because Spark would
    otherwise run the models again for every filter on their scores.

    Batch:
        Iterator pandas UDF; the models are loaded once a Python worker, on the CPU.
    """
    chosen = tuple(scorers)
    result_type = StructType([StructField(s.name, s.result_type) for s in chosen])

    @pandas_udf(result_type)  # type: ignore[call-overload, untyped-decorator]
    def scores(batches: Iterator[pd.Series]) -> Iterator[pd.DataFrame]:
        models = [_model_of(scorer.artifact) for scorer in chosen]
        for texts in batches:
            yield score_texts(texts, chosen, models)

    udf: UserDefinedFunction = scores.asNondeterministic()
    return udf


def score_texts(
    texts: pd.Series, scorers: Sequence[Scorer], models: Sequence[FastTextModel]
) -> pd.DataFrame:
    """Score a batch of texts with every scorer.

    Args:
        texts: Strings; None is a text that is not there.
        scorers: What to run.
        models: The model of each scorer.
    Returns:
        One row a text and one column a scorer, holding its record, or None for a null text.
    """
    present = texts.notna().to_numpy()
    lines = token_lines(list(texts[present]), [scorer.reading for scorer in scorers])
    columns: dict[str, list[Record | None]] = {}
    for scorer, its_lines, model in zip(scorers, lines, models, strict=True):
        records = iter(scorer.score(its_lines, model))
        columns[scorer.name] = [next(records) if there else None for there in present]
    # Without dtype=object pandas would read a column of None only as numbers.
    return pd.DataFrame(columns, index=texts.index, dtype=object)


@lru_cache(maxsize=16)
def _model_of(artifact: ArtifactFile) -> FastTextModel:
    """The artifact's model, verified and loaded once a Python worker."""
    return load_fasttext(artifact.local_path())
