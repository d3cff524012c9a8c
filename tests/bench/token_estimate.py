"""Fit the estimate of tokens to a tokenizer, and measure it on sources that it was not fitted to.

    python -m tests.bench.token_estimate --data DIR --tokenizer tokenizer.json [--output FILE.json]

Texts are those of domain/, quality/ and languages/ in DIR. Coefficients are not negative and
minimise the sum of squared errors, each divided by the text's tokens. For each source they are
fitted to all others, and compared with the tokenizer on this one.
"""

from __future__ import annotations

import argparse
import gzip
import json
import lzma
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from udfs.base.array_types import BoolArray, Float64Array, Int64Array
from udfs.base.code_points import encode_texts, text_runs
from udfs.files.artifacts import sha256_of
from udfs.tokens.token_counts import TokenEstimate, TokenizerCounter, count_features
from udfs.tokens.token_files import FEATURES, read_tokenizer

FILES = (
    "domain/train.jsonl.gz",
    "domain/web_pages.jsonl.gz",
    "quality/hplt_web_read.jsonl.gz",
    "quality/hplt_web_labelled.jsonl.gz",
    "quality/cwt1_clean_dirty.jsonl.gz",
    "quality/cwt1_cleared1_unlabelled.jsonl.gz",
    "languages/chinese_varieties/*.jsonl.xz",
    "languages/register/zh_deepl.jsonl.xz",
)
MIN_CHARS = 50
MOST_OF_SOURCE = 1500
DIGITS = 4


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--name", default="", help="what the tokenizer is, for the file")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args(argv)
    sources, texts = zip(*read_texts(arguments.data), strict=True)
    tokens = TokenizerCounter(read_tokenizer(arguments.tokenizer)).count(texts)
    features = np.concatenate(
        [count_features(encode_texts(run)).features for run in text_runs(texts)]
    )
    owners = np.array(sources)
    print("| source | texts | characters a token | error of the sum | median error of a text |")
    print("|---|---|---|---|---|")
    errors = []
    for source in sorted(set(sources)):
        is_its = owners == source
        estimate = TokenEstimate(fitted(features[~is_its], tokens[~is_its]))
        found = estimate.of_features(features[is_its])
        errors.append(show(source, features[is_its], tokens[is_its], found))
    coefficients = fitted(features, tokens).round(DIGITS)
    found = TokenEstimate(coefficients).of_features(features)
    show("all, fitted to all", features, tokens, found)
    print(f"\nmedian over sources of the error of the sum: {np.median(np.abs(errors)):.1%}")
    made = {
        "tokenizer": arguments.name,
        "tokenizer_sha256": sha256_of(arguments.tokenizer),
        "coefficients": dict(zip(FEATURES, coefficients.tolist(), strict=True)),
    }
    print(json.dumps(made, indent=1))
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return 0


def read_texts(data: Path) -> Iterator[tuple[str, str]]:
    """Yield source and text of every row of at least `MIN_CHARS` characters, at most
    `MOST_OF_SOURCE` of a source, spread over its rows."""
    found: dict[str, list[str]] = {}
    for pattern in FILES:
        for path in sorted(data.glob(pattern)):
            reader = lzma.open if path.suffix == ".xz" else gzip.open
            with reader(path, "rt", encoding="utf-8") as lines:
                for line in lines:
                    row = json.loads(line)
                    text = row.get("text") or ""
                    name = row.get("source") if path.parent.name == "domain" else None
                    if len(text) >= MIN_CHARS:
                        source = str(name or path.name.partition(".")[0])
                        found.setdefault(source, []).append(text)
    for source, texts in found.items():
        step = -(-len(texts) // MOST_OF_SOURCE)
        for text in texts[::step]:
            yield source, text


def fitted(features: Int64Array, tokens: Int64Array) -> Float64Array:
    """Coefficients, none negative, with the least squares of errors divided by the root of tokens.

    Returns:
        Shape (features,). A coefficient that would be negative is 0, and the others are fitted
        again without it.
    """
    scale = np.sqrt(np.maximum(tokens, 1))[:, None]
    scaled, target = features / scale, tokens / scale[:, 0]
    is_free: BoolArray = (features.sum(axis=0) > 0).astype(np.bool_)
    while True:
        found = np.zeros(features.shape[1])
        found[is_free] = np.linalg.lstsq(scaled[:, is_free], target, rcond=None)[0]
        if (found >= 0).all():
            return found
        is_free &= found > 0


def show(source: str, features: Int64Array, tokens: Int64Array, found: Int64Array) -> float:
    """Print a line of the table. Returns the error of the sum."""
    chars = features[:, : FEATURES.index("han_runs")].sum()
    error = float(found.sum() / tokens.sum() - 1)
    of_texts = np.median(np.abs(found / np.maximum(tokens, 1) - 1))
    print(
        f"| {source} | {len(tokens):,} | {chars / tokens.sum():.2f} | {error:+.1%} | "
        f"{of_texts:.1%} |"
    )
    return error


if __name__ == "__main__":
    sys.exit(main())
