"""hf:// against a hub and a store of this machine: where, as whom, and what never leaves."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jobs.catalogue.catalogue import Artifact
from jobs.catalogue.fetch import fetch
from jobs.config import ArtifactsConfig, Config, ConfigError
from udfs.files.artifacts import sha256_of
from udfs.files.hub import hub_url, open_hub_file
from udfs.files.retry import RemoteReadError, RetryPolicy

TOKEN = "hf_5ec7e7"
DATA = bytes(range(256)) * 3000
URI = "hf://org/name@v1.0/models/quality.bin"
PATH = "/org/name/resolve/v1.0/models/quality.bin"


@dataclass
class Hub:
    """The hub, and the store that it sends clients to: one server under two names."""

    url: str = ""
    store: str = ""
    private: bool = False
    redirects: bool = True
    busy: bool = False  # the store asks to come again
    cuts: int = 0  # how many connections end after a third of the file
    seen: list[tuple[str, str, str | None, str | None]] = field(default_factory=list)
    """(host, path, Authorization, Range) of each request."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    state = Hub()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: Any) -> None:
            return

        def answer(self, status: int, data: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.path != "/store/blob" or state.cuts == 0:
                self.wfile.write(data)
                return
            state.cuts -= 1
            self.wfile.write(data[: len(DATA) // 3])
            self.close_connection = True

        def do_GET(self) -> None:
            authorization = self.headers.get("Authorization")
            asked = self.headers.get("Range")
            host = str(self.headers["Host"]).split(":")[0]
            state.seen.append((host, self.path, authorization, asked))
            if self.path == "/store/blob" and state.busy:
                self.answer(503)
            elif self.path == "/store/blob" or (self.path == PATH and not state.redirects):
                start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
                span = f"bytes {start}-{len(DATA) - 1}/{len(DATA)}"
                self.answer(206 if asked else 200, DATA[start:], Content_Range=span)
            elif self.path != PATH:
                self.answer(404)
            elif state.private and authorization != f"Bearer {TOKEN}":
                self.answer(401)
            else:
                self.answer(302, Location=f"{state.store}/store/blob")

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    state.store = f"http://localhost:{server.server_address[1]}"
    monkeypatch.setenv("HF_ENDPOINT", state.url + "/")
    for name in ("HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "no-home"))
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


FAST = RetryPolicy(attempts=4, first_delay_s=0.001, timeout_s=5)


def read(uri: str = URI) -> bytes:
    with open_hub_file(uri, FAST) as file:
        return file.read()


@pytest.mark.parametrize("redirects", [True, False])
def test_a_file_comes_from_where_the_hub_says(hub: Hub, redirects: bool) -> None:
    hub.redirects = redirects
    assert read() == DATA
    assert hub.seen[0][:2] == ("127.0.0.1", PATH)
    assert [host for host, *_ in hub.seen[1:]] == ["localhost"] * redirects


def test_the_token_is_shown_to_the_hub_and_not_to_the_store(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.private = True
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert read() == DATA
    assert [(host, token) for host, _, token, _ in hub.seen] == [
        ("127.0.0.1", f"Bearer {TOKEN}"),
        ("localhost", None),
    ]


def test_the_token_may_be_where_the_login_left_it(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hub.private = True
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert read() == DATA
    monkeypatch.setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
    with pytest.raises(PermissionError, match="HF_TOKEN"):
        read()


def test_a_connection_that_ends_early_goes_on_where_it_ended(hub: Hub) -> None:
    hub.cuts = 2
    assert read() == DATA
    ranges = [asked for _, path, _, asked in hub.seen if path == "/store/blob"]
    assert ranges == [None, "bytes=256000-", "bytes=512000-"]


def test_what_the_hub_refuses_is_named_without_the_token(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN + "wrong")
    config = Config(artifacts=ArtifactsConfig(cache=str(tmp_path / "cache")))
    model = Artifact("quality", "1", URI, "0" * 64, "x", size=len(DATA))
    hub.private = True
    said = []
    for uri, kind in ((URI, PermissionError), ("hf://org/name@v1.0/other", ConfigError)):
        with pytest.raises(kind) as error:
            fetch(Artifact(**{**model.__dict__, "uri": uri}), config)
        said.append(str(error.value))
        assert uri in said[-1]
    hub.private = False
    hub.busy = True
    with pytest.raises(RemoteReadError) as error:
        read()
    said.append(str(error.value))
    assert "hf_5ec7e7" not in "".join([*said, *capfd.readouterr()])


def test_a_file_of_the_hub_is_an_artifact(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "expected").write_bytes(DATA)
    digest = sha256_of(tmp_path / "expected")
    config = Config(artifacts=ArtifactsConfig(cache=str(tmp_path / "cache")))
    path = fetch(Artifact("quality", "1", URI, digest, "x", size=len(DATA)), config)
    assert path.read_bytes() == DATA
    assert path.name == f"{digest[:16]}-quality.bin"


def test_offline_means_offline(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(OSError, match="HF_HUB_OFFLINE"):
        read()
    assert hub.seen == []


def test_a_revision_may_be_a_pull_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert hub_url("hf://o/n@refs%2Fpr%2F1/a/b c.bin".replace(" ", "%20")) == (
        "https://huggingface.co/o/n/resolve/refs%2Fpr%2F1/a/b%20c.bin"
    )


@pytest.mark.parametrize(
    "uri",
    ["hf://org/name/file.bin", "hf://name@main/f.bin", "hf://org/name@main", "hf://o/n@main/../x"],
)
def test_another_shape_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="expected hf://ORG/NAME@REVISION/PATH"):
        hub_url(uri)
