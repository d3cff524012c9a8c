"""Tokens a second of quality_bert on one core, beside the published loop, and both their scores.

    python -m tests.bench.bert_rates --data DIR

An encoder of BERT-base's shape with random weights, over documents drawn from the texts of DIR:
their lengths are those of real ones. The published loop pads each segment to 512 tokens, 32 of them
a batch, in float32; its tokenizer here is the fast one, which its script does not use. Every way in
turn, in processor time; medians.

The first four ways score the published segments, so that scores can be compared: where the maximum
leaves the padding out, with what the same loop gives when it does. The last one scores whole texts,
of which the published segments leave out the short ends.

DIR is a folder with domain/, quality/ and lexicons/, as the README of the data says.

Source: CASIA-LM/ChineseWebText (BERTEval: predict.py, utils/encode.py, network/).
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoTokenizer

from tests.bench.rule_rates import TEXTS, read_texts
from tests.bench.timing import medians, pin_to_one_core, table
from udfs.encoder.encoder_file import EncoderHeader, EncoderSettings
from udfs.encoder.model import Encoder, fastest_dtype, load_encoder
from udfs.encoder.quality_bert import DocumentScorer, QualityBertSettings
from udfs.encoder.segments import Span, published_segments

VOCABULARY = "lexicons/vocab/bert-base-chinese_vocab.txt"
BATCH = 32
POSITIONS = 512
WEIGHTS = 0.04
"""Standard deviation of the weights. With this as with the usual 0.02 an encoder that learnt
nothing gives all documents nearly one score: their ranks are a hard test."""

Parts = list[tuple[str, Span]]


def save_random_encoder(folder: Path, vocabulary: Path) -> Path:
    """An encoder of BERT-base's shape, as one file."""
    (folder / "vocab.txt").write_bytes(vocabulary.read_bytes())
    config = AutoConfig.for_model("bert", vocab_size=21128, initializer_range=WEIGHTS)
    config.save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder).backend_tokenizer.to_str()
    settings = EncoderSettings("pooled", "sigmoid", 0, POSITIONS)
    header = EncoderHeader(settings, config.to_dict(), tokenizer)
    torch.manual_seed(5)
    path = folder / "encoder.safetensors"
    save_file(Encoder(header).network.state_dict(), path, header.metadata())
    return path


def drawn_texts(data: Path, segments: int) -> list[str]:
    """Texts in random order until they have that number of published segments."""
    texts = [text for name in TEXTS for text in read_texts(data / name)]
    random.Random(6).shuffle(texts)
    drawn: list[str] = []
    count = 0
    for text in texts:
        if found := len(published_segments(text)):
            drawn.append(text)
            count += found
        if count >= segments:
            break
    return drawn


class PublishedLoop:
    """What predict.py does, without the thresholds: segments in their order, padded to 512."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.network = load_encoder(path, "cpu", "float32").network
        self.tokenizer = AutoTokenizer.from_pretrained(folder)

    def scores(self, parts: Parts) -> tuple[list[float], list[float]]:
        """Of each segment: with the padding in the maximum, as published, and without it."""
        found: tuple[list[float], list[float]] = ([], [])
        for start in range(0, len(parts), BATCH):
            texts = [text[slice(*span)] for text, span in parts[start : start + BATCH]]
            batch = self.tokenizer(
                texts, padding="max_length", max_length=POSITIONS, truncation=True,
                return_tensors="pt",
            )  # fmt: skip
            with torch.no_grad():
                out = self.network["encoder"](**batch)
                hidden, mask = out.last_hidden_state, batch["attention_mask"].bool()
                for scores, values in zip(
                    found, (hidden, hidden.masked_fill(~mask[:, :, None], -torch.inf)), strict=True
                ):
                    features = torch.cat([values.max(dim=1).values, out.pooler_output], dim=1)
                    scores += self.network["head"](features).sigmoid()[:, 0].tolist()
        return found


def largest_difference(left: Sequence[float], right: Sequence[float]) -> float:
    """Of scores, whichever is larger."""
    return float(np.abs(np.subtract(left, right)).max())


def rank_correlation(left: Sequence[float], right: Sequence[float]) -> float:
    """Spearman's, of values without ties."""
    ranks = [np.argsort(np.argsort(values)) for values in (left, right)]
    return float(np.corrcoef(*ranks)[0, 1])


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--segments", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args(argv)
    pin_to_one_core()
    torch.set_num_threads(1)
    texts = drawn_texts(arguments.data, arguments.segments)
    parts = [(text, span) for text in texts for span in published_segments(text)]
    with tempfile.TemporaryDirectory() as scratch:
        path = save_random_encoder(Path(scratch), arguments.data / VOCABULARY)
        print_rates(texts, parts, path, arguments.rounds)
    return 0


def print_rates(texts: Sequence[str], parts: Parts, path: Path, rounds: int) -> None:
    """Print both tables."""
    published = PublishedLoop(path, path.parent)
    exact = DocumentScorer(path, QualityBertSettings(segments="casia-exact", dtype="float32"))
    plain = DocumentScorer(path, QualityBertSettings(dtype="float32"))
    fast = DocumentScorer(path, QualityBertSettings(dtype="bfloat16"))
    whole = DocumentScorer(path, QualityBertSettings())
    found: dict[str, Any] = {}

    def of_parts(scorer: DocumentScorer) -> Any:
        return scorer.runner().scores(list(scorer.inputs.of_parts(parts)))

    def of_texts() -> Any:
        return whole.runner().scores([s for _, own in whole.inputs.of_texts(texts) for s in own])

    ways: dict[str, Callable[[], Any]] = {
        "published": lambda: published.scores(parts),
        "casia-exact, float32": lambda: of_parts(exact),
        "fixed, float32": lambda: of_parts(plain),
        "fixed, bfloat16": lambda: of_parts(fast),
        f"fixed, whole texts, {fastest_dtype(torch.device('cpu'))}": of_texts,
    }
    for scorer in (exact, plain, fast, whole):
        scorer.runner()  # loads the encoder
    seconds = medians(
        {name: lambda n=name, w=way: found.update({n: w()}) for name, way in ways.items()}, rounds
    )
    tokens = sum(map(len, plain.inputs.of_parts(parts)))
    runner = whole.runner()
    all_tokens = runner.tokens // rounds
    print(
        f"{len(texts)} documents, {sum(map(len, texts)):,} characters, {len(parts)} published "
        f"segments of {tokens:,} tokens, {tokens / len(parts) / POSITIONS:.0%} of {POSITIONS}\n"
    )
    rows = []
    for name, taken in seconds.items():
        its = all_tokens if "whole" in name else tokens
        rate, first = its / taken, tokens / seconds["published"]
        rows.append([name, f"{its:,}", f"{taken:.1f}", f"{rate:,.0f}", f"{rate / first:.1f}"])
    print(table(["way", "tokens", "CPU seconds", "tokens/s", "ratio"], rows))
    print(f"\npadding: {1 - runner.tokens / runner.padded_tokens:.1%} of whole texts\n")
    with_padding, without = found["published"]
    rows = [
        [name, f"{largest_difference(mine, theirs):.1e}", f"{rank_correlation(mine, theirs):.5f}"]
        for name, mine, theirs in (
            ("casia-exact, float32", found["casia-exact, float32"], with_padding),
            ("fixed, float32", found["fixed, float32"], without),
            ("fixed, bfloat16", found["fixed, bfloat16"], without),
            ("the padding in the maximum", with_padding, without),
        )
    ]
    print(f"scores have a standard deviation of {np.std(without):.3f}\n")
    print(table(["against the loop", "largest difference", "rank correlation"], rows))


if __name__ == "__main__":
    sys.exit(main())
