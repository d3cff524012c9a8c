"""Seeded samples: the driver takes the documents that Spark takes, whatever the partitions."""

from __future__ import annotations

from pyspark.sql import SparkSession

from jobs.transforms.samples import few_of_each, few_of_each_row


def test_driver_and_spark_take_the_same_documents(spark: SparkSession) -> None:
    candidates = [
        *(("rejected", "apply_rules", f"r{n % 3}", 0.0, f"{n:03d}") for n in range(90)),
        *(("borderline", "select_corpus", "low_quality", n % 7 / 10, f"b{n}") for n in range(30)),
    ]
    frame = spark.createDataFrame(
        candidates, "kind string, stage string, reason string, rank double, doc_id string"
    )
    for seed in (0, 7):
        expected = few_of_each_row(reversed(candidates), 4, seed)
        found = few_of_each(frame.repartition(5), 4, seed).collect()
        assert sorted(map(tuple, found)) == sorted(expected)
        assert len(expected) == 4 * 4
    assert few_of_each_row(candidates, 4, 0) != few_of_each_row(candidates, 4, 7)
    border = [row[-1] for row in few_of_each_row(candidates, 5, 0) if row[0] == "borderline"]
    assert {int(doc_id[1:]) % 7 for doc_id in border} == {0}  # the lowest ranks first
