"""What image places cost in the pass that extracts documents, on real Chinese pages.

    python -m tests.bench.pair_pass --data DIR [--rounds 5] [--profile]

The pages of DIR/extraction are written as a WARC file, and a worker's whole pass is run over it in
turns: records, charset, main text, language and Arrow batches; without and with image places, their
texts' measures, and products. Processor time, one core.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from jobs.config import Config
from jobs.pipeline.extraction_wave import extract_options
from tests.bench.extract_rates import Split
from tests.bench.pair_places import bench_pages
from tests.bench.timing import medians, pin_to_one_core, table
from tests.builders.warc_files import written_by_warcio
from udfs.extract.extract import extract_split, extracted_batch
from udfs.extract.language import LanguageModel, load_language_model
from udfs.extract.outcomes import DOCUMENT

CASES = {
    "documents": {},
    "documents and products": {"products": True},
    "documents and image places": {"pairs": True},
}


def run_pass(path: Path, config: Config, model: LanguageModel) -> tuple[int, int]:
    """Documents and image places of a file, as a worker yields them."""
    documents = places = 0
    for rows in extract_split(Split(str(path), path.name), extract_options(config), model):
        documents += sum(row["row_kind"] == DOCUMENT for row in rows)
        batch = extracted_batch(rows)
        places += len(batch.column("pairs").flatten())
    return documents, places


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true", help="of the pass with image places")
    arguments = parser.parse_args(argv)
    pin_to_one_core()
    config = Config()
    model = load_language_model(arguments.data / "models" / "lid.176.ftz")
    pages = [page.html for page in bench_pages(arguments.data)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pages.warc.gz"
        path.write_bytes(written_by_warcio(pages))
        configs = {
            name: replace(config, extract=replace(config.extract, **keys))
            for name, keys in CASES.items()
        }
        counts = {name: run_pass(path, of, model) for name, of in configs.items()}
        if arguments.profile:
            profile = cProfile.Profile()
            profile.runcall(run_pass, path, configs["documents and image places"], model)
            pstats.Stats(profile).sort_stats("tottime").print_stats(25)
            return 0
        seconds = medians(
            {name: (lambda of=of: run_pass(path, of, model)) for name, of in configs.items()},
            arguments.rounds,
        )
    rows = [
        [name, f"{counts[name][0]:,}", f"{counts[name][1]:,}",
         f"{counts[name][0] / spent:,.0f}", f"{spent / seconds['documents']:.2f}"]
        for name, spent in seconds.items()
    ]  # fmt: skip
    headings = ["pass", "documents", "image places", "documents/s", "time of documents alone"]
    print(table(headings, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
