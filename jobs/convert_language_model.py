"""Convert a character language model: a compact file -> an ARPA file, or the other way round.

    python -m jobs.convert_language_model --model own.ng --output own.arpa
    python -m jobs.convert_language_model --model own.arpa --output own.ng

KenLM's build_binary and query, SRILM and others read ARPA files. The scorer perplexity reads both
kinds. A compact file has a quarter of the bytes and stores the probabilities of each order in 256
levels: converting an ARPA file to it and back rounds them to those.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from jobs.catalogue.fetch import catalogue_entry
from jobs.config.exit_status import MEANINGS_WITHOUT_STAGES, exit_status_help, until_interrupted
from udfs.files.output_files import atomic_file
from udfs.models.char_lm_file import arpa_text, compact_bytes, is_compact, read_language_model
from udfs.models.fasttext_file import ModelFileError


def main(argv: Sequence[str] | None = None) -> int:
    """Write the file and print its entry for the catalogue.

    Returns:
        0, or 2 when the model cannot be read or converted.
    """
    parser = argparse.ArgumentParser(
        prog="convert_language_model",
        description=__doc__,
        epilog=exit_status_help(MEANINGS_WITHOUT_STAGES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path, required=True, help="ARPA file or compact file")
    parser.add_argument("--output", type=Path, required=True, help="file of the other kind")
    arguments = parser.parse_args(argv)
    try:
        convert(arguments.model, arguments.output)
    except (ModelFileError, OSError) as error:
        print(f"convert_language_model: {error}", file=sys.stderr)
        return 2
    print(catalogue_entry(arguments.output, "model"))
    return 0


def convert(model: Path, output: Path) -> None:
    """Write a compact model as an ARPA file, or an ARPA file as a compact model.

    Raises:
        ModelFileError: another or a truncated kind of file, or too many characters for a compact
            file.
        OSError: a file cannot be read or written.
    """
    tables = read_language_model(model)
    content = arpa_text(tables).encode() if is_compact(model) else compact_bytes(tables)
    with atomic_file(str(output.absolute())) as file:
        file.write(content)


if __name__ == "__main__":
    sys.exit(until_interrupted("convert_language_model", main))
