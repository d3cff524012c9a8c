"""Input from an S3 store in a bad hour, with an environment that executors unpack: the corpus of a
calm local run."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.file_server import S3_ACCOUNT, Fault, Get, serving
from tests.builders.s3_server import SLOW_DOWN
from tests.cluster.conftest import LIMIT_S, SubmittedRun, corpus_of
from tests.cluster.test_faults import assert_nothing_is_left

pytestmark = pytest.mark.timeout(LIMIT_S)

BAD_HOUR = (
    Fault(status=503, body=SLOW_DOWN),
    Fault(drop_after=1_000),
    Fault(status=500),
    Fault(late_s=4.0),
)
"""What becomes of the first GETs of every file; only the last of them brings it."""
MACHINE_CODE = "lib/python*/site-packages/udfs/**/*.nb[ci]"


def trouble(get: Get) -> Fault | None:
    return BAD_HOUR[get.count] if get.count < len(BAD_HOUR) else None


def test_a_store_in_a_bad_hour(
    submit: Callable[..., SubmittedRun],
    bucket: Path,
    sample_files: Path,
    undisturbed: list[str],
) -> None:
    keys = [str(file.relative_to(bucket)) for file in sorted(sample_files.iterdir())]
    paths = bucket / "warc.paths"
    paths.write_text("\n".join(keys))
    begun = time.time()
    with serving(bucket.parent) as store:
        store.fault = trouble
        run = submit(
            "store",
            inputs=[f"@s3://bucket/{paths.name}"],
            crawl_root="s3://bucket/",
            variables={**S3_ACCOUNT, "AWS_ENDPOINT_URL_S3": store.url},
            unpacks=True,
        )
        assert run.finish() == 0, run.log()[-4000:]
    code = list(run.cluster.folder.glob(f"worker-*/app-*/*/environment/{MACHINE_CODE}"))
    assert code
    assert max(file.stat().st_mtime for file in code) < begun, "executors compiled what is packed"
    # The driver looks at the first bytes of the first file, to tell the format.
    expected = [len(BAD_HOUR) + 1, *[len(BAD_HOUR)] * (len(keys) - 1)]
    assert [store.count(f"/bucket/{key}") for key in keys] == expected, store.requests
    assert "The balance closes" in run.log()
    assert corpus_of(run.output) == undisturbed
    assert_nothing_is_left(run.output)
