"""Select image-text pairs by what is stored of them: all tables -> selected_pairs, rejected_pairs.

Rules of [pair_rules] and thresholds of [select_pairs] read stored measures of texts, images and
pages: another one measures nothing again. rejected_pairs has, for every image place that is not
selected, all its reasons. fetch_list names the images that are missing, as img2dataset reads them
(``--input_format parquet --url_col url --caption_col caption``). With --name the selection lies
under pair_selections/NAME, beside the default one and others, and has its own [pair_rules] and
[select_pairs].
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.pipeline.command_line import run_command
from jobs.pipeline.stages import PAIR_SELECTION


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(PAIR_SELECTION, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
