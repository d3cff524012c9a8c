"""Repair and its measures of one text at a time: how tests and benches call the batch functions."""

from __future__ import annotations

import numpy as np

from udfs.base.code_points import EncodedTexts
from udfs.repair.mojibake import mojibake_shares
from udfs.repair.repair import Repaired, repair_texts


def repair_text(text: str) -> Repaired:
    """A repaired text, whether repair changes it or not."""
    [repaired] = repair_texts([text])
    return repaired or Repaired(text, {})


def mojibake_share(text: str) -> float:
    """``mojibake_shares`` of one text; lone surrogates count as ASCII."""
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), dtype=np.uint32)
    return float(mojibake_shares(EncodedTexts(codes, np.array([len(codes)])))[0])
