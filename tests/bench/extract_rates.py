"""What an extraction costs, beside plain decompression and beside what others use.

    python -m tests.bench.extract_rates --data DIR --peers PYTHON [--quick]

One core, CPU time, medians of five rounds that run everything in turns, Markdown tables:

1. Reading one file: this project's reader, FastWARC and warcio, with HTTP parsed and every
   payload read, beside inflating alone.
2. A crawl-like mix (build_mix): the whole extraction beside inflating alone. Inflating is the
   faster of two ways with the library that the reader uses, ISA-L: igzip.open, a MiB a read, and
   one decompressor a member.
3. Chinese pages only: this project beside datatrove's WarcReader, Trafilatura and LanguageFilter.
4. The quality of what comes out, by the benches that measure it.
5. Memory of a worker.

PYTHON is that of an environment with the peers (make bench BENCH=extract makes it).
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from fastwarc.warc import ArchiveIterator as FastIterator
from isal import igzip, isal_zlib
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from jobs.config import Config
from jobs.pipeline.extraction_wave import extract_options
from tests.bench import build_pages
from tests.bench.build_mix import write_mix
from tests.bench.ratios import Ratios, add_ratios_argument, write_ratios
from tests.bench.timing import medians, pin_to_one_core, table
from udfs.extract.extract import extract_split
from udfs.extract.language import LanguageModel, load_language_model
from udfs.extract.outcomes import DOCUMENT
from udfs.extract.pages import PageOptions, PendingPage, early_outcome
from udfs.warc.http_message import parse_response
from udfs.warc.reader import read_records
from udfs.warc.records import WarcRecord

MIN_RATIO_TO_INFLATE = 0.5
MIN_RATIO_TO_PEER = 10.0

_CHUNK_BYTES = 1 << 20
_FEED_BYTES = 32 << 10
_ALL_TYPES = frozenset(
    {"warcinfo", "request", "response", "metadata", "resource", "revisit", "conversion"}
)
_MEMORY_FILES, _MEMORY_PAGES = 6, 333


@dataclass(frozen=True)
class Split:
    """An input file as the worker knows it."""

    uri: str
    warc_path: str
    input_format: str = "warc"


# --- plain decompression -----------------------------------------------------------------


def inflate(path: Path) -> int:
    """Bytes of a gzip file, decompressed by igzip.open and thrown away."""
    size = 0
    with igzip.open(path, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            size += len(chunk)
    return size


def inflate_members(path: Path) -> int:
    """The same with a new decompressor for every member."""
    size = 0
    inflater = isal_zlib.decompressobj(31)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            at = 0
            view = memoryview(chunk)
            while at < len(chunk):
                feed = view[at : at + _FEED_BYTES]
                size += len(inflater.decompress(feed))
                at += len(feed)
                if inflater.eof:
                    at -= len(inflater.unused_data)
                    inflater = isal_zlib.decompressobj(31)
    return size


# --- readers -----------------------------------------------------------------------------


def read_ours(path: Path) -> int:
    """Records that this project's reader finds."""
    records = 0
    with path.open("rb") as file:
        for record in read_records(file, wanted=_ALL_TYPES):
            records += 1
            if isinstance(record, WarcRecord) and record.record_type == "response":
                parse_response(record.data, record.start, record.end)
    return records


def read_fastwarc(path: Path) -> int:
    """Records that FastWARC finds."""
    records = 0
    with path.open("rb") as file:
        for record in FastIterator(file, parse_http=True):
            records += 1
            record.reader.read()
    return records


def read_warcio(path: Path) -> int:
    """Records that warcio finds."""
    records = 0
    with path.open("rb") as file:
        for record in ArchiveIterator(file):
            records += 1
            record.content_stream().read()
    return records


def reading(path: Path, rounds: int, found: Ratios) -> str:
    """Table 1; adds this project's share of inflating alone to the ratios."""
    size = inflate(path)
    readers: dict[str, Callable[[Path], int]] = {
        "inflate only, igzip.open": inflate,
        "inflate only, member by member": inflate_members,
        "this project": read_ours,
        "FastWARC": read_fastwarc,
        "warcio": read_warcio,
    }
    seconds = medians({name: bound(read, path) for name, read in readers.items()}, rounds)
    best = min(seconds[name] for name in seconds if name.startswith("inflate"))
    found["reading of inflate only"] = best / seconds["this project"]
    rows = []
    for name, read in readers.items():
        records = "" if name.startswith("inflate") else f"{read(path) / seconds[name]:,.0f}"
        rate = size / seconds[name] / 1e6
        rows.append([name, f"{rate:,.0f}", records, f"{best / seconds[name]:.2f}"])
    return table(["reader", "inflated MB/s", "records/s", "of inflate only"], rows)


def bound(function: Callable[[Path], int], path: Path) -> Callable[[], int]:
    """The function of no argument that calls it with a path."""
    return lambda: function(path)


# --- whole extraction --------------------------------------------------------------------


def extract(path: Path, model: LanguageModel) -> int:
    """Documents of a file, by all that the worker does."""
    documents = 0
    for rows in extract_split(Split(str(path), path.name), extract_options(Config()), model):
        documents += sum(row["row_kind"] == DOCUMENT for row in rows)
    return documents


def read_bodies(path: Path) -> int:
    """Bytes of all bodies: the extraction as far as HTTP, with all pages passed over."""
    options = extract_options(Config()).page
    with path.open("rb") as file:
        return sum(page.size for page in _pending(file, replace(options, prefilter=False)))


def prefiltered(path: Path) -> int:
    """Pages that the prefilter lets through: the extraction as far as that."""
    with path.open("rb") as file:
        return sum(1 for _ in _pending(file, extract_options(Config()).page))


def _pending(file: BinaryIO, options: PageOptions) -> Iterator[PendingPage]:
    for record in read_records(file):
        seen = early_outcome(record, options)
        if isinstance(seen, PendingPage):
            yield seen


def mix(path: Path, pages: int, model: LanguageModel, rounds: int, found: Ratios) -> str:
    """Table 2; adds the share of the whole extraction, and of the way to the prefilter."""
    size = inflate(path)
    steps: dict[str, Callable[[], int]] = {
        "inflate only, igzip.open": lambda: inflate(path),
        "inflate only, member by member": lambda: inflate_members(path),
        "to the bodies": lambda: read_bodies(path),
        "to the prefilter": lambda: prefiltered(path),
        "whole extraction": lambda: extract(path, model),
    }
    seconds = medians(steps, rounds)
    best = min(seconds[name] for name in seconds if name.startswith("inflate"))
    rows = [
        [
            name,
            f"{size / seconds[name] / 1e6:,.0f}",
            f"{pages / seconds[name]:,.0f}",
            f"{seconds[name] / pages * 1e6:.0f}",
            f"{best / seconds[name]:.2f}",
        ]
        for name in steps
    ]
    ratio = best / seconds["whole extraction"]
    found["extraction of inflate only"] = ratio
    found["to the prefilter of inflate only"] = best / seconds["to the prefilter"]
    kept = f"{prefiltered(path):,} of {pages:,} pages pass the prefilter, "
    kept += f"{extract(path, model):,} become documents. "
    return "\n".join(
        [
            table(["step", "inflated MB/s", "pages/s", "us a page", "of inflate only"], rows),
            "",
            kept + verdict("Whole extraction of inflate only", ratio, MIN_RATIO_TO_INFLATE),
        ]
    )


def verdict(what: str, found: float, wanted: float) -> str:
    """A sentence that says whether a target is reached."""
    reached = "reached" if found >= wanted else "NOT reached"
    return f"{what}: {found:.2f}, wanted {wanted}: {reached}."


# --- Chinese pages -----------------------------------------------------------------------


def write_chinese(data: Path, pages: int, path: Path) -> int:
    """A file of built pages and the real ones of DATA/extraction; the number of its pages."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for url, payload in _chinese(data, pages):
            headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], "HTTP/1.1")
            record = writer.create_warc_record(
                url,
                "response",
                payload=io.BytesIO(payload),
                http_headers=headers,
                warc_headers_dict={
                    "WARC-Date": "2024-05-01T00:00:00Z",
                    "WARC-Identified-Payload-Type": "text/html",
                },
            )
            writer.write_record(record)
            count += 1
    return count


def _chinese(data: Path, pages: int) -> Iterator[tuple[str, bytes]]:
    folder = data / "extraction"
    with gzip.open(folder / "pages.jsonl.gz", "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            page = json.loads(line)
            url = page["url"] or f"http://page{number}.example.cn/"
            yield url, (folder / page["html"]).read_bytes()
    yield from build_pages.pages(data, pages)


def chinese(
    path: Path, pages: int, peers: str, model_file: Path, rounds: int, found: Ratios
) -> str:
    """Table 3; adds the ratio to datatrove."""
    model = load_language_model(model_file)
    script = Path(__file__).with_name("peer_pipeline.py")
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        ours.append(medians({"": lambda: extract(path, model)}, 1)[""])
        command = [peers, str(script), str(path), "--model", str(model_file)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
        peer = json.loads(answer.stdout)
        theirs.append(peer["cpu_seconds"])
    our_seconds, peer_seconds = statistics.median(ours), statistics.median(theirs)
    found["extraction to datatrove"] = peer_seconds / our_seconds
    rows = [
        ["this project", f"{extract(path, model):,}", f"{pages / our_seconds:,.0f}"],
        ["datatrove", f"{peer['documents']:,}", f"{pages / peer_seconds:,.0f}"],
    ]
    return "\n".join(
        [
            table(["pipeline", f"documents of {pages:,} pages", "pages/s"], rows),
            "",
            verdict("Ratio", peer_seconds / our_seconds, MIN_RATIO_TO_PEER),
        ]
    )


# --- the rest ----------------------------------------------------------------------------


def run_bench(module: str, *arguments: str) -> str:
    """What another bench prints; its error where it fails."""
    command = [sys.executable, "-m", f"tests.bench.{module}", *arguments]
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode:
        return f"{module} failed with {answer.returncode}:\n{answer.stdout}{answer.stderr}"
    return answer.stdout.rstrip()


def report(
    data: Path, peers: str | None, model_file: Path, folder: Path, quick: bool, found: Ratios
) -> Iterator[str]:
    """The tables that give ratios, one after the other."""
    rounds = 3 if quick else 5
    pages = 300 if quick else 2_000
    model = load_language_model(model_file)
    path = folder / "mix.warc.gz"
    facts = write_mix(data, pages, path)
    yield f"The mix: {json.dumps(facts, ensure_ascii=False)}"
    yield f"## Reading\n\n{reading(path, rounds, found)}"
    yield f"## Crawl-like mix\n\n{mix(path, pages, model, rounds, found)}"
    if peers is not None:
        only = folder / "chinese.warc.gz"
        count = write_chinese(data, 70 if quick else 300, only)
        table_3 = chinese(only, count, peers, model_file, 1 if quick else rounds, found)
        yield f"## Chinese pages only\n\n{table_3}"


def quality_report(
    data: Path, peers: str | None, model_file: Path, folder: Path, quick: bool
) -> Iterator[str]:
    """What comes out, and what memory it takes: tables of other benches."""
    with_peers = [] if peers is None else ["--peers", peers]
    quality = run_bench("extraction_quality", "--data", str(data))
    yield f"## Main text\n\n{quality}"
    each = ["--pages-each", "2"] if quick else []
    families = run_bench("page_families", "--data", str(data), *each)
    yield f"## Main text by family of pages\n\n{families}"
    charset = ["--data", str(data), *with_peers, *(["--texts", "200"] if quick else [])]
    yield f"## Charset\n\n{run_bench('charset_accuracy', *charset)}"
    recall = ["--data", str(data), *(["--quick"] if quick else [])]
    yield f"## Prefilter\n\n{run_bench('prefilter_recall', *recall)}"
    parts = []
    for number in range(_MEMORY_FILES):
        parts.append(folder / f"memory-{number}.warc.gz")
        write_mix(data, _MEMORY_PAGES, parts[-1], seed=100 + number)
    memory = run_bench(
        "worker_memory",
        *map(str, parts),
        *("--model", str(model_file), "--records", "10000" if quick else "100000"),
    )
    yield f"## Memory of a worker\n\n{memory}"


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--peers", help="the Python of an environment with the peers")
    parser.add_argument("--model", type=Path, help="lid.176; that of the data by default")
    parser.add_argument("--folder", type=Path, default=Path("out/bench/extract"))
    parser.add_argument("--quick", action="store_true", help="small files, few rounds")
    add_ratios_argument(parser)
    arguments = parser.parse_args(argv)
    model = arguments.model or arguments.data / "models" / "lid.176.ftz"
    print(f"# Extraction on core {pin_to_one_core()}")
    found: Ratios = {}
    asked = (arguments.data, arguments.peers, model, arguments.folder, arguments.quick)
    parts = report(*asked, found)
    if arguments.ratios is None:
        parts = chain(parts, quality_report(*asked))
    for part in parts:
        print(f"\n{part}", flush=True)
    write_ratios(arguments.ratios, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
