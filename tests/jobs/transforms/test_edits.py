"""Edited texts in the place of what was extracted, and what a report counts of them."""

from __future__ import annotations

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.tables import CORPUS, EDITS, schema_of
from jobs.transforms.selection.corpus_rows import kept_documents
from jobs.transforms.selection.frame import with_pii
from jobs.transforms.summary import PAIR, corpus_facts
from jobs.transforms.texts import with_edited_text
from udfs.measures.schema import EDITS_TYPE, MEASURES_TYPE, PII_TYPE


@pytest.fixture
def documents(spark: SparkSession) -> DataFrame:
    rows = [("a", "一", 1), ("b", "二", 2), ("c", None, 3)]
    return spark.createDataFrame(rows, "doc_id string, text string, wave int")


def test_the_edited_text_stands_in_the_place_of_the_other(
    spark: SparkSession, documents: DataFrame
) -> None:
    edits = [("b", "二二", 1, "5e", [("width", 1)]), ("x", "不", 1, "00", [("nfc", 2)])]
    edited = with_edited_text(documents, spark.createDataFrame(edits, schema_of(EDITS)))
    assert edited.columns == [*documents.columns, "original_chars", "original_sha256", "edits"]
    assert sorted(map(tuple, edited.collect())) == [
        ("a", "一", 1, None, None, []),
        ("b", "二二", 2, 1, "5e", [("width", 1)]),
        ("c", None, 3, None, None, []),
    ]
    assert edited.schema["edits"].dataType == EDITS_TYPE


def test_without_edits_every_text_is_as_extracted(
    spark: SparkSession, documents: DataFrame
) -> None:
    edited = with_edited_text(documents, spark.createDataFrame([], schema_of(EDITS)))
    found = edited.select(*documents.columns).collect()
    assert sorted(map(tuple, found)) == sorted(map(tuple, documents.collect()))


def test_joins_by_document_move_the_texts_once(spark: SparkSession, documents: DataFrame) -> None:
    """Removed documents, edits and more are all joined by doc_id: one shuffle of the documents."""
    sides = {"removed": "doc_id string", "said": "doc_id string, score double"}
    removed, said = (spark.createDataFrame([("a", 0.5)][:0], ddl) for ddl in sides.values())
    edits = spark.createDataFrame([], schema_of(EDITS))
    threshold = "spark.sql.autoBroadcastJoinThreshold"
    before = spark.conf.get(threshold)
    spark.conf.set(threshold, "-1")
    try:
        kept = documents.join(removed, on="doc_id", how="left_anti")
        joined = with_edited_text(kept, edits).join(said, on="doc_id", how="inner")
        plan = joined._jdf.queryExecution().sparkPlan().toString()
        executed = joined._jdf.queryExecution().executedPlan().toString()
    finally:
        spark.conf.set(threshold, before)
    assert plan.count("Join") == 3
    assert executed.count("Exchange hashpartitioning(doc_id") == 4  # a side each


def test_a_kept_document_has_what_other_tables_say_of_it(
    spark: SparkSession, documents: DataFrame
) -> None:
    verdicts = spark.createDataFrame(
        [("a", None, 0.5, 3, 2), ("b", "apply_rules", None, 1, 1), ("c", None, 0.7, 1, 1)],
        "doc_id string, stage string, score double, cluster_size long, repeats int",
    ).selectExpr(
        *("doc_id", "stage", "cluster_size", "repeats"),
        *(f"struct(score) {n}" for n in ("quality", "domain", "toxicity")),
    )
    found = [{"kind": "email", "start": 1, "length": 2}]
    measures = dict.fromkeys(MEASURES_TYPE.fieldNames())
    measured = spark.createDataFrame(
        [("a", {**measures, "pii": found}), ("c", None)],
        f"doc_id string, measures {MEASURES_TYPE.simpleString()}",
    )
    rows = kept_documents(documents, with_pii(verdicts, measured)).collect()
    by_id = {row.doc_id: row for row in rows}
    assert by_id.keys() == {"a", "c"}
    assert [(by_id[name].cluster_size, by_id[name].repeats) for name in "ac"] == [(3, 2), (1, 1)]
    assert [span.asDict() for span in by_id["a"].pii] == found
    assert by_id["c"].pii is None
    assert by_id["a"].quality.score == 0.5


def test_edits_and_personal_data_are_counted_by_kind(spark: SparkSession) -> None:
    phone, mail = ("phone", 1, 2), ("email", 5, 6)
    rows = [
        ([("width", 3), ("nfc", 1)], [phone, mail, phone]),
        ([("width", 4)], [phone]),
        ([], []),
        (None, None),
    ]
    ddl = f"edits {EDITS_TYPE.simpleString()}, pii {PII_TYPE.simpleString()}"
    corpus = spark.createDataFrame(rows, ddl)
    others = corpus.withColumns(
        {
            "text": F.lit("一二三"),
            "domain": F.struct(
                F.lit("law").alias("single_label"),
                F.array(F.lit("law"), F.lit("finance")).alias("multi_label"),
            ),
            "toxicity": F.struct(F.lit(1).alias("label")),
            "contamination": F.struct(F.lit(None).cast("boolean").alias("matched")),
            **{
                name: F.lit(None).cast(schema_of(CORPUS)[name].dataType)
                for name in ("variety", "register")
            },
            "quality_score": F.lit(1.0),
            "cluster_size": F.lit(2),
        }
    )
    found = {(row.fact, row.key): (row.rows, row.amount) for row in corpus_facts(others).collect()}
    n = len(rows)
    assert found == {
        ("corpus", ""): (n, 3 * n),
        ("toxic_rows", ""): (n, 0),
        ("contaminated_rows", ""): (0, 0),
        ("stand_for", ""): (2 * n, 0),
        ("domain", "law"): (n, 3 * n),
        (f"domain{PAIR}", f"law{PAIR}law"): (n, 0),
        (f"domain{PAIR}", f"finance{PAIR}law"): (n, 0),
        (f"domain{PAIR}", f"finance{PAIR}finance"): (n, 0),
        ("variety", None): (n, 3 * n),  # their scorers did not run
        ("register", None): (n, 3 * n),
        ("quality", "9"): (n, 0),
        ("clusters", "1"): (n, 2 * n),
        ("edit", "width"): (2, 7),
        ("edit", "nfc"): (1, 1),
        ("pii", "phone"): (2, 3),
        ("pii", "email"): (1, 1),
    }
