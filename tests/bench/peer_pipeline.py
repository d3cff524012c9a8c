"""datatrove's WarcReader, Trafilatura and LanguageFilter over one file, as its users run them.

    PYTHON tests/bench/peer_pipeline.py FILE.warc.gz --model lid.176.ftz

Runs in a separate environment (datatrove wants other versions of what this project has).
Prints one JSON object: documents that come out, and CPU seconds of all its processes, without
imports and the loading of models.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path


def cpu_seconds() -> float:
    """CPU time of this process and of its children that have ended."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def run(path: Path, model: Path, timeout: float) -> dict[str, object]:
    """One pass over the file."""
    from datatrove.data import Document
    from datatrove.pipeline.extractors import Trafilatura
    from datatrove.pipeline.filters import LanguageFilter
    from datatrove.pipeline.readers import WarcReader
    from datatrove.utils.lid import FT176LID
    from loguru import logger

    logger.remove()
    # The model's place is a constant of the class; a path is copied like an address is fetched.
    FT176LID.MODEL_URL = str(model)
    reader = WarcReader(str(path.parent), glob_pattern=path.name)
    extractor = Trafilatura(timeout=timeout)
    language = LanguageFilter(["zh"], language_threshold=0.65)
    extractor.extract("<html><body><p>预热</p></body></html>")
    language.filter(Document(text="预热", id="0"))

    start = cpu_seconds()
    documents = chars = 0
    for document in language.run(extractor.run(reader.run())):
        documents += 1
        chars += len(document.text)
    return {"documents": documents, "chars": chars, "cpu_seconds": cpu_seconds() - start}


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    # datatrove's default of one second of wall time would drop pages on a busy machine.
    parser.add_argument("--timeout", type=float, default=10.0)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["HF_HOME"] = cache  # where datatrove keeps the model's copy
        os.environ["HF_HUB_OFFLINE"] = "1"
        print(json.dumps(run(arguments.path.resolve(), arguments.model, arguments.timeout)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
