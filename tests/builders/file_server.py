"""A folder behind http:// on this machine, whose server can be told to misbehave."""

from __future__ import annotations

import http.server
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

S3_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""Environment of an S3 client of a server on this machine, beside the server's address."""


@dataclass(frozen=True)
class Fault:
    """What happens to one GET."""

    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""  # of an answer with a status
    late_s: float = 0.0  # say nothing for so long, and then all
    drop_after: int | None = None  # bytes of the body after which the connection ends
    stall: bool = False  # say nothing more for a while, and then end
    whole: bool = False  # as if the server knew no ranges


@dataclass(frozen=True)
class Get:
    """A request: of what, from which byte on, and after how many others of the same path."""

    path: str
    start: int
    count: int


@dataclass
class FileServer:
    """The server as a test sees it."""

    root: Path
    url: str = ""
    fault: Callable[[Get], Fault | None] = lambda get: None
    """What goes wrong with a GET."""
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    signed: list[bool] = field(default_factory=list)
    """Of every request, whether it says who asks."""
    connections: int = 0
    most_at_once: int = 0
    etag: str | None = None
    release: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    running: int = 0

    def count(self, path: str) -> int:
        return sum(asked == path for asked, _ in self.requests)


class _Quiet(http.server.ThreadingHTTPServer):
    """A client that hangs up is what some tests are about."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        return


@contextmanager
def serving(root: Path, handler: Callable[[FileServer], Any] | None = None) -> Iterator[FileServer]:
    """Serve a folder until the block ends.

    Args:
        handler: Makes what answers the requests; `handler_of` when None.
    """
    state = FileServer(root)
    server = _Quiet(("127.0.0.1", 0), (handler or handler_of)(state))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        state.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


def port_without_server() -> int:
    """Return a port of this machine at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def handler_of(state: FileServer) -> type[http.server.BaseHTTPRequestHandler]:
    """What answers the requests of a server."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            with state.lock:
                state.connections += 1

        def log_message(self, *args: Any) -> None:
            return

        def do_HEAD(self) -> None:
            file = state.root / unquote(urlsplit(self.path).path).lstrip("/")
            is_bucket = file.parent == state.root and file.is_dir()
            self.send_response(200 if is_bucket or file.is_file() else 404)
            self.send_header("Content-Length", str(file.stat().st_size if file.is_file() else 0))
            self.end_headers()

        def do_GET(self) -> None:
            with state.lock:
                state.running += 1
                state.most_at_once = max(state.most_at_once, state.running)
                asked = self.headers.get("Range")
                found = re.match(r"bytes=(\d+)", asked or "")
                start = int(found[1]) if found else 0
                get = Get(self.path, start, state.count(self.path))
                fault = state.fault(get) or Fault()
                state.requests.append((self.path, asked))
                state.signed.append("Authorization" in self.headers)
            try:
                self._answer(fault)
            finally:
                with state.lock:
                    state.running -= 1

        def _answer(self, fault: Fault) -> None:
            state.release.wait(fault.late_s)
            file = state.root / unquote(urlsplit(self.path).path).lstrip("/")
            if fault.status is not None or not file.is_file():
                self._refuse(fault.status or 404, fault.headers, fault.body)
                return
            data = file.read_bytes()
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
            start, end = 0, len(data)
            if asked and not fault.whole:
                start = int(asked[1])
                end = min(int(asked[2]) + 1, end) if asked[2] else end
                if start >= len(data):
                    self._refuse(416)
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(end - start))
            if state.etag:
                self.send_header("ETag", state.etag)
            self.end_headers()
            stop = end if fault.drop_after is None else min(start + fault.drop_after, end)
            self.wfile.write(data[start:stop])
            if fault.stall:
                state.release.wait(5)
            if fault.drop_after is not None:
                self.wfile.flush()
                self.close_connection = True

        def _refuse(
            self, status: int, headers: tuple[tuple[str, str], ...] = (), body: bytes = b""
        ) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
