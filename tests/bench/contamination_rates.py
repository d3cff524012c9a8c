"""Documents a second of the search for benchmark questions, what it finds, and its false alarms.

    python -m tests.bench.contamination_rates --data DIR

First table: documents of 1,200 characters against 50,000 questions, which are passages of 60 to 160
characters of other documents; beside them a set of Python strings, for the same documents folded by
unicodedata. Second: exam questions planted in documents, whole, in another layout, or edited; how
many are found. Third: documents of other sources than exams that are said to have an exam question
in them, by the least share of a question that must be found; --examples shows some.

DIR is a folder with domain/ and quality/, as the README of the data says.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.ratios import Ratios, add_ratios_argument, write_ratios
from tests.bench.rule_rates import CHARS, TEXTS, documents_of_one_size, read_texts
from tests.bench.timing import medians, pin_to_one_core, table
from udfs.models.benchmark_index import BenchmarkIndex, Question, index_bytes, load_index
from udfs.models.benchmark_matches import find_matches
from udfs.scorers.contamination import MIN_SHARE, ContaminationSettings, score_contamination

DOCUMENTS = "domain/train.jsonl.gz"
EXAMS = ("agieval", "gaokao", "tal")
"""Beginnings of the names of sources that are exam questions."""
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
BATCH = 500
_OPTION = re.compile(r"\s(?=\(?[A-H][)）．.、])")
_NOT_LETTERS = re.compile(r"[\W_]+")
_HAN = [chr(code) for code in range(0x4E00, 0x9000)]


def passages(texts: Sequence[str], count: int, dice: random.Random) -> list[str]:
    """Parts of texts of 60 to 160 characters, end to end, in a random order."""
    found = []
    for text in texts:
        at = 0
        while len(text) - at >= 60:
            size = dice.randint(60, 160)
            found.append(text[at : at + size])
            at += size
    dice.shuffle(found)
    return found[:count]


def index_of(questions: Sequence[Question], folder: Path) -> BenchmarkIndex:
    """An index, with the default settings."""
    settings = ContaminationSettings()
    path = folder / f"{len(questions)}.index"
    started = time.process_time()
    path.write_bytes(index_bytes(["exams"], questions, settings.ngram, settings.min_chars))
    seconds = time.process_time() - started
    print(
        f"{len(questions):,} questions: an index of {path.stat().st_size / 1e6:,.1f} MB, made in "
        f"{seconds:.1f} s"
    )
    return load_index(path)


def by_strings(texts: Sequence[str], owners: Mapping[str, list[int]], size: int) -> int:
    """What a set of strings does with texts: fold them, look every n-gram up, count."""
    matched = 0
    for text in texts:
        plain = _NOT_LETTERS.sub("", unicodedata.normalize("NFKC", text).lower())
        found: dict[int, set[str]] = {}
        for at in range(len(plain) - size + 1):
            gram = plain[at : at + size]
            for question in owners.get(gram, ()):
                found.setdefault(question, set()).add(gram)
        matched += any(len(grams) > 8 for grams in found.values())
    return matched


def in_batches(texts: Sequence[str], index: BenchmarkIndex) -> None:
    """What a scorer does with texts, Arrow apart."""
    for start in range(0, len(texts), BATCH):
        score_contamination(texts[start : start + BATCH], index)


def print_rates(texts: Sequence[str], count: int, rounds: int, folder: Path) -> Ratios:
    """Print the first table; how many times as fast as the set of strings the search is."""
    size = ContaminationSettings().ngram
    asked = passages(texts[::2], 50_000, random.Random(3))
    index = index_of([Question(0, str(n), (text,)) for n, text in enumerate(asked)], folder)
    owners: dict[str, list[int]] = {}
    for number, text in enumerate(asked):
        plain = _NOT_LETTERS.sub("", unicodedata.normalize("NFKC", text).lower())
        for at in range(len(plain) - size + 1):
            owners.setdefault(plain[at : at + size], []).append(number)
    documents = documents_of_one_size(texts[1::2], count)
    few = documents[: max(1, count // 10)]
    ways: dict[str, tuple[Sequence[str], Callable[[Sequence[str]], object]]] = {
        "a set of Python strings": (few, partial(by_strings, owners=owners, size=size)),
        "taojin": (documents, partial(in_batches, index=index)),
    }
    for group, way in ways.values():
        way(group[:20])  # code is compiled
    seconds = medians(
        {name: lambda group=group, way=way: way(group) for name, (group, way) in ways.items()},
        rounds,
    )
    rates = {name: len(group) / seconds[name] for name, (group, _) in ways.items()}
    print(f"\n{len(documents):,} documents of {CHARS:,} characters, {len(asked):,} questions\n")
    print(table(["search", "documents/s"], [[name, f"{r:,.0f}"] for name, r in rates.items()]))
    ratio = rates["taojin"] / rates["a set of Python strings"]
    print(f"\nratio: {ratio:.1f}")
    return {"to a set of Python strings": ratio}


def exam_rows(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Question], list[str]]:
    """Exam questions without their answers, as stem and options; and the texts of other sources."""
    questions, others = [], []
    for row in rows:
        if str(row["source"]).startswith(EXAMS):
            asked = row["text"].partition("答案：")[0]
            parts = (part.replace("\n", "") for part in _OPTION.split(asked))
            texts = tuple(part.strip() for part in parts if part.strip())
            questions.append(Question(0, str(len(questions)), texts or (row["text"],)))
        else:
            others.append(row["text"])
    return questions, others


def other_layout(question: Question, dice: random.Random) -> str:
    """The texts with letters before them, other signs and line breaks."""
    text = "\n".join(f"{'ABCDEFGH'[n % 8]}. {t}" for n, t in enumerate(question.texts))
    text = text.translate(str.maketrans("，。？（）：；", ",.?():;"))
    return re.sub(r"(.{25})", r"\1\n", text)


def edited(question: Question, dice: random.Random, share: float) -> str:
    """The texts with a share of their characters replaced."""
    text = list("\n".join(question.texts))
    for at in dice.sample(range(len(text)), round(share * len(text))):
        text[at] = dice.choice(_HAN)
    return "".join(text)


def other_numbers(question: Question, dice: random.Random) -> str:
    """The texts with all digits replaced."""
    return re.sub(r"\d", lambda _: str(dice.randrange(10)), "\n".join(question.texts))


PLANTED: dict[str, Callable[[Question, random.Random], str]] = {
    "whole": lambda question, _: "\n".join(question.texts),
    "whole, other signs and lines": other_layout,
    "other digits": other_numbers,
    "the first two thirds": lambda q, _: "\n".join(q.texts)[: len("\n".join(q.texts)) * 2 // 3],
    "without its last text": lambda q, _: "\n".join(q.texts[:-1] or q.texts),
    "2 % of the characters replaced": partial(edited, share=0.02),
    "5 % of the characters replaced": partial(edited, share=0.05),
    "10 % of the characters replaced": partial(edited, share=0.10),
}


def print_recall(
    index: BenchmarkIndex, asked: Mapping[str, Question], texts: Sequence[str]
) -> None:
    """Print the second table."""
    dice = random.Random(7)
    numbers = dice.sample(range(len(index.totals)), min(2000, len(index.totals)))
    rows = []
    for name, make in PLANTED.items():
        found = dict.fromkeys(SHARES, 0)
        for share in SHARES:
            dice = random.Random(9)
            documents = []
            for number in numbers:
                around = dice.choice(texts)
                cut = dice.randrange(len(around) + 1)
                passage = make(asked[index.question(number)[1]], dice)
                documents.append(f"{around[:cut]}\n{passage}\n{around[cut:]}")
            for number, one in zip(numbers, find_matches(documents, index, share), strict=True):
                found[share] += number in one.questions
        rows.append([name, *(f"{found[share] / len(numbers):.3f}" for share in SHARES)])
    print(f"\n{len(numbers):,} questions planted, the share that is found\n")
    print(table(["planted", *(f"{share:.1f}" for share in SHARES)], rows))


def print_alarms(
    index: BenchmarkIndex,
    asked: Mapping[str, Question],
    sets: Mapping[str, Sequence[str]],
    examples: int,
) -> None:
    """Print the third table."""
    rows = []
    for name, texts in sets.items():
        # Without a least number of n-grams: any one, and the share alone.
        loose = (find_matches(texts, index, share, 1) for share in (0.0, MIN_SHARE))
        counts = [sum(len(one.questions) > 0 for one in found) for found in loose]
        for share in SHARES:
            matches = find_matches(texts, index, share)
            counts.append(sum(len(one.questions) > 0 for one in matches))
            if share == SHARES[0]:
                chosen = [(t, m) for t, m in zip(texts, matches, strict=True) if len(m.questions)]
                for text, match in chosen[:examples]:
                    start, stop = match.spans[0].tolist()
                    question = asked[index.question(int(match.questions[0]))[1]]
                    print(f"  {text[start:stop][:90]!r}\n    in {question.texts!r:.120}")
        rows.append([f"{name}: {len(texts):,}", *(f"{n:,}" for n in counts)])
    print(f"\ndocuments with one of {len(index.totals):,} questions\n")
    loose_heads = ["any n-gram", f"{MIN_SHARE:.1f} alone"]
    print(table(["documents", *loose_heads, *(f"{share:.1f}" for share in SHARES)], rows))


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--examples", type=int, default=0)
    add_ratios_argument(parser)
    arguments = parser.parse_args(argv)
    pin_to_one_core()
    with gzip.open(arguments.data / DOCUMENTS, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    with tempfile.TemporaryDirectory(prefix="taojin-bench-") as name:
        folder = Path(name)
        texts = [row["text"] for row in rows]
        ratios = print_rates(texts, arguments.documents, arguments.rounds, folder)
        write_ratios(arguments.ratios, ratios)
        if arguments.ratios is not None:
            return 0
        questions, others = exam_rows(rows)
        print()
        index = index_of(questions, folder)
        asked = {question.name: question for question in questions}
        print_recall(index, asked, others)
        pages = [text for path in TEXTS[1:] for text in read_texts(arguments.data / path)]
        sets = {"texts of other sources": others, "crawled pages": pages}
        print_alarms(index, asked, sets, arguments.examples)
    return 0


if __name__ == "__main__":
    sys.exit(main())
