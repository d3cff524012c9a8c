"""Documents a second of segmentation and the fastText scorers, beside the published way.

    python -m tests.bench.score_rates --data DIR

The published way cuts a text with jieba, keeps words of two characters and more that are no stop
words, and asks each model once a document. Documents of 1,200 characters; every way in turn, five
times over, in processor time; medians, and the ratio of them. Behind it, how far the scores of both
ways are apart: the bundled models, fed the same token lines through fastText itself, on all texts
of DIR; and on how many texts the words are jieba's.

DIR is a folder with domain/, quality/ and toxicity/, as the README of the data says.

Source: CASIA-LM/ChineseWebText (fasttext/main.py), ChineseWebText-2.0 (Domain_Classifier,
toxic_classifier).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import fasttext
import jieba
import numpy as np
import pandas as pd

from jobs.catalogue import bundled_conf
from jobs.config import Config
from tests.bench.rule_rates import CHARS, TEXTS, documents_of_one_size, read_texts
from tests.bench.timing import medians, pin_to_one_core, table
from udfs.artifact_files import ArtifactFile
from udfs.domain import domain_scorer
from udfs.fasttext_model import FastTextModel, load_fasttext
from udfs.quality import quality_scorer
from udfs.scoring import Scorer, score_texts
from udfs.segment import MAX_CHARS, STOP_WORDS, segment
from udfs.token_lines import Reading, read_tokens, token_lines
from udfs.toxicity import ToxicityRules, toxicity_scorer

ALL_TEXTS = (*TEXTS, "toxicity/lines.jsonl.gz")
MODELS = ("quality", "domain", "toxicity")
BATCH = 500


def scorers() -> dict[str, Scorer]:
    """The scorers that are bundled, with the default settings."""
    files = {name: ArtifactFile(name, "bench", name, "") for name in MODELS}
    settings = Config().toxicity
    rules = ToxicityRules(
        settings.min_label_score,
        window_tokens=settings.window_tokens,
        aggregate=settings.aggregate,
        top_k=settings.top_k,
    )
    reading = Reading(max_chars=settings.max_chars, exempt_formulas=settings.exempt_formulas)
    return {
        "quality": quality_scorer(files["quality"]),
        "domain": domain_scorer(files["domain"]),
        "toxicity": toxicity_scorer(files["toxicity"], rules, reading),
    }


def published(texts: Sequence[str], models: Sequence[Any]) -> list[object]:
    """What the published scripts do with texts: words, a line, one call a model."""
    answers: list[object] = []
    for text in texts:
        line = " ".join(w for w in jieba.lcut(text) if len(w) > 1 and w not in STOP_WORDS)
        line = line.replace("\r\n", "")
        answers += [model.predict(line, k=-1) for model in models]
    return answers


def ours(texts: Sequence[str], chosen: Sequence[Scorer], models: Sequence[FastTextModel]) -> None:
    """What one pass of score_documents does with texts, Arrow apart."""
    for start in range(0, len(texts), BATCH):
        score_texts(pd.Series(texts[start : start + BATCH]), chosen, models)


def paths() -> dict[str, Path]:
    """The bundled model of each scorer."""
    return {name: bundled_conf() / "artifacts" / name / f"{name}.ftz" for name in MODELS}


def print_rates(texts: Sequence[str], count: int, rounds: int) -> None:
    """Print the first table."""
    documents = documents_of_one_size(texts, count)
    native = {name: fasttext.load_model(str(path)) for name, path in paths().items()}
    folded = {name: load_fasttext(path) for name, path in paths().items()}
    made = scorers()
    few = documents[: max(1, count // 5)]  # the published way takes its time
    ways: dict[str, tuple[Sequence[str], Callable[[Sequence[str]], object]]] = {
        "published, no model": (few, lambda group: published(group, [])),
        "ours, no model": (documents, lambda group: [read_tokens(group, [Reading()])]),
    }
    for name in MODELS:
        ways[f"published, {name}"] = (few, lambda g, n=name: published(g, [native[n]]))
        ways[f"ours, {name}"] = (documents, lambda g, n=name: ours(g, [made[n]], [folded[n]]))
    ways["published, all"] = (few, lambda group: published(group, list(native.values())))
    ways["ours, all"] = (
        documents,
        lambda group: ours(group, list(made.values()), list(folded.values())),
    )
    for group, way in ways.values():
        way(group[:20])  # dictionaries are read, code is compiled
    seconds = medians(
        {name: lambda group=group, way=way: way(group) for name, (group, way) in ways.items()},
        rounds,
    )
    rates = {name: len(group) / seconds[name] for name, (group, _) in ways.items()}
    print(f"{len(documents):,} documents of {CHARS:,} characters, a second on one core\n")
    rows = [
        [what, f"{theirs:,.0f}", f"{mine:,.0f}", f"{mine / theirs:.1f}"]
        for what in ("no model", *MODELS, "all")
        for theirs, mine in [(rates[f"published, {what}"], rates[f"ours, {what}"])]
    ]
    print(table(["scorers", "published", "ours", "ratio"], rows))


def print_differences(texts: Sequence[str]) -> None:
    """Print the second table: the same token lines through fastText itself."""
    lines = [line for part in _parts(texts) for line in token_lines(part, [Reading()])[0]]
    rows = []
    for name, path in paths().items():
        native, folded = FastTextModel(fasttext.load_model(str(path))), load_fasttext(path)
        expected = native.probabilities(lines)
        found = np.concatenate(
            [folded.probabilities(read_tokens(part, [Reading()])[0]) for part in _parts(texts)]
        )
        other = int((expected.argmax(axis=1) != found.argmax(axis=1)).sum())
        rows.append(
            [name, type(folded).__name__, f"{np.abs(expected - found).max():.1e}", str(other)]
        )
    print(f"\n{len(texts):,} texts through fastText itself\n")
    print(table(["model", "read as", "largest difference", "other first labels"], rows))


def print_words(texts: Sequence[str]) -> None:
    """Print how many texts are cut as jieba cuts them."""
    same = words = others = 0
    for text in texts:
        expected, found = jieba.lcut(text[:MAX_CHARS]), segment(text[:MAX_CHARS])
        same += expected == found
        words += len(expected)
        others += len(set(_ends(expected)) - set(_ends(found)))
    print(f"\nwords: {same:,} of {len(texts):,} texts are cut as jieba {jieba.__version__} does,")
    print(f"{others:,} of {words:,} words of its end elsewhere")


def _ends(words: Sequence[str]) -> list[int]:
    return np.cumsum([len(word) for word in words], dtype=np.int64).tolist()


def _parts(texts: Sequence[str]) -> list[list[str]]:
    return [list(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--word-texts", type=int, default=3000, help="texts that jieba cuts too")
    arguments = parser.parse_args(argv)
    pin_to_one_core()
    texts = {name: read_texts(arguments.data / name) for name in ALL_TEXTS}
    print_rates([t for name in TEXTS for t in texts[name]], arguments.documents, arguments.rounds)
    everything = [text for group in texts.values() for text in group]
    print_differences(everything)
    step = max(1, len(everything) // arguments.word_texts)
    print_words(everything[::step])
    return 0


if __name__ == "__main__":
    sys.exit(main())
