"""Which language a text is in: fastText over samples of the whole text."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fasttext

UNDETERMINED = "und"  # ISO 639-2 code for "undetermined"

_LABEL_PREFIX = "__label__"
_SAMPLES = 5
_SAMPLE_CHARS = 200
# fastText ends its input at a newline, and takes NUL and the other separators as spaces.
_BREAKS = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\u3000]+")
_LETTER = re.compile(r"[^\W\d_]")


class LanguageModel:
    """A loaded fastText classifier whose labels are language codes."""

    def __init__(self, classifier: Any) -> None:
        self._classifier = classifier

    def identify(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        """The likeliest language of each text.

        Args:
            texts: Any texts: long, empty, with newlines, NUL or lone surrogates.
        Returns:
            One (label, score) for each text, in order. The label is the model's own (ISO 639
            code), the score its probability in [0, 1]. ("und", 0.0) for a text without letters.
        """
        results = [(UNDETERMINED, 0.0)] * len(texts)
        samples = [sample_text(text) for text in texts]
        rows = [row for row, sample in enumerate(samples) if _LETTER.search(sample)]
        if not rows:
            return results
        labels, scores = self._classifier.predict([samples[row] for row in rows], k=1)
        for row, row_labels, row_scores in zip(rows, labels, scores, strict=True):
            if len(row_labels):  # empty when the model knows no feature of the text
                label = str(row_labels[0]).removeprefix(_LABEL_PREFIX)
                # Rounding inside fastText lets a sure score pass 1 by some 1e-5.
                results[row] = (label, min(1.0, max(0.0, float(row_scores[0]))))
        return results


def load_language_model(path: Path) -> LanguageModel:
    """Load a fastText model file (.bin or .ftz).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no fastText model.
    """
    if not path.is_file():
        raise FileNotFoundError(f"language model not found: {path}")
    return LanguageModel(fasttext.load_model(str(path)))


def sample_text(text: str) -> str:
    """One line of at most 1,004 characters taken evenly from the whole length of a text.

    The first lines of a page are its menu as often as its article, so that a page is judged on
    five pieces; the pieces are fixed by the text's length alone.
    """
    size = _SAMPLES * _SAMPLE_CHARS
    if len(text) > size:
        stride = (len(text) - _SAMPLE_CHARS) / (_SAMPLES - 1)
        starts = [round(piece * stride) for piece in range(_SAMPLES)]
        text = " ".join(text[start : start + _SAMPLE_CHARS] for start in starts)
    line = _BREAKS.sub(" ", text).strip()
    return line.encode("utf-8", "replace").decode("utf-8")
