"""Artifacts in a store: read by the executors themselves, into the cache of their machine."""

from __future__ import annotations

import hashlib
import multiprocessing
from pathlib import Path

import pytest
from pyarrow import fs as pafs

from jobs.catalogue.catalogue import Artifact
from jobs.catalogue.fetch import ship
from jobs.config import ArtifactsConfig, Config
from tests.udfs.files.test_s3 import bucket, endpoint, put
from udfs.files.artifacts import ArtifactFile, ArtifactMismatch

__all__ = ["bucket", "endpoint"]  # fixtures

DATA = bytes(range(256)) * 8_000
DIGEST = hashlib.sha256(DATA).hexdigest()


def shipped(tmp_path: Path) -> ArtifactFile:
    """As the driver of a cluster sends it: the file itself is not read there."""
    model = Artifact("model", "1", "s3a://bucket/m.bin", DIGEST, "x", size=len(DATA))
    config = Config(artifacts=ArtifactsConfig(cache=str(tmp_path / "cache")))
    return ship(None, model, config)  # type: ignore[arg-type]


def look(file: ArtifactFile, results: multiprocessing.Queue[int]) -> None:
    results.put(file.local_path().stat().st_ino)


def test_python_workers_share_one_copy(bucket: pafs.FileSystem, tmp_path: Path) -> None:
    put(bucket, "bucket/m.bin", DATA)
    file = shipped(tmp_path)
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[int] = context.Queue()
    workers = [context.Process(target=look, args=(file, results)) for _ in range(3)]
    for worker in workers:
        worker.start()
    copies = {results.get(timeout=600) for _ in workers}
    for worker in workers:
        worker.join()
    assert copies == {(tmp_path / "cache" / file.file_name).stat().st_ino}
    bucket.delete_file("bucket/m.bin")
    assert file.local_path().read_bytes() == DATA


@pytest.mark.parametrize("there", [DATA[::-1], DATA + b"!", DATA[1:]])
def test_other_bytes_in_the_store_are_never_used(
    bucket: pafs.FileSystem, tmp_path: Path, there: bytes
) -> None:
    put(bucket, "bucket/m.bin", there)
    file = shipped(tmp_path)
    with pytest.raises(ArtifactMismatch, match="model"):
        file.local_path()
    assert not (tmp_path / "cache" / file.file_name).exists()
