"""How fast a teacher and its student score the same texts, each on one core."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from udfs.fasttext_model import load_fasttext
from udfs.quality import READING, score_quality
from udfs.quality_bert import DocumentScorer, EncoderRules, score_documents
from udfs.token_lines import read_tokens


def student_rate(path: Path, texts: Sequence[str], rounds: int = 3) -> float:
    """Texts a second of the fastText student, its cutting into words included."""
    model = load_fasttext(path)
    return _rate(lambda: score_quality(read_tokens(texts, [READING])[0], model), texts, rounds)


def teacher_rate(path: Path, texts: Sequence[str], rounds: int = 1) -> float:
    """Texts a second of an encoder on a CPU.

    Raises:
        ModuleNotFoundError: PyTorch is not installed.
        EncoderFileError: the file is no encoder.
    """
    scorer = DocumentScorer(path, EncoderRules(device="cpu"))
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _rate(lambda: score_documents(texts, scorer), texts, rounds)
    finally:
        torch.set_num_threads(threads)


def _rate(score: Callable[[], object], texts: Sequence[str], rounds: int) -> float:
    """The best of some rounds, by the processor time of this process: what several threads do, as
    a tokenizer's, counts as often; the first round, which loads and compiles, does not count."""
    score()
    seconds = []
    for _ in range(rounds):
        started = time.process_time()
        score()
        seconds.append(time.process_time() - started)
    return len(texts) / max(min(seconds), 1e-9)
