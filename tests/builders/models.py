"""Tiny fastText models, trained in a moment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import fasttext


def train_model(path: Path, words: Mapping[str, str], loss: str = "softmax") -> Path:
    """A model that knows a label by its words: label -> token line."""
    text = path.with_suffix(".lines")
    lines = (f"__label__{label} {line}\n" * 50 for label, line in words.items())
    text.write_text("".join(lines), encoding="utf-8")
    model = fasttext.train_supervised(
        input=str(text), loss=loss, epoch=60, lr=1.0, dim=8, bucket=500, wordNgrams=2, thread=1,
        seed=1, verbose=0,
    )  # fmt: skip
    model.save_model(str(path))
    text.unlink()
    return path
