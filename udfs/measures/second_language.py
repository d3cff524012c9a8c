"""A second opinion on the language of a text: CLD3, a small neural network of Google's Chrome.

Its labels are given as those of the first identifier, lid.176, so that both can be compared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from udfs.base.model_constants import UNDETERMINED
from udfs.base.text_samples import sample_text

_PIECES, _PIECE_CHARS = 10, 60
"""Of 2,792 Chinese texts another language is named for 2; with leading 1,300 characters for 1, at
two thirds of the speed."""
_MAX_BYTES = 1 << 16
_LETTER = re.compile(r"[^\W\d_]")

_LID_LABELS = {"iw": "he", "fil": "tl", "jw": "jv", "in": "id", "mo": "ro"}
"""Labels of CLD3 -> those of lid.176, where they differ."""


def identify(texts: Sequence[str]) -> list[tuple[str, float]]:
    """Return the language of the most of each text.

    CLD3 parts a text by script before it names languages: as one text, Chinese with a few words in
    Latin letters is Hindi or Marathi to it, one page in eight.

    Returns:
        One (label, probability) for each text, in order; ("und", 0.0) where there is none. A label
        may name a script too: ``zh-Latn``.
    Source:
        Compact Language Detector v3 (github.com/google/cld3).
    """
    detector = _detector()
    found = []
    for text in texts:
        sample = sample_text(text, _PIECES, _PIECE_CHARS)
        if not _LETTER.search(sample):  # it names a language for blanks and digits, too
            found.append((UNDETERMINED, 0.0))
            continue
        result = detector.FindTopNMostFreqLangs(text=sample, num_langs=1)[0]
        label = _LID_LABELS.get(result.language, result.language)
        if label == UNDETERMINED:
            found.append((UNDETERMINED, 0.0))
        else:
            found.append((label, min(1.0, max(0.0, float(result.probability)))))
    return found


@lru_cache(maxsize=1)
def _detector() -> Any:
    """Load the network, once a process."""
    import gcld3

    return gcld3.NNetLanguageIdentifier(min_num_bytes=0, max_num_bytes=_MAX_BYTES)
