"""Main text by trafilatura, which is not among the project's requirements."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache


def trafilatura_text(html: str) -> str:
    """A page's main text with its tables and without comments; "" where trafilatura finds none.

    Raises:
        ModuleNotFoundError: trafilatura is not installed.
    """
    extract = _extract()
    try:
        return extract(html, include_comments=False, include_tables=True) or ""
    except MemoryError:
        raise
    except Exception:
        # It fails on odd pages in as many ways as its parsers know (ValueError, RecursionError,
        # AttributeError, lxml's own): a page without text, as far as it can tell.
        return ""


@cache
def _extract() -> Callable[..., str | None]:
    try:
        from trafilatura import extract
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'extract.extractor = "trafilatura" needs pip install "taojin[trafilatura]"',
            name=error.name,
        ) from error
    return extract
