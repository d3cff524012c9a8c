"""A second opinion on the language of a text: CLD3, a small neural network of Google's Chrome.

Its labels are given as those of the first identifier, lid.176, so that both can be compared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

UNDETERMINED = "und"
MAX_BYTES = 4_096
"""Leading bytes of a text in UTF-8, without marks and digits, that are looked at."""
_LETTER = re.compile(r"[^\W\d_]")
_MAX_CHARS = 4_096

_LID_LABELS = {"iw": "he", "fil": "tl", "jw": "jv", "in": "id", "mo": "ro"}
"""Labels of CLD3 -> those of lid.176, where they differ."""


def identify(texts: Sequence[str]) -> list[tuple[str, float]]:
    """Return the most likely language of each text.

    Returns:
        One (label, probability) for each text, in order; ("und", 0.0) where there is none. A label
        may name a script too: ``zh-Latn``.
    Source:
        Compact Language Detector v3 (github.com/google/cld3).
    """
    detector = _detector()
    found = []
    for text in texts:
        start = text[:_MAX_CHARS].encode("utf-8", "replace").decode()
        if not _LETTER.search(start):  # it names a language for blanks and digits, too
            found.append((UNDETERMINED, 0.0))
            continue
        result = detector.FindLanguage(text=start)
        label = _LID_LABELS.get(result.language, result.language)
        is_known = bool(label) and label != UNDETERMINED
        probability = min(1.0, max(0.0, float(result.probability)))
        found.append((label, probability) if is_known else (UNDETERMINED, 0.0))
    return found


@lru_cache(maxsize=1)
def _detector() -> Any:
    """Load the network, once a process."""
    import gcld3

    return gcld3.NNetLanguageIdentifier(min_num_bytes=0, max_num_bytes=MAX_BYTES)
