"""A release in an object store: in its place, the card last, and again where it was interrupted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs import release_corpus
from jobs.release import release
from tests.builders.corpus_outputs import made_rows, write_output
from tests.builders.file_server import S3_ACCOUNT
from tests.builders.s3_server import serving_s3
from tests.jobs.conftest import LOCAL_CONFIG
from udfs.files import store_clients

pytestmark = pytest.mark.spark
URI = "s3://bucket/deep/release"


class Bucket:
    """A bucket, and the order in which its objects changed."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "bucket"
        self.folder.mkdir(parents=True)
        self.changes: list[str] = []

    def refuses(self, method: str, path: str) -> bool:
        """Note a request; none is refused."""
        name = path.removeprefix("/bucket/deep/release/")
        if name != path and name and method in ("PUT", "POST", "DELETE"):
            self.changes.append(name)
        return False

    def objects(self) -> dict[str, bytes]:
        root = self.folder / "deep" / "release"
        return {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file()
        }


@pytest.fixture
def bucket(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bucket]:
    bucket = Bucket(tmp_path / "store")
    with serving_s3(tmp_path / "store", bucket.refuses) as server:
        for name, value in {**S3_ACCOUNT, "AWS_ENDPOINT_URL_S3": server.url}.items():
            monkeypatch.setenv(name, value)
            # Java runs already: its environment, which workers have, is that of the session.
            monkeypatch.setitem(spark.sparkContext.environment, name, value)
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.setitem(spark.sparkContext.environment, name, "")
        store_clients.s3_client.cache_clear()
        store_clients.check_bucket.cache_clear()
        yield bucket


def interrupted(*_: object) -> None:
    raise RuntimeError("interrupted")


@pytest.mark.slow
def test_a_release_in_a_bucket(
    spark: SparkSession,
    tmp_path: Path,
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = write_output(spark, tmp_path / "out", made_rows(50))
    command = ["--from", str(output), "--config", str(LOCAL_CONFIG)]
    command += ["--set", "release.file_bytes=4000", 'release.formats=["parquet", "jsonl.zst"]']
    assert release_corpus.main([*command, "--output", str(tmp_path / "local")]) == 0

    with monkeypatch.context() as patched:
        patched.setattr(release, "write_texts", interrupted)
        assert release_corpus.main([*command, "--output", URI]) == 1
    left = bucket.objects()
    assert "README.md" not in left and "_unfinished" in left and len(left) > 4

    bucket.changes.clear()
    assert release_corpus.main([*command, "--output", URI]) == 0  # again, without --yes
    objects = bucket.objects()
    local = tmp_path / "local"
    assert objects == {
        path.relative_to(local).as_posix(): path.read_bytes()
        for path in local.rglob("*")
        if path.is_file()
    }
    written = [name for name in bucket.changes if name in objects]
    assert written[-1] == "README.md" and bucket.changes[-1] == "_unfinished"
    lines = objects["checksums.sha256"].decode().splitlines()
    assert {line.split("  ")[1]: line.split("  ")[0] for line in lines} == {
        name: hashlib.sha256(data).hexdigest()
        for name, data in objects.items()
        if name != "checksums.sha256"
    }

    capsys.readouterr()
    other = [*command, "release.seed=1", "--output", URI]
    assert release_corpus.main(other) == 2
    assert "one is there already; --yes replaces it" in capsys.readouterr().err
    assert bucket.objects() == objects
    assert release_corpus.main([*other, "--yes"]) == 0
    replaced = bucket.objects()
    assert replaced.keys() == objects.keys()
    assert all(replaced[name] != data for name, data in objects.items() if "-of-" in name)
