"""The committers of conf/spark-store.conf, as far as Spark brings them itself.

Those of s3a:// and Parquet's binding to any of them are in spark-hadoop-cloud and hadoop-aws, which
PySpark does not have: what is tested is the committer of gs://, on a local folder and with text.
"""

from __future__ import annotations

import json
from pathlib import Path

from pyspark.sql import SparkSession

from jobs.config.spark_properties import read_properties
from tests.jobs.conftest import ROOT

FACTORY = "mapreduce.outputcommitter.factory.scheme."
TEXT = "org.apache.hadoop.mapreduce.lib.output.TextOutputFormat"


def test_the_committer_of_a_store_without_renamed_folders_lists_its_files(
    spark: SparkSession, tmp_path: Path
) -> None:
    properties = read_properties(ROOT / "conf" / "spark-store.conf")
    factory = properties[f"spark.hadoop.{FACTORY}gs"]
    lines = spark.sparkContext.parallelize([(f"第{n}行", None) for n in range(6)], 3)
    output = tmp_path / "out"
    lines.saveAsNewAPIHadoopFile(
        output.as_uri(),
        TEXT,
        keyClass="org.apache.hadoop.io.Text",
        valueClass="org.apache.hadoop.io.NullWritable",
        conf={f"{FACTORY}file": factory},
    )
    success = json.loads((output / "_SUCCESS").read_bytes())
    assert success["committer"] == factory.removesuffix("Factory")
    written = sorted(path.name for path in output.glob("part-*"))
    assert sorted(Path(name).name for name in success["filenames"]) == written
    assert len(written) == 3
    assert {path.name for path in output.iterdir() if path.suffix != ".crc"} == {
        *written,
        "_SUCCESS",
    }
