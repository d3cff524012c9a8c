"""Registers of training documents: labels of the CORE corpora, and of pages that were read.

Source: the annotation scheme of TurkuNLP's multilingual CORE (nine main labels, 16 sub-labels),
which renames and merges the codes of CORE, FinCORE, FreCORE and SweCORE.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from udfs.scorers.register import REGISTERS, SUBREGISTERS

READINGS = Path(__file__).with_name("readings.tsv")
"""Digest of a text TAB its registers."""

_SUBREGISTER_OF = {
    "AV": "av", "CB": "nb", "DP": "dtp", "DS": "ds", "DT": "dtp", "EB": "ed", "ED": "ed",
    "EN": "en", "FA": "fi", "FI": "fi", "IT": "it", "JD": "dtp", "LE": "lt", "LT": "lt",
    "NE": "ne", "OB": "ob", "PB": "nb", "RA": "ra", "RE": "re", "RS": "rs", "RV": "rv",
    "SR": "sr", "TB": "nb",
}  # fmt: skip
"""Code of a text's second label -> sub-label."""
_MAIN_OF = {
    "CM": "IN", "DF": "ID", "FC": "NA", "FH": "HI", "FS": "SP", "HA": "NA", "HT": "HI",
    "IB": "IN", "IG": "IP", "MA": "NA", "OA": "OP", "OF": "ID", "OI": "ID", "PA": "IP",
    "PO": "LY", "PR": "LY", "QA": "ID", "RP": "IN", "RR": "IN", "SL": "LY", "SO": "OP",
    "SS": "NA", "TA": "SP", "TR": "IN", "TS": "HI", "TV": "SP",
}  # fmt: skip
"""Code of a text's second label without a sub-label of its own -> main label; other codes say
nothing: FinCORE's OS stands beside MT only."""

NO_LABEL = "none"
"""The only label of a document without a register."""


def registers_of(codes: str) -> tuple[str, ...]:
    """The main labels and sub-labels of a text: main labels first, each in order of its name.

    Args:
        codes: Labels of any of the corpora, separated by blanks.

    >>> registers_of("NA OP NE OB"), registers_of("DS IG"), registers_of("rv"), registers_of("")
    (('NA', 'OP', 'ne', 'ob'), ('IP', 'ds'), ('OP', 'rv'), ('none',))
    """
    found: set[str] = set()
    for code in codes.split():
        label = _SUBREGISTER_OF.get(code, _MAIN_OF.get(code, code))
        if label in SUBREGISTERS:
            found |= {label, SUBREGISTERS[label][0]}
        elif label in REGISTERS:
            found.add(label)
    return tuple(sorted(found, key=lambda label: (label in SUBREGISTERS, label))) or (NO_LABEL,)


def read_readings(path: Path = READINGS) -> dict[str, tuple[str, ...]]:
    """Digest of a text (see `digest_of`) -> its registers."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return {digest: registers_of(labels) for digest, labels in rows}


def digest_of(text: str) -> str:
    """The first 16 digits of the SHA-256 of a text."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
