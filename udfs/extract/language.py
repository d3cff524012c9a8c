"""Language identification: fastText over samples of the whole text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import fasttext

from udfs.base.model_constants import LABEL_PREFIX, UNDETERMINED
from udfs.base.text_samples import sample_text

_LETTER = re.compile(r"[^\W\d_]")


class SampleSize(NamedTuple):
    """The size of a sample, and the score that makes it the last one.

    Attributes:
        pieces: Number of pieces; the first and the last are the text's ends.
        piece_chars: Characters of each.
        sure: No further sample is taken when the score is at least this.
    """

    pieces: int
    piece_chars: int
    sure: float


SAMPLES = (SampleSize(5, 60, 0.95), SampleSize(10, 200, 0.0))
"""The first sample decides 85 of 100 texts; the others get a longer one.

Compared with whole texts, on 2,188 Chinese ones of more than 1,000 characters: 99.9 % are on the
same side of 0.65, at 3.5 times the speed. One sample of 5 pieces of 200 characters reaches 98.9 %
and takes twice as long as these two. For mixtures of Chinese with English or Japanese the shares
are 95.3 % and 89.8 %. A min_language_score above 0.95 would need another first sample.
"""


class LanguageModel:
    """A loaded fastText classifier whose labels are language codes."""

    def __init__(self, classifier: Any, sizes: Sequence[SampleSize] = SAMPLES) -> None:
        self._classifier = classifier
        self._sizes = sizes

    def identify(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        """Return the most likely language of each text.

        Args:
            texts: Any texts: long, empty, with newlines, NUL or lone surrogates.
        Returns:
            One (label, score) for each text, in order. The label is the model's own (ISO 639
            code), the score its probability in [0, 1] for the last sample that was taken.
            ("und", 0.0) for a text without letters.
        """
        results = [(UNDETERMINED, 0.0)] * len(texts)
        rows: Sequence[int] = range(len(texts))
        for size in self._sizes:
            samples = [sample_text(texts[row], size.pieces, size.piece_chars) for row in rows]
            for row, result in zip(rows, self._judge(samples), strict=True):
                results[row] = result
            chars = size.pieces * size.piece_chars
            rows = [row for row in rows if results[row][1] < size.sure and len(texts[row]) > chars]
        return results

    def _judge(self, samples: Sequence[str]) -> list[tuple[str, float]]:
        results = [(UNDETERMINED, 0.0)] * len(samples)
        rows = [row for row, sample in enumerate(samples) if _LETTER.search(sample)]
        if not rows:
            return results
        labels, scores = self._classifier.predict([samples[row] for row in rows], k=1)
        for row, row_labels, row_scores in zip(rows, labels, scores, strict=True):
            if len(row_labels):  # empty when the model knows no feature of the text
                label = str(row_labels[0]).removeprefix(LABEL_PREFIX)
                # Rounding inside fastText lets a score exceed 1 by some 1e-5.
                results[row] = (label, min(1.0, max(0.0, float(row_scores[0]))))
        return results


def load_language_model(path: Path, sizes: Sequence[SampleSize] = SAMPLES) -> LanguageModel:
    """Load a fastText model file (.bin or .ftz).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not a fastText model.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; it should be the language model")
    return LanguageModel(fasttext.load_model(str(path)), sizes)
