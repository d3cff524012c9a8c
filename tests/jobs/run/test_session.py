"""Which settings a session gets, and what is left of them when a command ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.config import ConfigError, load_config
from jobs.run.session import has_compiled_loops, spark_session
from tests.jobs.conftest import LOCAL_CONFIG

PARTITIONS = "spark.sql.shuffle.partitions"


def properties(folder: Path, text: str) -> list[str]:
    path = folder / "small.conf"
    path.write_text(text, encoding="utf-8")
    return [f"spark.small_properties={path}", "spark.small_input_bytes=1000"]


@pytest.mark.parametrize(
    ("input_bytes", "expected"), [(1000, "3"), (1001, "5"), (None, "5")], ids=str
)
def test_little_input_has_settings_until_the_command_ends(
    spark: SparkSession, tmp_path: Path, input_bytes: int | None, expected: str
) -> None:
    before = spark.conf.get(PARTITIONS)
    spark.conf.set(PARTITIONS, "5")
    config = load_config(None, properties(tmp_path, f"{PARTITIONS} 3\n"))
    try:
        with spark_session("test", config, None, input_bytes) as session:
            assert session.conf.get(PARTITIONS) == expected
        assert spark.conf.get(PARTITIONS) == "5"
    finally:
        spark.conf.set(PARTITIONS, str(before))


@pytest.mark.parametrize(("mebibytes", "expected"), [(1, "1"), (33, "2"), (900, "2")], ids=str)
def test_little_input_has_few_partitions(
    spark: SparkSession, tmp_path: Path, mebibytes: int, expected: str
) -> None:
    """One for every 16 MiB, and no more than cores."""
    before = spark.conf.get(PARTITIONS)
    few = properties(tmp_path, "spark.sql.adaptive.enabled false\n")[0]
    small = [few, f"spark.small_input_bytes={2**30}"]
    with spark_session("test", load_config(None, small), None, mebibytes * 2**20) as session:
        assert session.conf.get(PARTITIONS) == expected
        assert session.conf.get("spark.sql.files.minPartitionNum") == expected
    assert spark.conf.get(PARTITIONS) == before


def test_a_key_that_was_unset_is_unset_again(spark: SparkSession, tmp_path: Path) -> None:
    key = "spark.sql.files.maxPartitionBytes"
    config = load_config(None, properties(tmp_path, f"{key} 64m\n"))
    with spark_session("test", config, None, 1) as session:
        assert session.conf.get(key) == "64m"
    assert spark.conf.get(key, None) is None


def test_a_key_that_is_fixed_when_spark_starts_is_an_error(
    spark: SparkSession, tmp_path: Path
) -> None:
    config = load_config(None, properties(tmp_path, "spark.driver.memory 1g\n"))
    with (
        pytest.raises(ConfigError, match=r"spark\.driver\.memory is fixed when Spark starts"),
        spark_session("test", config, None, 1),
    ):
        pass
    assert spark.range(1).count() == 1


@pytest.mark.parametrize("key", ["properties", "small_properties"])
def test_a_properties_file_that_is_absent_is_an_error(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setattr(SparkSession, "getActiveSession", lambda: None)
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    config = load_config(LOCAL_CONFIG, [f"spark.{key}=absent.conf"])
    with (
        pytest.raises(ConfigError, match=rf"spark\.{key} = 'absent\.conf'"),
        spark_session("test", config, LOCAL_CONFIG, 1),
    ):
        pass


def test_a_machine_that_has_compiled_nothing_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "numba"))
    assert not has_compiled_loops()
    folder = tmp_path / "numba" / "html_0a1b"
    folder.mkdir(parents=True)
    (folder / "tags.scan-12.py311.nbi").touch()
    assert has_compiled_loops()
