"""s3:// through the store's own protocol, on this machine: whole files, ranges, a busy store."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer
from pyarrow import fs as pafs

from jobs import plan_input
from jobs.pipeline.request_file import read_request
from jobs.run.lease import OutputInUse, lease_of
from jobs.run.store import Commit, Store
from tests.builders.file_server import (
    S3_ACCOUNT,
    Fault,
    FileServer,
    port_without_server,
    serving,
)
from tests.builders.s3_server import serving_s3
from tests.builders.warc_files import http_response, member, member_offsets, page, record
from tests.udfs.files.test_http_ranges import CONTENT, FAST
from tests.udfs.warc.test_ranges import outcome, planned, read, reading
from udfs.files import store_clients
from udfs.files.formats import HEAD_BYTES, read_head
from udfs.files.object_store import StoreReads
from udfs.files.output_files import atomic_file
from udfs.files.store_clients import NoSuchBucket, StoreUnreachable
from udfs.files.uris import expand_inputs, open_input
from udfs.warc.ranges import Range, RangeReader
from udfs.warc.reader import read_records


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def use(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    for name, value in {**S3_ACCOUNT, "AWS_ENDPOINT_URL": endpoint}.items():
        monkeypatch.setenv(name, value)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[pafs.FileSystem]:
    use(monkeypatch, endpoint)
    store_clients.s3_client.cache_clear()
    store = pafs.S3FileSystem(endpoint_override=endpoint, allow_bucket_creation=True)
    store.create_dir("bucket")
    yield store
    store_clients.s3_client.cache_clear()


def put(store: pafs.FileSystem, path: str, data: bytes) -> None:
    with store.open_output_stream(path, compression=None) as stream:  # not by the name
        stream.write(data)


def test_whole_files(bucket: pafs.FileSystem) -> None:
    data = b"".join(member(record(http_response(page(n, 2_000)))) for n in range(20))
    put(bucket, "bucket/crawl/a.warc.gz", data)
    put(bucket, "bucket/crawl/b.warc.gz", data)
    found = expand_inputs(["s3a://bucket/crawl/*.gz"])
    assert [(file.uri, file.size) for file in found] == [
        (f"s3://bucket/crawl/{name}.warc.gz", len(data)) for name in "ab"
    ]
    with open_input("s3://bucket/crawl/a.warc.gz") as file:
        items = [outcome(item) for item in read_records(file)]
    assert items == [outcome(item) for item in read_records(io.BytesIO(data))]
    with pytest.raises(FileNotFoundError):
        open_input("s3://bucket/none")


def test_stretches(bucket: pafs.FileSystem) -> None:
    put(bucket, "bucket/a", CONTENT)
    with RangeReader(FAST) as reader:
        assert reader.read("s3a://bucket/a", 10, 50) == CONTENT[10:60]
        assert reader.read("s3://bucket/a", 199_990, 50) == CONTENT[-10:]
        assert reader.read("s3://bucket/a", 300_000, 50) == b""
        for missing in ("s3://bucket/none", "s3://nobucket/none"):
            with pytest.raises(FileNotFoundError):
                reader.read(missing, 0, 10)


def test_ranges(bucket: pafs.FileSystem, tmp_path: Path) -> None:
    data = [member(record(http_response(page(n, 300)))) for n in range(9)]
    offsets = member_offsets(data)
    put(bucket, "bucket/b", b"".join(data))
    ranges = [Range("b", offsets[n], len(data[n]), "s3://bucket/b") for n in (0, 1, 4, 5, 8)] + [
        Range("c", 0, 10, "s3://bucket/c")
    ]
    # The plan lies in the store too.
    for file in Path(planned(tmp_path / "split", ranges)).iterdir():
        put(bucket, f"bucket/out/split=00000/{file.name}", file.read_bytes())
    found = read("s3a://bucket/out/split=00000", reading())
    whole = {item.offset: outcome(item) for item in read_records(io.BytesIO(b"".join(data)))}
    assert [outcome(item) for item in found["b"]] == [whole[offsets[n]] for n in (0, 1, 4, 5, 8)]
    assert [outcome(item) for item in found["c"]] == [(0, "missing_file")]


def test_an_output_there_remembers_its_request(bucket: pafs.FileSystem, tmp_path: Path) -> None:
    rows = tmp_path / "a.jsonl"
    rows.write_text('{"text": "a"}\n', encoding="utf-8")
    call = ["--output", "s3a://bucket/remembers"]
    assert read_request(Store.at(call[1])).data is None
    first = [*call, "--input", str(rows), "--set"]
    assert plan_input.main([*first, "rules.min_chars=100", 'rules.conditions.a=url > "b"']) == 0
    assert plan_input.main([*call, "--set", "select.min_quality=off"]) == 0
    found = read_request(Store.at(call[1]))
    assert found.inputs == ({"uri": str(rows)},)
    assert found.settings is not None
    rules = found.settings.tables["rules"]
    assert (rules["min_chars"], rules["conditions"]["a"]) == (100, 'url > "b"')
    assert found.settings.tables["select"]["min_quality"] == "off"


@pytest.fixture
def flaky(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A store that holds bucket/a, and answers as the test says."""
    (tmp_path / "store/bucket").mkdir(parents=True)
    (tmp_path / "store/bucket/a").write_bytes(CONTENT)
    with serving(tmp_path / "store") as server:
        use(monkeypatch, server.url)
        store_clients.s3_client.cache_clear()
        yield server
    store_clients.s3_client.cache_clear()


def test_a_busy_store_is_asked_again(flaky: FileServer) -> None:
    troubles = dict(enumerate([Fault(status=503), Fault(status=500), Fault(drop_after=10)]))
    flaky.fault = lambda get: troubles.get(get.count)
    with RangeReader(FAST) as reader:
        assert reader.read("s3://bucket/a", 1_000, 50) == CONTENT[1_000:1_050]
    assert len(flaky.requests) == 4


def test_a_whole_file_is_read_through_a_bad_hour(flaky: FileServer) -> None:
    troubles = dict(
        enumerate([Fault(status=503), Fault(drop_after=10), Fault(status=500), Fault(status=429)])
    )
    flaky.fault = lambda get: troubles.get(get.count)
    with open_input("s3://bucket/a", FAST) as file:
        assert file.read() == CONTENT
    assert len(flaky.requests) == 5


def test_an_answer_that_is_late_is_waited_for(flaky: FileServer) -> None:
    flaky.fault = lambda get: Fault(late_s=4.5)  # the client's own patience ends at 3
    with RangeReader(FAST) as reader:
        assert reader.read("s3://bucket/a", 1_000, 50) == CONTENT[1_000:1_050]
    assert len(flaky.requests) == 1


@pytest.mark.parametrize(("value", "is_signed"), [("", True), ("no", True), ("YES", False)])
def test_requests_are_signed_unless_the_environment_says_no(
    flaky: FileServer, monkeypatch: pytest.MonkeyPatch, value: str, is_signed: bool
) -> None:
    monkeypatch.setenv("AWS_NO_SIGN_REQUEST", value)
    with RangeReader(FAST) as reader:
        assert reader.read("s3://bucket/a", 0, 50) == CONTENT[:50]
    assert flaky.signed == [is_signed]


def test_a_refusal_is_not_tried_again(flaky: FileServer) -> None:
    flaky.fault = lambda get: Fault(status=403)
    with RangeReader(FAST) as reader, pytest.raises(PermissionError):
        reader.read("s3://bucket/a", 1_000, 50)
    assert len(flaky.requests) == 1


def test_a_file_appears_whole_or_not_at_all(bucket: pafs.FileSystem) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        atomic_file("s3://bucket/export/part-00000.jsonl.gz") as file,
    ):
        file.write(b"half")
        raise KeyboardInterrupt
    written = b"whole" * 4_000_000  # more than is held in memory
    with atomic_file("s3a://bucket/export/part-00001.jsonl.gz") as file:
        file.write(written)
    found = [info.path for info in bucket.get_file_info(pafs.FileSelector("bucket/export"))]
    assert found == ["bucket/export/part-00001.jsonl.gz"]
    with open_input("s3://bucket/export/part-00001.jsonl.gz") as stream:
        assert stream.read() == written  # not compressed by its name


def test_one_run_at_a_time_on_an_output(bucket: pafs.FileSystem) -> None:
    output = Store.at("s3://bucket/out")
    with lease_of(output, 300.0), pytest.raises(OutputInUse), lease_of(output, 300.0):
        pass
    with lease_of(output, 300.0) as lease:
        lease.check()
    assert output.list_names("_lease") == []


def test_an_output_is_kept_by_a_store_that_often_says_slow_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bucket").mkdir()
    requests = itertools.count(1)
    with serving_s3(tmp_path, lambda method, path: next(requests) % 7 == 0) as server:
        use(monkeypatch, server.url)
        store_clients.s3_client.cache_clear()
        output = Store.at("s3a://bucket/out")
        with lease_of(output, 300.0) as lease:
            output.commit(Commit("stage", 3, "made of this", 1.0, 5))
            assert output.commits("stage")[3].rows == 5
            output.revoke("stage", 3)
            assert output.commits("stage") == {}
            lease.check()
        assert output.list_names("_lease") == []
    store_clients.s3_client.cache_clear()
    assert next(requests) > 21


def test_the_head_of_a_file_is_one_small_range(
    bucket: pafs.FileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = b'{"text": "%0512x"}\n' % 7
    put(bucket, "bucket/head/part-00000", line * 2_000)
    asked: list[tuple[int, int]] = []
    read = StoreReads.read

    def noted(self: StoreReads, offset: int, length: int) -> bytes:
        asked.append((offset, length))
        return read(self, offset, length)

    monkeypatch.setattr(StoreReads, "read", noted)
    head = read_head("s3a://bucket/head/part-00000", FAST)
    assert (head.format, head.is_whole) == ("jsonl", False)
    assert asked == [(0, HEAD_BYTES + 1)]
    with pytest.raises(FileNotFoundError):
        read_head("s3://bucket/head/absent", FAST)


def test_a_store_that_does_not_answer_is_found_by_the_first_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch, f"http://127.0.0.1:{port_without_server()}")
    for question in (
        Store.at,
        lambda uri: expand_inputs([uri]),
        lambda uri: expand_inputs([f"@{uri}"]),
    ):
        with pytest.raises(StoreUnreachable, match=r"^s3://dark: the store cannot be reached"):
            question("s3a://dark/key")


def test_a_bucket_that_does_not_exist_is_named(bucket: pafs.FileSystem) -> None:
    with pytest.raises(NoSuchBucket, match=r"no bucket s3://buckett:"):
        Store.at("s3://buckett/out")
    Store.at("s3://bucket/not/there/yet")
