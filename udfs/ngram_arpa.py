"""n-gram models as ARPA files, which KenLM, SRILM and others read and write.

Source:
    The format as KenLM has it (lm/read_arpa.cc).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from udfs.fasttext_file import ModelFileError
from udfs.ngram_checks import checked
from udfs.ngram_model import MOST_ORDER, RESERVED, NGrams, Order

_LEAST_LINE_BYTES = 4  # a digit, a tab, a word, a line's end


def arpa_text(ngrams: NGrams) -> str:
    """A model in the ARPA format."""
    sizes = (f"ngram {n}={len(order.words)}" for n, order in enumerate(ngrams.orders, 1))
    parts = ["\\data\\", *sizes, ""]
    for n, order in enumerate(ngrams.orders, 1):
        parts.append(f"\\{n}-grams:")
        for words, log10, backoff in zip(
            order.words.tolist(), order.log10.tolist(), order.backoff.tolist(), strict=True
        ):
            text = " ".join(ngrams.vocabulary[word] for word in words)
            further = f"\t{backoff:.7g}" if n < len(ngrams.orders) else ""
            parts.append(f"{log10:.7g}\t{text}{further}")
        parts.append("")
    return "\n".join([*parts, "\\end\\", ""])


def read_arpa(path: Path) -> NGrams:
    """The n-grams of an ARPA file.

    Raises:
        ModelFileError: it is none, or not a whole one, or as `checked`.
        OSError: it cannot be read.
    """
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            most = path.stat().st_size // _LEAST_LINE_BYTES
            return checked(_ngrams(iter(file), most, str(path)), str(path))
    except UnicodeDecodeError as error:
        raise ModelFileError(f"{path}: is not UTF-8 text: {error.reason}") from error


def _ngrams(lines: Iterator[str], most: int, name: str) -> NGrams:
    sizes = _sizes(lines, most, name)
    number_of = {word: number for number, word in enumerate(RESERVED)}
    orders = []
    for n, size in enumerate(sizes, 1):
        words = np.zeros((size, n), dtype=np.uint32)
        values = np.zeros((2, size), dtype=np.float32)
        for row in range(size):
            line = next(lines, "")
            try:
                log10, joined, *backoff = line.rstrip("\r\n").split("\t")
                entry = joined.split(" ")
                if n == 1:
                    number_of.setdefault(joined, len(number_of))
                words[row] = [number_of[word] for word in entry] if len(entry) == n else ()
                values[0, row] = float(log10)
                values[1, row] = float(*backoff)
            except (KeyError, TypeError, ValueError) as error:
                shown = line.rstrip()[:80]
                raise ModelFileError(f"{name}: n-gram {row + 1} of order {n}: {shown!r}") from error
        orders.append(Order(words, *values))
        _skip_to(lines, f"\\{n + 1}-grams:" if n < len(sizes) else "\\end\\", name)
    return NGrams(tuple(number_of), tuple(orders))


def _sizes(lines: Iterator[str], most: int, name: str) -> list[int]:
    """The number of n-grams of each order; the lines are then behind the first heading."""
    _skip_to(lines, "\\data\\", name)
    sizes: list[int] = []
    for line in lines:
        text = line.strip()
        if text == "\\1-grams:":
            break
        order, _, size = text.removeprefix("ngram ").partition("=")
        if text and not (order.strip() == str(len(sizes) + 1) and size.strip().isdecimal()):
            raise ModelFileError(f"{name}: {text[:80]!r} among the numbers of n-grams")
        if text:
            sizes.append(int(size))
    if not 1 <= len(sizes) <= MOST_ORDER or 0 in sizes or sum(sizes) > most:
        raise ModelFileError(
            f"{name}: numbers of n-grams {sizes}; expected 1 to {MOST_ORDER} orders, and no more "
            "n-grams than the file has room for"
        )
    return sizes


def _skip_to(lines: Iterator[str], heading: str, name: str) -> None:
    for line in lines:
        if line.strip() == heading:
            return
        if line.strip():
            raise ModelFileError(f"{name}: {line.strip()[:80]!r} where {heading} was expected")
    raise ModelFileError(f"{name}: ends before {heading}")
