"""The estimate beside a plain Kneser-Ney, and beside what a distribution has to be."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from jobs.training.toxicity.char_lm_estimate import estimate
from tests.udfs.models.plain_char_lm import PlainBackoff, PlainKneserNey, score_lines
from udfs.models.char_lm import CharLanguageModel
from udfs.models.char_lm_tables import BEGIN, END, UNKNOWN

LETTERS = "".join(map(chr, range(0x4E00, 0x4E00 + 1_000)))


def lines_of(seed: int, count: int = 1_000, letters: str = LETTERS) -> list[str]:
    """Lines of words, most of them rare: for discounts, all small counts of n-grams must come."""
    rng = random.Random(seed)
    shares = [1 / (1 + at) for at in range(len(letters))]
    words = ["".join(rng.choices(letters, shares, k=rng.randint(1, 4))) for _ in range(600)]
    weights = [1 / (1 + at) for at in range(len(words))]
    return ["".join(rng.choices(words, weights, k=rng.randint(1, 4))) for _ in range(count)]


@pytest.mark.parametrize("order", [2, 3, 4, 5])
def test_probabilities_are_those_of_the_definition(order: int) -> None:
    lines = lines_of(order)
    plain = PlainKneserNey(lines, order)
    model = estimate(lines, order, [1] * order)
    for n, table in enumerate(model.orders, 1):
        assert len(table.words) == len(plain.counts[n - 1]) + (2 if n == 1 else 0)
        for words, log10 in zip(table.words.tolist(), table.log10.tolist(), strict=True):
            *context, word = (model.vocabulary[number] for number in words)
            if word != BEGIN:
                expected = plain.probability(word, tuple(context))
                assert 10**log10 == pytest.approx(expected, rel=1e-5), (context, word)


@pytest.mark.parametrize("min_counts", [[1, 1, 1], [1, 1, 2], [1, 2, 3], [1, 2, 2, 4]])
def test_what_follows_any_context_adds_up_to_one(min_counts: list[int]) -> None:
    model = PlainBackoff(estimate(lines_of(7), len(min_counts), min_counts))
    words = [gram[0] for gram in model.table if len(gram) == 1 and gram[0] != BEGIN]
    contexts = [gram for gram in model.table if len(gram) < model.order and gram[-1] != END]
    assert len(contexts) > 20
    for context in [(), (UNKNOWN,), (LETTERS[0], UNKNOWN), *contexts[:: 1 + len(contexts) // 200]]:
        whole = sum(10 ** model.log10(word, context) for word in words)
        assert whole == pytest.approx(1.0, abs=1e-5), context


def test_least_counts_leave_out_what_is_rare() -> None:
    lines = lines_of(3)
    whole, pruned = estimate(lines, 3, [1, 1, 1]), estimate(lines, 3, [1, 2, 4])
    marked = ["\x01" + line + "\x02" for line in lines]
    for n, least in ((2, 2), (3, 4)):
        counts = Counter(t[at : at + n] for t in marked for at in range(len(t) - n + 1))
        for model, expected in ((whole, 1), (pruned, least)):
            signs = ["\x00", "\x01", "\x02", *model.vocabulary[3:]]
            kept = {"".join(signs[w] for w in words) for words in model.orders[n - 1].words}
            assert kept == {gram for gram, count in counts.items() if count >= expected}


def test_rare_characters_are_unknown_where_the_vocabulary_is_full() -> None:
    model = estimate(lines_of(1), 2, [1, 1], most_words=350)
    assert model.vocabulary[:3] == (UNKNOWN, BEGIN, END)
    assert len(model.vocabulary) == 350
    rare = next(char for char in LETTERS if char not in model.vocabulary)
    heard, unheard, unknown = score_lines(
        CharLanguageModel(model), [model.vocabulary[3], rare, "Ω"]
    )
    assert heard != unheard == unknown


@pytest.mark.parametrize(
    ("order", "min_counts"), [(1, [1]), (6, [1] * 6), (2, [2, 2]), (3, [1, 3, 2]), (2, [1])]
)
def test_arguments_out_of_range_are_refused(order: int, min_counts: list[int]) -> None:
    with pytest.raises(ValueError, match="min_counts"):
        estimate(lines_of(0), order, min_counts)


def test_of_little_text_discounts_are_given() -> None:
    lines = ["甲乙", "甲丙", "乙"]
    plain, model = PlainKneserNey(lines, 3), PlainBackoff(estimate(lines, 3, [1, 1, 1]))
    for context in ((), (BEGIN,), ("甲",), (BEGIN, "甲"), (BEGIN, "乙")):
        for word in ("甲", "乙", "丙", END, UNKNOWN):
            expected = plain.probability(word, context)
            assert 10 ** model.log10(word, context) == pytest.approx(expected, rel=1e-5)


def test_a_model_needs_text() -> None:
    with pytest.raises(ValueError, match="expected at least one"):
        estimate([], 2, [1, 1])
