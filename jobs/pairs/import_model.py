"""Pack a model's folder of transformers into one file, for scorers of pairs: FOLDER -> FILE.zip.

    python -m jobs.pairs.import_model --model DIR --output FILE.zip

The folder is one that transformers saved: configuration, weights as safetensors, tokenizer,
processor. Pickled weights and code are left out. The same folder gives the same bytes, so that one
digest names the model. Its entry for the catalogue is printed; a setting may be a path, too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from jobs.catalogue.fetch import catalogue_entry
from jobs.config.exit_status import MEANINGS_WITHOUT_STAGES, exit_status_help, until_interrupted
from udfs.pair_scorers.model_folders import ModelFolderError, pack_folder


def main(argv: Sequence[str] | None = None) -> int:
    """Write the file and print its entry for the catalogue.

    Returns:
        0, or 2 when the folder cannot be packed.
    """
    parser = argparse.ArgumentParser(
        prog="import_model",
        description=__doc__,
        epilog=exit_status_help(MEANINGS_WITHOUT_STAGES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path, required=True, help="folder of the model")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    try:
        pack_folder(arguments.model, arguments.output)
    except (ModelFolderError, OSError) as error:
        print(f"import_model: {error}", file=sys.stderr)
        return 2
    print(catalogue_entry(arguments.output, "model"))
    return 0


if __name__ == "__main__":
    sys.exit(until_interrupted("import_model", main))
