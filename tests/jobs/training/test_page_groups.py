"""Pages of one site, or of one template, are one group."""

from __future__ import annotations

import random

from jobs.training.common.pages import page_groups


def letters(seed: int, count: int) -> str:
    rng = random.Random(seed)
    return "".join(chr(rng.randrange(0x4E00, 0x9FA5)) for _ in range(count))


def test_pages_of_a_template_are_one_group_whatever_their_site_and_numbers() -> None:
    template = letters(0, 600)
    pages = [f"{letters(1, 400)} 2024-01-0{n} http://s{n}.com {template}" for n in range(2)]
    texts = [letters(2, 900), *pages, letters(3, 900)]
    assert page_groups(texts, ["a", "b", "c", "d"]) == ["a", "b", "b", "d"]


def test_pages_of_a_site_are_one_group() -> None:
    texts = [letters(seed, 500) for seed in range(4)]
    assert page_groups(texts, ["a", "b", "a", "c"]) == ["a", "b", "a", "c"]


def test_groups_are_transitive() -> None:
    parts = [letters(seed, 500) for seed in range(4)]
    texts = [parts[0], parts[1] + parts[2], parts[0] + parts[1], parts[3]]
    assert page_groups(texts, ["a", "b", "c", "d"]) == ["a", "a", "a", "d"]


def test_short_pages_and_phrases_of_every_menu_join_nothing() -> None:
    assert page_groups(["", "首页", "首页", ""], ["a", "b", "c", "d"]) == ["a", "b", "c", "d"]
    menu = letters(9, 300)
    texts = [menu + letters(seed, 100) for seed in range(10, 110)]
    sites = [f"site{number}" for number in range(100)]
    assert page_groups(texts, sites) == sites
