"""An n-gram model of perplexity as an ARPA file, or an ARPA file as a compact one.

    python -m jobs.convert_language_model --model own.ng --output own.arpa
    python -m jobs.convert_language_model --model own.arpa --output own.ng

ARPA is what KenLM's build_binary and query, SRILM and others read. The scorer reads either; the
compact file has a quarter of the bytes, and 256 levels of the probabilities of each order, so an
ARPA file that went through one comes back with probabilities rounded to those.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from jobs.catalogue.fetch import catalogue_entry
from udfs.files.atomic_file import atomic_file
from udfs.models.char_lm_file import arpa_text, compact_bytes, is_compact, read_language_model
from udfs.models.fasttext_file import ModelFileError


def main(argv: Sequence[str] | None = None) -> int:
    """Write the file and print its entry for the catalogue; 2 where the model is none."""
    parser = argparse.ArgumentParser(
        prog="convert_ngrams",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path, required=True, help="ARPA file or compact file")
    parser.add_argument("--output", type=Path, required=True, help="file of the other kind")
    arguments = parser.parse_args(argv)
    try:
        convert(arguments.model, arguments.output)
    except (ModelFileError, OSError) as error:
        print(f"convert_ngrams: {error}", file=sys.stderr)
        return 2
    print(catalogue_entry(arguments.output, "model"))
    return 0


def convert(model: Path, output: Path) -> None:
    """Write a compact model as an ARPA file, an ARPA file as a compact model.

    Raises:
        ModelFileError: the model is neither, or not a whole one, or has too many characters for a
            compact file.
        OSError: a file cannot be read or written.
    """
    ngrams = read_language_model(model)
    content = arpa_text(ngrams).encode() if is_compact(model) else compact_bytes(ngrams)
    with atomic_file(str(output.absolute())) as file:
        file.write(content)


if __name__ == "__main__":
    sys.exit(main())
