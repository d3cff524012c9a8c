"""One file layer: spelling, expansion, and a remote file read through a bad connection."""

from __future__ import annotations

import gzip
import http.server
import io
import os
import random
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from udfs.files import uris as files
from udfs.files.retry import RemoteReadError, RetryPolicy
from udfs.files.uris import (
    InputFile,
    InputNotFound,
    canonical_uri,
    expand_inputs,
    filesystem,
    open_input,
    provenance_path,
    redact,
)

# --- spelling ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("/data/a.warc.gz", "/data/a.warc.gz"),
        ("/data/./x/../a.warc.gz", "/data/a.warc.gz"),
        ("a.warc.gz", "/base/a.warc.gz"),
        ("file:///data/a%20b", "/data/a b"),
        ("file://localhost/data/a", "/data/a"),
        ("s3://bucket/key", "s3://bucket/key"),
        ("s3a://bucket/key", "s3://bucket/key"),
        ("S3N://bucket/a%20b", "s3://bucket/a%20b"),
        ("hdfs://node:8020/a", "hdfs://node:8020/a"),
        ("https://host/a?b=c", "https://host/a?b=c"),
        ("odd:name.warc.gz", "/base/odd:name.warc.gz"),
    ],
)
def test_canonical(uri: str, expected: str) -> None:
    assert canonical_uri(uri, Path("/base")) == expected
    assert canonical_uri(expected) == expected


def test_file_uri_of_another_host() -> None:
    with pytest.raises(ValueError, match="host"):
        canonical_uri("file://elsewhere/a")


@pytest.mark.parametrize(
    "prefix",
    [
        "s3://commoncrawl/",
        "s3a://commoncrawl/",
        "https://data.commoncrawl.org/",
        "http://data.commoncrawl.org/",
        "https://commoncrawl.s3.amazonaws.com/",
        "https://commoncrawl.s3.us-east-1.amazonaws.com/",
        "https://s3.amazonaws.com/commoncrawl/",
        "s3://aws-publicdatasets/common-crawl/",
        "https://aws-publicdatasets.s3.amazonaws.com/common-crawl/",
    ],
)
def test_one_name_for_a_common_crawl_file(prefix: str) -> None:
    key = "crawl-data/CC-MAIN-2020-34/segments/1/warc/a.warc.gz"
    assert provenance_path(prefix + key) == key
    assert provenance_path(f"{prefix}{key}?X-Amz-Signature=1") == key


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("/data/crawl-data/a.warc.gz", "/data/crawl-data/a.warc.gz"),
        ("s3n://mine/crawl-data/a.warc.gz", "s3://mine/crawl-data/a.warc.gz"),
        ("https://other.org/crawl-data/a.warc.gz", "https://other.org/crawl-data/a.warc.gz"),
        (
            "https://me:secret@other.org/a.gz?part=1&X-Amz-Signature=ab&X-Amz-Date=1&Expires=2",
            "https://other.org/a.gz?part=1",
        ),
    ],
)
def test_provenance_of_other_files(uri: str, expected: str) -> None:
    assert provenance_path(uri) == expected


@pytest.mark.parametrize(
    "uri",
    [
        "https://me:SECRET@host/a.gz",
        "https://me:SEC/RET@host/a.gz",
        "https://host/a.gz?X-Amz-Credential=SECRET&X-Amz-Signature=SECRET",
        "https://host/a.gz?AWSAccessKeyId=SECRET&Expires=1&Signature=SECRET",
        "https://host/a.gz?sv=1&sig=SECRET",
        "https://host/a.gz?access_token=SECRET",
        "https://host/a.gz?%73ig=SECRET",
        "s3://KEY:SECRET@bucket/a.gz",
        "s3://KEY:SEC/RET@bucket/a.gz",
    ],
)
def test_redact(uri: str) -> None:
    shown = redact(uri)
    assert "SECRET" not in shown
    assert "***" in shown
    assert "RET@" not in shown


@pytest.mark.parametrize("uri", ["/data/a@b?sig=1", "https://host:80/a@b?part=1&x", "s3://b/k"])
def test_redact_leaves_the_rest(uri: str) -> None:
    assert redact(uri) == uri


def test_filesystem_names_what_it_knows() -> None:
    with pytest.raises(ValueError, match="s3") as error:
        filesystem("ftp://me:secret@host/a")
    assert "secret" not in str(error.value)
    with pytest.raises(ValueError, match="environment") as error:
        filesystem("s3://key:secret@bucket/a")
    assert "secret" not in str(error.value)


def test_filesystem_of_a_local_path(tmp_path: Path) -> None:
    store, path = filesystem(f"file://{tmp_path}/a.json")
    with store.open_output_stream(path) as stream:
        stream.write(b"{}")
    assert (tmp_path / "a.json").read_bytes() == b"{}"


# --- expansion ---------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "a.warc.gz",
        "b.warc.gz",
        "c.txt",
        "d[1].warc.gz",
        "_SUCCESS",
        ".hidden.warc.gz",
        "crawl-1/x/one.warc.gz",
        "crawl-1/x/deep/two.warc.gz",
        "crawl-2/x/three.warc.gz",
        "crawl-2/_temporary/four.warc.gz",
        "空 格/五.warc.gz",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    (tmp_path / "empty").mkdir()
    return tmp_path


def names(found: list[InputFile], tree: Path) -> list[str]:
    return [os.path.relpath(file.uri, tree) for file in found]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a.warc.gz", ["a.warc.gz"]),
        ("*.warc.gz", ["a.warc.gz", "b.warc.gz", "d[1].warc.gz"]),
        ("?.warc.gz", ["a.warc.gz", "b.warc.gz"]),
        ("[!a].warc.gz", ["b.warc.gz"]),
        ("[ab].warc.gz", ["a.warc.gz", "b.warc.gz"]),
        ("d[1].warc.gz", ["d[1].warc.gz"]),  # a file of that very name
        ("crawl-*/x/*.gz", ["crawl-1/x/one.warc.gz", "crawl-2/x/three.warc.gz"]),
        (
            "crawl-*/x",
            ["crawl-1/x/deep/two.warc.gz", "crawl-1/x/one.warc.gz", "crawl-2/x/three.warc.gz"],
        ),
        (
            "crawl-*",
            ["crawl-1/x/deep/two.warc.gz", "crawl-1/x/one.warc.gz", "crawl-2/x/three.warc.gz"],
        ),
        ("**/two.*", ["crawl-1/x/deep/two.warc.gz"]),
        ("crawl-1/**/*.gz", ["crawl-1/x/deep/two.warc.gz", "crawl-1/x/one.warc.gz"]),
        ("crawl-1/**", ["crawl-1/x/deep/two.warc.gz", "crawl-1/x/one.warc.gz"]),
        ("**/a.*", ["a.warc.gz"]),
        ("crawl-2/", ["crawl-2/x/three.warc.gz"]),
        ("_S*", ["_SUCCESS"]),
        (".h*", [".hidden.warc.gz"]),
        ("空 格/*", ["空 格/五.warc.gz"]),
    ],
)
def test_expand(given: str, expected: list[str], tree: Path) -> None:
    assert names(expand_inputs([f"{tree}/{given}"]), tree) == expected


def test_expand_directory_sorted_and_once(tree: Path) -> None:
    found = expand_inputs([f"{tree}/crawl-1", f"file://{tree}/crawl-*/x/one*", f"{tree}/a.warc.gz"])
    assert names(found, tree) == [
        "a.warc.gz",
        "crawl-1/x/deep/two.warc.gz",
        "crawl-1/x/one.warc.gz",
    ]
    assert [file.size for file in found] == [9, 26, 21]


def test_relative_to_the_working_directory(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    assert names(expand_inputs(["*.txt", "./a.warc.gz"]), tree) == ["a.warc.gz", "c.txt"]


def test_every_missing_input_is_named(tree: Path) -> None:
    given = [f"{tree}/none", f"{tree}/a.warc.gz", f"{tree}/z*.gz", f"{tree}/empty", "@/no/list"]
    with pytest.raises(InputNotFound) as error:
        expand_inputs(given)
    assert error.value.missing == [f"{tree}/none", f"{tree}/z*.gz", f"{tree}/empty", "@/no/list"]
    assert f"{tree}/z*.gz" in str(error.value)


def test_list_of_paths(tree: Path) -> None:
    text = "\ufeff# a comment\r\n\r\n a.warc.gz \r\nmissing[1].gz\r\ns3a://bucket/key\r\n/abs/x\r\n"
    (tree / "paths.txt").write_text(text, encoding="utf-8", newline="")
    (tree / "paths.gz").write_bytes(gzip.compress(text.encode()))
    expected = [
        InputFile(uri, None)
        for uri in sorted(
            [f"{tree}/a.warc.gz", f"{tree}/missing[1].gz", "s3://bucket/key", "/abs/x"]
        )
    ]
    assert expand_inputs([f"@{tree}/paths.txt"]) == expected
    assert expand_inputs([f"@{tree}/paths.gz"]) == expected
    # A file that is also given by itself keeps its size.
    both = expand_inputs([f"{tree}/a.warc.gz", f"@{tree}/paths.txt"])
    assert InputFile(f"{tree}/a.warc.gz", 9) in both
    assert len(both) == 4


def test_open_local(tree: Path) -> None:
    with open_input(f"file://{tree}/a.warc.gz") as stream:
        assert (stream.read(2), stream.tell(), stream.seek(1), stream.read()) == (
            b"a.",
            2,
            1,
            b".warc.gz",
        )
    with pytest.raises(FileNotFoundError):
        open_input(f"{tree}/none")


# --- https:// ----------------------------------------------------------------------------

CONTENT = random.Random(9).randbytes(3_000_000)
FAST = RetryPolicy(attempts=4, first_delay_s=0.001, max_delay_s=0.01, timeout_s=2.0)


@dataclass
class Fault:
    """What the server does with one GET."""

    status: int | None = None
    drop_after: int | None = None
    stall: bool = False
    retry_after: str | None = None


@dataclass
class Server:
    url: str = ""
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    ranges: bool = True
    etag: Callable[[int], str] = lambda request: '"one"'
    content: bytes = CONTENT
    paths: bytes = b""
    release: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            return

        def do_HEAD(self) -> None:
            if "missing" in self.path:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(state.content)))
            self.end_headers()

        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.requests.append((self.path, asked))
            fault = state.faults.pop(0) if state.faults else Fault()
            if "missing" in self.path:
                fault = Fault(status=404)
            if fault.status is not None:
                self.send_response(fault.status)
                if fault.retry_after:
                    self.send_header("Retry-After", fault.retry_after)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            content = state.paths if self.path.endswith(".paths") else state.content
            start = 0
            found = re.fullmatch(r"bytes=(\d+)-", asked or "")
            if found and state.ranges:
                start = int(found[1])
                if start >= len(content):
                    self.send_error(416)
                    return
                self.send_response(206)
                self.send_header(
                    "Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}"
                )
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(content) - start))
            self.send_header("ETag", state.etag(len(state.requests)))
            self.end_headers()
            end = len(content) if fault.drop_after is None else start + fault.drop_after
            self.wfile.write(content[start:end])
            if fault.stall:
                state.release.wait(5)
            if fault.drop_after is not None:
                self.wfile.flush()
                self.close_connection = True

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield state
    state.release.set()
    server.shutdown()
    server.server_close()
    thread.join()


def read_all(url: str, policy: RetryPolicy = FAST) -> bytes:
    with open_input(url, policy) as stream:
        return b"".join(iter(lambda: stream.read(100_000), b""))


def test_remote_file_is_one_request(server: Server) -> None:
    assert read_all(server.url + "/a.warc.gz") == CONTENT
    assert server.requests == [("/a.warc.gz", None)]


def test_remote_file_is_a_file(server: Server) -> None:
    with open_input(server.url + "/a", FAST) as stream:
        assert stream.read(10) == CONTENT[:10]
        assert stream.tell() == 10
        assert stream.seekable()
        stream.seek(2_000_000)
        assert stream.read(10) == CONTENT[2_000_000:2_000_010]
        stream.seek(-5, io.SEEK_END)
        assert stream.read() == CONTENT[-5:]
        assert stream.read(10) == b""
        stream.seek(10**9)
        assert stream.read(10) == b""


def test_dropped_connections_are_taken_up_where_they_broke(server: Server) -> None:
    server.faults = [Fault(drop_after=n) for n in (1_000_000, 0, 1_100_001, 5)]
    assert read_all(server.url + "/a") == CONTENT
    assert [asked for _, asked in server.requests] == [
        None,
        "bytes=1000000-",
        "bytes=1000000-",
        "bytes=2100001-",
        "bytes=2100006-",
    ]


def test_server_without_ranges(server: Server) -> None:
    server.ranges = False
    server.faults = [Fault(drop_after=1_000_000)]
    assert read_all(server.url + "/a") == CONTENT


@pytest.mark.parametrize("status", [429, 500, 503])
def test_busy_server(server: Server, status: int) -> None:
    server.faults = [Fault(status=status), Fault(drop_after=10), Fault(status=status)]
    assert read_all(server.url + "/a") == CONTENT


def test_silent_server(server: Server) -> None:
    server.faults = [Fault(drop_after=500_000, stall=True)]
    policy = RetryPolicy(attempts=3, first_delay_s=0.001, max_delay_s=0.01, timeout_s=1.0)
    assert read_all(server.url + "/a", policy) == CONTENT


def test_given_up_at_last(server: Server) -> None:
    server.faults = [Fault(status=503)] * 50
    with pytest.raises(RemoteReadError, match="status 503") as gone:
        read_all(server.url + "/a?X-Amz-Signature=hush")
    assert "hush" not in str(gone.value)
    assert len(server.requests) == FAST.attempts


def test_user_and_password_are_refused(server: Server) -> None:
    url = server.url.replace("//", "//me:hush@") + "/a"
    for use in (open_input, lambda url: expand_inputs([url])):
        with pytest.raises(ValueError, match="environment") as error:
            use(url)
        assert "hush" not in str(error.value)


def test_progress_gives_new_tries_and_crumbs_do_not(server: Server) -> None:
    server.faults = [Fault(drop_after=10)] * 50
    with pytest.raises(RemoteReadError, match="ended early"):
        read_all(server.url + "/a")
    server.requests.clear()
    server.content = CONTENT * 3
    server.faults = [Fault(drop_after=1_100_000)] * 50
    assert read_all(server.url + "/a") == server.content
    assert len(server.requests) > 2 * FAST.attempts


def test_waits_as_long_as_the_server_asks(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("udfs.files.retry.time.sleep", waited.append)
    server.faults = [Fault(status=429, retry_after="7"), *[Fault(status=503)] * 4]
    policy = RetryPolicy(attempts=9, first_delay_s=1.0, max_delay_s=9.0)
    assert read_all(server.url + "/a", policy) == CONTENT
    assert waited[0] == 7.0
    for index, delay in enumerate(waited[1:], start=1):
        assert min(9.0, 0.5 * 2**index) <= delay <= min(9.0, 2.0**index)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(404, FileNotFoundError), (410, FileNotFoundError), (403, PermissionError), (400, OSError)],
)
def test_statuses_that_do_not_change(server: Server, status: int, expected: type[OSError]) -> None:
    server.faults = [Fault(status=status)]
    with pytest.raises(expected):
        open_input(server.url + "/a", FAST)
    assert len(server.requests) == 1


def test_file_replaced_while_being_read(server: Server) -> None:
    server.etag = lambda request: f'"{request}"'
    server.faults = [Fault(drop_after=1_000_000)]
    with pytest.raises(RemoteReadError, match="changed"):
        read_all(server.url + "/a")


def test_expand_remote(server: Server) -> None:
    url = server.url + "/a.warc.gz"
    assert expand_inputs([url]) == [InputFile(url, len(CONTENT))]
    with pytest.raises(InputNotFound, match="missing"):
        expand_inputs([server.url + "/missing?token=hush"])
    for listing in ("/crawl/*.gz", "/crawl/", "", "/a[12].gz"):
        with pytest.raises(ValueError, match="cannot be listed"):
            expand_inputs([server.url + listing])


def test_remote_list_starts_at_the_root(server: Server) -> None:
    server.paths = b"crawl-data/a.warc.gz\n/b.warc.gz\ns3://bucket/c\n"
    found = expand_inputs([f"@{server.url}/crawl-data/warc.paths"])
    assert [file.uri for file in found] == [
        f"{server.url}/b.warc.gz",
        f"{server.url}/crawl-data/a.warc.gz",
        "s3://bucket/c",
    ]
    with pytest.raises(InputNotFound):
        expand_inputs([f"@{server.url}/missing.paths"])


def test_bucket_wildcard_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from pyarrow import fs as pafs

    store = pafs.SubTreeFileSystem(str(tmp_path), pafs.LocalFileSystem())
    monkeypatch.setattr(files, "s3_client", lambda bucket: store)
    monkeypatch.setattr(files, "check_bucket", lambda scheme, bucket: None)
    (tmp_path / "bucket/x").mkdir(parents=True)
    (tmp_path / "bucket/x/a.gz").write_bytes(b"abc")
    assert expand_inputs(["s3a://bucket/*/a.*"]) == [InputFile("s3://bucket/x/a.gz", 3)]
    assert expand_inputs(["s3://bucket"]) == [InputFile("s3://bucket/x/a.gz", 3)]
    with pytest.raises(ValueError, match="bucket"):
        expand_inputs(["s3://b*/x"])
    with open_input("s3n://bucket/x/a.gz") as stream:
        assert (stream.read(2), stream.tell(), stream.seekable()) == (b"ab", 2, True)
        assert (stream.read(5), stream.read(5)) == (b"c", b"")
    with pytest.raises(FileNotFoundError):
        open_input("s3://bucket/none")
