"""An S3 store whose buckets are the folders of a folder, so that others can write there too.

As much of the protocol as pyarrow's client uses. Signatures are not looked at.
"""

from __future__ import annotations

import io
import itertools
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.builders.file_server import FileServer, handler_of, serving

SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"


@contextmanager
def serving_s3(
    root: Path, refuses: Callable[[str, str], bool] = lambda method, path: False
) -> Iterator[FileServer]:
    """Serve the folders of a folder as buckets until the block ends.

    Args:
        refuses: Whether a request, by its method and path, is answered with SlowDown; GETs of
            objects have the faults of the file server.
    """
    with serving(root, lambda state: _s3_handler(state, refuses)) as server:
        yield server


def _s3_handler(
    state: FileServer, refuses: Callable[[str, str], bool]
) -> type[BaseHTTPRequestHandler]:
    parts: dict[str, dict[int, bytes]] = {}
    uploads = itertools.count()

    class Handler(handler_of(state)):  # type: ignore[misc]
        def parse_request(self) -> bool:
            if not super().parse_request():
                return False
            split = urlsplit(self.path)
            self.query = parse_qs(split.query, keep_blank_values=True)
            self.place = state.root / unquote(split.path).strip("/")
            self.is_folder = split.path.endswith("/") or self.place.parent == state.root
            if self.command == "GET" and "list-type" not in self.query:
                return True
            body = self._body()
            if refuses(self.command, unquote(split.path)):
                self._xml(SLOW_DOWN.decode(), 503)
                return False
            self.body = body
            return True

        def do_HEAD(self) -> None:
            is_there = self.place.is_dir() if self.is_folder else self.place.is_file()
            self.send_response(200 if is_there else 404)
            size, modified = 0, 0.0
            if is_there:
                facts = self.place.stat()
                size, modified = (0 if self.is_folder else facts.st_size), facts.st_mtime
            self.send_header("Last-Modified", formatdate(modified, usegmt=True))
            self.send_header("Content-Length", str(size))
            self.end_headers()

        def do_GET(self) -> None:
            if "list-type" in self.query:
                self._xml(self._listing())
            else:
                super().do_GET()

        def do_PUT(self) -> None:
            if "partNumber" in self.query:
                parts[self._upload()][int(self.query["partNumber"][0])] = self.body
            elif self.is_folder:
                self.place.mkdir(parents=True, exist_ok=True)
            else:
                self._write(self.body)
            self._xml("", etag='"0"')

        def do_POST(self) -> None:
            bucket = escape(self.place.name)
            if "uploads" in self.query:
                name = f"upload-{next(uploads)}"
                parts[name] = {}
                tags = f"<Bucket>{bucket}</Bucket><Key>-</Key><UploadId>{name}</UploadId>"
                self._xml(f"<InitiateMultipartUploadResult>{tags}</InitiateMultipartUploadResult>")
            elif "uploadId" in self.query:
                written = parts[self._upload()]  # a client may end an upload twice
                self._write(b"".join(written[number] for number in sorted(written)))
                tag = "<ETag>&quot;0&quot;</ETag>"
                self._xml(f"<CompleteMultipartUploadResult>{tag}</CompleteMultipartUploadResult>")
            elif "delete" in self.query:
                for key in re.findall(r"<Key>([^<]*)</Key>", self.body.decode()):
                    self._delete(self.place / unquote(key).strip("/"))
                self._xml("<DeleteResult></DeleteResult>")

        def do_DELETE(self) -> None:
            self._delete(self.place)
            self._xml("", 204)

        def _upload(self) -> str:
            return str(self.query["uploadId"][0])

        def _write(self, data: bytes) -> None:
            self.place.parent.mkdir(parents=True, exist_ok=True)
            beside = self.place.with_name(f".{self.place.name}.{id(data)}")
            beside.write_bytes(data)
            beside.rename(self.place)  # an object is there whole or not at all

        @staticmethod
        def _delete(place: Path) -> None:
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") == "chunked":
                data = _unchunked(self.rfile)
                self.rfile.readline()
            else:
                data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            # A client that sends a checksum after the data uses its own chunks.
            is_chunked = "x-amz-decoded-content-length" in self.headers
            return _unchunked(io.BytesIO(data)) if is_chunked else data

        def _listing(self) -> str:
            prefix = self.query.get("prefix", [""])[0]
            folder = self.place / prefix.rpartition("/")[0]
            files = [path for path in folder.rglob("*") if folder.is_dir()]
            keys = {
                str(path.relative_to(self.place)) + ("/" if path.is_dir() else ""): path
                for path in ([*files, folder] if prefix.endswith("/") else files)
                if path.exists()
            }
            found, groups = [], set()
            for key, path in sorted(keys.items()):
                if not key.startswith(prefix):
                    continue
                rest = key[len(prefix) :]
                if "delimiter" in self.query and "/" in rest:
                    groups.add(prefix + rest.partition("/")[0] + "/")
                else:
                    found.append(_object(key, path))
            shared = (
                f"<CommonPrefixes><Prefix>{escape(group)}</Prefix></CommonPrefixes>"
                for group in sorted(groups)
            )
            count = (
                f"<KeyCount>{len(found) + len(groups)}</KeyCount><IsTruncated>false</IsTruncated>"
            )
            return f"<ListBucketResult>{count}{''.join(found)}{''.join(shared)}</ListBucketResult>"

        def _xml(self, text: str, status: int = 200, etag: str = "") -> None:
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            if etag:
                self.send_header("ETag", etag)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler


def _unchunked(stream: IO[bytes]) -> bytes:
    """The data of chunks, each behind a line with its length; an empty one is the last."""
    found = b""
    while size := int(stream.readline().split(b";")[0], 16):
        found += stream.read(size)
        stream.readline()
    return found


def _object(key: str, path: Path) -> str:
    facts = path.stat()
    size = 0 if path.is_dir() else facts.st_size
    modified = datetime.fromtimestamp(facts.st_mtime, UTC).isoformat(timespec="milliseconds")
    tags = f"<Key>{escape(key)}</Key><Size>{size}</Size>"
    tags += f"<LastModified>{modified.replace('+00:00', 'Z')}</LastModified>"
    return f"<Contents>{tags}</Contents>"
