"""Documents a second of segmentation and the fastText scorers, beside the published way.

    python -m tests.bench.score_rates --data DIR

The published way cuts a text with jieba, keeps words of two characters and more that are no stop
words, and asks each model once a document. Ours is one pass over all scorers with their default
settings. Documents of 1,200 characters; all ways alternating, five times over, in processor time;
medians, and the ratio of them. Behind it, on all texts of DIR: how far our scores are from those of
fastText itself for the same token lines; and how many texts are cut into jieba's words.

DIR is a folder with domain/, quality/ and toxicity/, as the README of the data says.

Source: CASIA-LM/ChineseWebText (fasttext/main.py), ChineseWebText-2.0 (Domain_Classifier,
toxic_classifier).
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any, cast

import fasttext
import jieba
import numpy as np
import pandas as pd
import rjieba
from pyspark import SparkContext, SparkFiles

from jobs.catalogue.fetch import fetch, find_artifact
from jobs.catalogue.lock import load_lock
from jobs.config import Config, ScoreConfig
from jobs.run.scorers import scorer_of
from tests.bench.ratios import Ratios, add_ratios_argument, write_ratios
from tests.bench.rule_rates import CHARS, TEXTS, documents_of_one_size, read_texts
from tests.bench.timing import medians, pin_to_one_core, table
from tests.udfs.tokens.plain_segment import pieces_of, segment
from udfs.models.fasttext_model import FastTextModel, load_fasttext
from udfs.scorers.scorer import Scorer
from udfs.scorers.scoring import score_texts
from udfs.tokens.segment import STOP_WORDS
from udfs.tokens.tokenizer import TokenizerSettings, tokenize_texts

ALL_TEXTS = (*TEXTS, "toxicity/lines.jsonl.gz")
MODELS = ("quality", "domain", "toxicity")
BATCH = 500


class NoCluster:
    """Stands for a Spark context: files go where this process finds them as a worker does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        SparkFiles._root_directory = str(folder)
        SparkFiles._is_running_on_worker = True

    def addFile(self, path: str) -> None:
        """Put a file there."""
        shutil.copy(path, self._folder)


@dataclass(frozen=True)
class Bundle:
    """What is bundled of one scorer, with the default settings."""

    scorer: Scorer
    native: Any
    """Its model, of the fasttext module."""
    model: FastTextModel


def bundles(folder: Path) -> dict[str, Bundle]:
    """The bundled fastText scorers, with the n-grams and hosts that they ask, too.

    Args:
        folder: For their files.
    """
    context = cast(SparkContext, NoCluster(folder))
    config = Config(score=ScoreConfig(scorers=MODELS))
    lock = load_lock(config, None)
    found = {}
    for name in MODELS:
        path = fetch(find_artifact(lock.artifacts, name, name), config)
        scorer = scorer_of(name, config, lock, context)
        found[name] = Bundle(scorer, fasttext.load_model(str(path)), load_fasttext(path))
    return found


def published(texts: Sequence[str], models: Sequence[Any]) -> list[object]:
    """What the published scripts do with texts: words, a line, one call a model."""
    answers: list[object] = []
    for text in texts:
        line = " ".join(w for w in jieba.lcut(text) if len(w) > 1 and w not in STOP_WORDS)
        line = line.replace("\r\n", "")
        answers += [model.predict(line, k=-1) for model in models]
    return answers


def ours(texts: Sequence[str], chosen: Sequence[Bundle]) -> None:
    """What one pass of score_documents does with texts, Arrow apart."""
    for part in _parts(texts):
        score_texts(pd.Series(part), [b.scorer for b in chosen], [b.model for b in chosen])


def print_rates(
    made: Mapping[str, Bundle], texts: Sequence[str], count: int, rounds: int
) -> Ratios:
    """Print the first table; the ratio of each choice of scorers to the published way."""
    documents = documents_of_one_size(texts, count)
    few = documents[: max(1, count // 5)]  # the published way takes its time
    alone = [replace(one, scorer=replace(one.scorer, revise=None)) for one in made.values()]
    chosen = {
        "no model": [],
        **{name: [made[name]] for name in MODELS},
        "all, their fastText models alone": alone,
        "all, with n-grams and hosts": list(made.values()),
    }
    ways: dict[str, tuple[Sequence[str], Callable[[Sequence[str]], object]]] = {}
    for what, group in chosen.items():
        natives = [bundle.native for bundle in group]
        ways[f"published, {what}"] = (few, partial(published, models=natives))
        ways[f"ours, {what}"] = (documents, partial(ours, chosen=group))
    ways["ours, no model"] = (documents, lambda group: tokenize_texts(group, [TokenizerSettings()]))
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
        for what in chosen
        for theirs, mine in [(rates[f"published, {what}"], rates[f"ours, {what}"])]
    ]
    print(table(["scorers", "published", "ours", "ratio"], rows))
    return {
        f"{what}, to the published way": rates[f"ours, {what}"] / rates[f"published, {what}"]
        for what in chosen
    }


def print_differences(made: Mapping[str, Bundle], texts: Sequence[str]) -> None:
    """Print the second table: the same token lines through fastText itself."""
    rows = []
    for name, bundle in made.items():
        native = FastTextModel(bundle.native)
        worst, others = 0.0, 0
        for part in _parts(texts):
            (tokens,) = tokenize_texts(part, [bundle.scorer.tokenizer or TokenizerSettings()])
            expected, found = native.probabilities(tokens), bundle.model.probabilities(tokens)
            worst = max(worst, float(np.abs(expected - found).max()))
            others += int((expected.argmax(axis=1) != found.argmax(axis=1)).sum())
        rows.append([name, type(bundle.model).__name__, f"{worst:.1e}", str(others)])
    print(f"\n{len(texts):,} texts through fastText itself\n")
    print(table(["model", "read as", "largest difference", "other first labels"], rows))


def print_words(texts: Sequence[str]) -> None:
    """Print the third table: how many texts are cut as jieba cuts them."""
    ways: dict[str, Callable[[str], list[str]]] = {
        "rjieba": rjieba.cut,
        "rjieba, its runs cut up": lambda text: [p for w in rjieba.cut(text) for p in pieces_of(w)],
        "ours": segment,
    }
    expected = [jieba.lcut(text) for text in texts]
    words = sum(map(len, expected))
    rows = []
    for name, way in ways.items():
        found = [way(text) for text in texts]
        pairs = list(zip(expected, found, strict=True))
        same = sum(theirs == mine for theirs, mine in pairs)
        missed = sum(len(_ends(theirs) - _ends(mine)) for theirs, mine in pairs if theirs != mine)
        rows.append([name, f"{same:,}", f"{same / len(texts):.3%}", f"{missed:,}"])
    print(f"\n{len(texts):,} texts, {words:,} words of jieba {jieba.__version__}\n")
    print(table(["cut by", "same texts", "share", "ends of words missed"], rows))


def _ends(words: Sequence[str]) -> set[int]:
    return set(accumulate(map(len, words)))


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
    add_ratios_argument(parser)
    arguments = parser.parse_args(argv)
    pin_to_one_core()
    texts = {name: read_texts(arguments.data / name) for name in ALL_TEXTS}
    documents = [text for name in TEXTS for text in texts[name]]
    folder = tempfile.TemporaryDirectory(prefix="taojin-bench-")
    made = bundles(Path(folder.name))
    ratios = print_rates(made, documents, arguments.documents, arguments.rounds)
    write_ratios(arguments.ratios, ratios)
    if arguments.ratios is not None:
        return 0
    everything = [text for group in texts.values() for text in group]
    print_differences(made, everything)
    print_words(everything)
    return 0


if __name__ == "__main__":
    sys.exit(main())
