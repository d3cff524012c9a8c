"""Intervals of totals: exact cases, and how often they hold the truth over many samples."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from jobs.estimate.intervals import Interval, known, student_quantile, summed, total_of
from jobs.estimate.unique_share import (
    Removed,
    growth_exponent,
    most_events,
    thinned,
    unique_total,
)


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [  # tables of Student's distribution, two-sided 95 %
        (1, 12.7062),
        (2, 4.3027),
        (3, 3.1824),
        (4, 2.7764),
        (9, 2.2622),
        (19, 2.0930),
        (99, 1.9842),
        (10_000, 1.9602),
    ],
)
def test_quantiles_are_those_of_the_tables(freedom: int, quantile: float) -> None:
    assert student_quantile(freedom, 0.95) == pytest.approx(quantile, abs=1e-4)


def test_a_sample_of_all_has_no_width() -> None:
    assert total_of([3, 4], [1, 1], 2, 2) == known(7)


def test_an_amount_that_follows_the_size_has_no_width() -> None:
    found = total_of([10, 20, 30], [1, 2, 3], 60, 12)
    assert (found.estimate, found.low) == (600, 600)
    assert found.high == pytest.approx(600)


def test_the_interval_of_three_is_what_the_formula_gives() -> None:
    # By hand: ratios without each unit 2.5, 2, 1.5, their mean 2; s = 10 sqrt(0.7 * 2/3 * 0.5).
    found = total_of([1, 2, 3], [1, 1, 1], 10, 10, least=0)
    half = 4.302653 * 10 * math.sqrt(0.7 * 2 / 3 * 0.5)
    assert found.estimate == pytest.approx(20)
    assert found.high - 20 == pytest.approx(half, rel=1e-5)
    assert found.low == pytest.approx(max(20 - half, 0), rel=1e-5)


def test_the_least_total_is_what_was_seen() -> None:
    assert total_of([0, 0, 50], [1, 1, 1], 4, 4).low == 50


def test_one_unit_of_several_has_no_upper_limit() -> None:
    found = total_of([5], [2], 20, 10)
    assert found == Interval(50, 5, math.inf)


def test_sums_and_multiples() -> None:
    both = summed([Interval(2, 1, 3), Interval(20, 10, 30).times(0.5).plus(1)])
    assert both == Interval(13, 7, 19)
    assert both.holds(19) and not both.holds(19.5)


def alike(dice: random.Random, size: float) -> float:
    return size * dice.uniform(0.8, 1.2)


def skewed(dice: random.Random, size: float) -> float:
    return size * dice.lognormvariate(0, 0.5)


def rare(dice: random.Random, size: float) -> float:
    return size * (dice.random() < 0.3)


@pytest.mark.parametrize(
    ("amount", "sampled", "units", "least"),
    [
        (alike, 5, 40, 0.93),
        (alike, 20, 400, 0.93),
        (skewed, 10, 200, 0.87),  # 95 % needs more files where they differ that much
        (skewed, 20, 40, 0.90),
        (skewed, 50, 1000, 0.90),
        (rare, 20, 400, 0.88),
    ],
)
def test_intervals_hold_the_truth_as_often_as_they_say(
    amount: Callable[[random.Random, float], float], sampled: int, units: int, least: float
) -> None:
    dice = random.Random(20)
    held = 0
    rounds = 1000
    for _ in range(rounds):
        sizes = [dice.lognormvariate(10, 0.4) for _ in range(units)]
        values = [amount(dice, size) for size in sizes]
        chosen = dice.sample(range(units), sampled)
        found = total_of([values[n] for n in chosen], [sizes[n] for n in chosen], sum(sizes), units)
        held += found.holds(sum(values))
    assert least <= held / rounds <= 0.99


def test_intervals_without_sizes_are_wider() -> None:
    dice = random.Random(3)
    sizes = [dice.lognormvariate(10, 0.6) for _ in range(100)]
    values = [alike(dice, size) for size in sizes]
    with_sizes = total_of(values[:20], sizes[:20], sum(sizes), 100)
    without = total_of(values[:20], [1.0] * 20, 100, 100)
    assert without.high - without.low > 2 * (with_sizes.high - with_sizes.low)


def clusters_in_files(
    dice: random.Random, units: int, per_file: int, copies: float, within: float
) -> list[list[int]]:
    """Files of documents, each the number of its text: some texts have copies elsewhere, or in
    the same file."""
    files: list[list[int]] = [[] for _ in range(units)]
    text = 0
    for at in range(units):
        while len(files[at]) < per_file:
            text += 1
            files[at].append(text)
            while dice.random() < copies:
                to = at if dice.random() < within else dice.randrange(units)
                files[to].append(text)
    return files


def deduplicated(files: list[list[int]]) -> tuple[list[int], list[int]]:
    """Removed documents of each file: copies of one in the same file, and of one elsewhere."""
    first: dict[int, int] = {}
    within, across = [], []
    for at, texts in enumerate(files):
        counts = [0, 0]
        for text in texts:
            if text in first:
                counts[first[text] != at] += 1
            first.setdefault(text, at)
        within.append(counts[0])
        across.append(counts[1])
    return within, across


@pytest.mark.parametrize("copies", [0.05, 0.4])
@pytest.mark.parametrize("within", [0.0, 0.8])
@pytest.mark.parametrize(("sampled", "units"), [(20, 40), (10, 200)])
def test_unique_documents_lie_between_the_bounds(
    copies: float, within: float, sampled: int, units: int
) -> None:
    dice = random.Random(5)
    held = 0
    rounds = 100
    for _ in range(rounds):
        files = clusters_in_files(dice, units, 40, copies, within)
        truth = len({text for texts in files for text in texts})
        chosen = [files[n] for n in dice.sample(range(units), sampled)]
        seen = [len(texts) for texts in chosen]
        inside, across = deduplicated(chosen)
        half = chosen[: sampled // 2]
        removed = Removed(
            seen,
            inside,
            across,
            sum(map(len, half)),
            len({text for texts in half for text in texts}),
        )
        found = unique_total(removed, [1.0] * sampled, units, units)
        assert sum(removed.kept) <= found.low <= found.estimate <= found.high
        held += found.holds(truth)
    assert held / rounds >= 0.9


def test_growth_is_found_from_the_half_and_the_whole() -> None:
    removed = Removed([50, 50], [0, 0], [0, 10], half_seen=50, half_kept=50)
    assert growth_exponent(removed) == pytest.approx(math.log(90 / 50) / math.log(2))
    assert growth_exponent(Removed([50, 50], [0, 0], [0, 10])) is None
    assert growth_exponent(Removed([50, 50], [0, 0], [0, 0], 50, 50)) == 1


def test_without_duplicates_all_documents_stay_or_nearly_all() -> None:
    found = unique_total(Removed([100] * 5, [0] * 5, [0] * 5, 300, 300), [1] * 5, 10, 10)
    assert found.estimate == found.high == 1000
    assert found.low == pytest.approx(1000 - most_events(0) * 2 * 9 / 4)  # none was seen, yet


@pytest.mark.parametrize(("count", "most"), [(0, 3.689), (1, 5.572), (10, 18.39), (100, 121.63)])
def test_the_limit_of_rare_events_is_that_of_the_tables(count: int, most: float) -> None:
    assert most_events(count) == pytest.approx(most, rel=0.01)


def test_what_comes_after_deduplication_shrinks_with_it() -> None:
    corpus = thinned(Interval(80, 60, 100), Interval(50, 25, 100), Interval(100, 100, 100))
    assert corpus == Interval(40, 15, 100)
