"""Documents edited and measured."""

from __future__ import annotations

from pyspark.sql import DataFrame

from udfs.passed_types import PASSED_TYPE
from udfs.text_pass import TextPass, text_pass


def edit_and_measure(documents: DataFrame, plan: TextPass) -> DataFrame:
    """Edit the texts and measure the result.

    Needs: doc_id, url, opt_outs, text.
    Adds: the columns of PASSED_TYPE, in the place of all others.
    Rows: all kept. Shuffles: none.
    """
    looked_at = documents.select("doc_id", "url", "opt_outs", "text")
    return looked_at.mapInArrow(text_pass(plan), PASSED_TYPE)
