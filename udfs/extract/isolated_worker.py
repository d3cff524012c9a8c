"""Extract pages in an isolated process, so that a page which kills it becomes a counted failure.

The first attempt at a split extracts in the worker itself; any later one, which follows a lost
worker, sends each page to an isolated process (`udfs.base.isolated_process`). When that dies or
does not answer, the page is counted as a failure.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence

from udfs.base.isolated_process import IsolatedProcess, serve
from udfs.extract.outcomes import Failed, Outcome
from udfs.extract.pages import PageOptions, page_outcome
from udfs.warc.records import Damage, WarcRecord

LIMIT_S = 600.0
"""Seconds for a page: the slowest within the default limits takes two, and the first one may wait
for compilation."""

_COMMAND = (sys.executable, "-P", "-m", "udfs.extract.isolated_worker")


def isolated_outcomes(
    records: Iterable[WarcRecord | Damage],
    warc_path: str,
    options: PageOptions,
    command: Sequence[str] = _COMMAND,
    limit_s: float = LIMIT_S,
) -> Iterator[Outcome]:
    """Yield the outcome of every record, in order, as `udfs.extract.pages.page_outcome` returns it;
    a failure with LOST or NO_ANSWER where it returns none.

    Args:
        command: Starts the process; two file descriptors are appended, for requests and answers.
        limit_s: Seconds for a page.
    """
    process = IsolatedProcess(command)
    try:
        for record in records:
            if isinstance(record, Damage):
                yield page_outcome(record, warc_path, options)
                continue
            found: Outcome | str = process.answer((record, warc_path, options), limit_s)
            if isinstance(found, str):
                found = Failed(record.offset, found, record.field("warc-target-uri") or "")
            yield found
    finally:
        process.stop()


def main(argv: Sequence[str]) -> None:
    """Run the isolated process; arguments are the file descriptors of requests and answers."""
    serve(argv, lambda request: page_outcome(*request))


if __name__ == "__main__":
    main(sys.argv[1:])
