"""Pages with images and texts for generative scorers, and a judge whose worker dies once.

    python -m tests.builders.judged_pairs MARKER ARGUMENTS...

runs ``score_pairs`` with that judge: its first batch kills its worker, if MARKER is not there.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from jobs.config import scorers
from jobs.pairs import score_pairs
from tests.builders.warc_files import http_response, record
from udfs.pair_scorers.scorer import Pairs, PairScorer
from udfs.scorers.scorer import Record
from udfs.vision_language import judge

PROSE = "老桥横在河上，桥面的石板被磨得发亮，两岸的人每天从这里走过，去对岸的集市买菜。" * 8
CHARS = "的一是不了在人有我他这个们中来上大为和国地到以说时要就出"


def write_warc(path: Path, images: dict[str, bytes], pages: int = 6, places: int = 6) -> Path:
    """A WARC file of pages that show these images, each place with a text of its own."""
    draw = random.Random(9)
    records = []
    for number in range(pages):
        shown = "".join(
            f'<img src=/{draw.choice(list(images))} alt="{"".join(draw.choices(CHARS, k=length))}">'
            for length in draw.choices(range(2, 30), k=places)
        )
        page = f"<title>老桥</title><p>{PROSE}{number}</p>{shown}<p>{PROSE}</p>"
        records.append(record(http_response(page.encode()), uri=f"http://a.cn/{number}"))
    for name, body in images.items():
        kind = ("Content-Type", "image/png")
        records.append(record(http_response(body, kind), uri=f"http://a.cn/{name}"))
    path.write_bytes(b"".join(records))
    return path


def score_or_die(pairs: Pairs, model: Any, marker: str) -> list[Record]:
    """Kill this worker in the first batch; score the pairs in all others."""
    try:
        Path(marker).touch(exist_ok=False)
    except FileExistsError:
        return judge.score_pairs(pairs, model)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a killed process goes on")


def make_mortal(settings: Any, files: Any, fitted: Any, marker: str) -> PairScorer:
    made = judge.JUDGE.make(settings, files, fitted)
    return replace(made, score=partial(score_or_die, marker=marker))


def main(argv: Sequence[str]) -> int:
    marker, *arguments = argv
    mortal = replace(judge.JUDGE, make=partial(make_mortal, marker=marker))
    others = (s for s in scorers.PAIR_SCORERS if s.name != mortal.name)
    scorers.PAIR_SCORERS = (*others, mortal)
    return score_pairs.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
