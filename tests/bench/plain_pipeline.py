"""The pipeline as one writes it by hand: one page after the other, library calls as they come.

    PYTHON -m tests.bench.plain_pipeline INPUT OUTPUT --settings settings.json --cores 2

warcio reads, trafilatura decodes and extracts, fastText's lid.176 tells the language, the
published rules run in plain Python, jieba cuts words, and the three fastText models are called
once each. One process a file, JSON lines out. No deduplication; no row is dropped for a score, as
the bundled quality model also reads the shape of a text, which no published script computes.

The settings name the models, and hold the sensitive words and the stop words, so that nothing of
taojin is loaded: ``{"language": PATH, "quality": PATH, "domain": PATH, "toxicity": PATH,
"words": [...], "stop_words": [...]}``.

Source: CASIA-LM/ChineseWebText (rules, fasttext/main.py), ChineseWebText-2.0 (Domain_Classifier,
toxic_classifier).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import fasttext
import jieba
import trafilatura
from warcio.archiveiterator import ArchiveIterator

from tests.udfs.measures.published_rules import published_reason

MIN_LANGUAGE_SCORE = 0.65
MODELS = ("quality", "domain", "toxicity")


def pages_of(path: Path) -> Iterator[tuple[str, bytes]]:
    """(url, payload) of every response of a WARC file."""
    with path.open("rb") as file:
        for record in ArchiveIterator(file):
            if record.rec_type == "response":
                yield (
                    record.rec_headers.get_header("WARC-Target-URI"),
                    record.content_stream().read(),
                )


def answer(model: Any, line: str) -> dict[str, float]:
    """Label -> probability, without the prefix of labels."""
    labels, scores = model.predict(line, k=-1)
    return {
        label.removeprefix("__label__"): float(score)
        for label, score in zip(labels, scores, strict=True)
    }


def run_file(path: Path, settings: dict[str, Any], output: Path) -> Counter[str]:
    """Write what is kept of one file; how many pages were dropped, by reason, and kept."""
    language = fasttext.load_model(settings["language"])
    models = {name: fasttext.load_model(settings[name]) for name in MODELS}
    words, stop_words = settings["words"], set(settings["stop_words"])
    outcomes: Counter[str] = Counter()
    with (output / f"{path.name}.jsonl").open("w", encoding="utf-8") as kept:
        for url, payload in pages_of(path):
            text = trafilatura.extract(payload, include_comments=False)
            if not text:
                outcomes["no text"] += 1
                continue
            labels, scores = language.predict(text.replace("\n", " "))
            if labels[0] != "__label__zh" or scores[0] < MIN_LANGUAGE_SCORE:
                outcomes["language"] += 1
                continue
            if reason := published_reason(text, words):
                outcomes[reason] += 1
                continue
            line = " ".join(w for w in jieba.lcut(text) if len(w) > 1 and w not in stop_words)
            line = line.replace("\r\n", "")
            found = {name: answer(model, line) for name, model in models.items()}
            outcomes["kept"] += 1
            row = {"url": url, "text": text, **found}
            kept.write(json.dumps(row, ensure_ascii=False) + "\n")
    return outcomes


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args(argv)
    settings = json.loads(arguments.settings.read_text(encoding="utf-8"))
    arguments.output.mkdir(parents=True)
    jieba.initialize()
    files = sorted(arguments.source.glob("*.warc.gz"))
    outcomes: Counter[str] = Counter()
    with multiprocessing.Pool(arguments.cores) as pool:
        work = partial(run_file, settings=settings, output=arguments.output)
        for part in pool.imap_unordered(work, files):
            outcomes += part
    print(json.dumps(dict(outcomes)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
