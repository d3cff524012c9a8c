"""Label sets: which labels there are, and which a text has that nothing can be said of."""

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
    """Read a label set: UTF-8, ``label TAB what it is`` a line, the fallback first.

    Blank lines and lines that begin with # are passed over.

    Raises:
        TaxonomyError: unreadable, not UTF-8, a label that comes twice or is none, or no label.
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
            raise TaxonomyError(f"{path}:{number}: expected another label, found {label!r}")
        labels.append(label)
    if not labels:
        raise TaxonomyError(f"{path}: holds no label")
    return Taxonomy(tuple(sorted(labels)), labels[0])
