"""Outputs and inputs that cannot be used: one line that says what to do, before Spark starts."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobs import run_pipeline
from tests.builders.file_server import S3_ACCOUNT, port_without_server
from tests.builders.s3_server import serving_s3
from udfs.files import store_clients

DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@pytest.fixture(autouse=True)
def no_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.pipeline.application.spark_session", None)


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "今天"}\n', encoding="utf-8")
    return path


def use(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for name, value in {**S3_ACCOUNT, "AWS_ENDPOINT_URL_S3": url}.items():
        monkeypatch.setenv(name, value)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    store_clients.s3_client.cache_clear()
    store_clients.check_bucket.cache_clear()


@contextmanager
def denying() -> Iterator[str]:
    """A store that denies every request; gives its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(403)
            self.send_header("Content-Length", str(len(DENIED)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(DENIED)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def run(output: str, *inputs: str) -> int:
    return run_pipeline.main(["--output", output, "--input", *inputs, "--input-format", "jsonl"])


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on standard error."""
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("run_pipeline: ")
    return line


def test_an_output_with_a_file_in_its_way(
    tmp_path: Path, texts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for output in (texts, texts / "out", texts / "some" / "out"):
        assert run(str(output), str(texts)) == 2
        line = said(capsys)
        assert str(texts) in line
        assert "a file is in the place of a folder: choose another path" in line


def test_an_output_whose_folder_may_not_be_written(
    tmp_path: Path, texts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    output.mkdir(mode=0o500)
    if (output / "x").parent.stat().st_uid == 0:
        pytest.skip("root may write everywhere")
    assert run(str(output), str(texts)) == 2
    assert "permission denied" in said(capsys)


@pytest.mark.parametrize("place", ["output", "input", "list"])
def test_a_store_that_cannot_be_reached(
    place: str,
    tmp_path: Path,
    texts: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    use(monkeypatch, f"http://127.0.0.1:{port_without_server()}")
    away = "s3://bucket/x"
    output, given = {
        "output": (away, str(texts)),
        "input": (str(tmp_path / "out"), away),
        "list": (str(tmp_path / "out"), f"@{away}"),
    }[place]
    assert run(output, given) == 1
    line = said(capsys)
    assert "s3://bucket: the store cannot be reached" in line
    assert "AWS_ENDPOINT_URL_S3" in line
    assert not (tmp_path / "out").exists()


def test_a_bucket_that_does_not_exist(
    tmp_path: Path,
    texts: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with serving_s3(tmp_path) as server:
        use(monkeypatch, server.url)
        assert run("s3://bukket/out", str(texts)) == 2
        assert "there is no bucket s3://bukket" in said(capsys)
        assert run(str(tmp_path / "out"), "s3://bukket/*.jsonl") == 2
        assert "there is no bucket s3://bukket" in said(capsys)


def test_a_store_that_denies_access(
    tmp_path: Path,
    texts: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with denying() as url:
        use(monkeypatch, url)
        for output, given in (("s3://b/out", str(texts)), (str(tmp_path / "out"), "s3://b/a.gz")):
            assert run(output, given) == 2
            line = said(capsys)
            assert "denies access" in line
            assert "AWS_ACCESS_KEY_ID" in line


def test_verbose_prints_the_traceback_before_the_line(
    texts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--output", str(texts / "out"), "--input", str(texts), "--verbose"]
    assert run_pipeline.main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Traceback")
    assert lines[-1].startswith("run_pipeline: ")
