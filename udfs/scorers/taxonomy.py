"""Label sets: the labels of a classification, and the one of a text without any word."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class TaxonomyError(ValueError):
    """A label set cannot be read; the message names file and line."""


@dataclass(frozen=True)
class Taxonomy:
    """The labels of a set."""

    labels: tuple[str, ...]
    """All of them, sorted."""
    fallback: str
    """The label of a text without any word."""


def read_taxonomy(path: Path) -> Taxonomy:
    """Read a label set: UTF-8, lines of ``label TAB meaning``, the fallback first.

    Blank lines and lines that begin with # are skipped.

    Raises:
        TaxonomyError: unreadable, not UTF-8, an empty or repeated label, or no label at all.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise TaxonomyError(f"{path}: is not UTF-8 text: {error.reason}") from error
    except OSError as error:
        raise TaxonomyError(f"{path}: cannot be read: {error.strerror or error}") from error
    labels: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        label = line.partition("\t")[0].strip()
        if not label or label in labels:
            raise TaxonomyError(f"{path}:{number}: expected a label that is new, found {label!r}")
        labels.append(label)
    if not labels:
        raise TaxonomyError(f"{path}: holds no label")
    return Taxonomy(tuple(sorted(labels)), labels[0])
