"""Made messages: the same for the same seed, families apart, and tables that cannot be used."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path

import pytest

from jobs.training.common.task import TrainingError
from jobs.training.toxicity.made import made_documents
from jobs.training.toxicity.messages import grammar
from jobs.training.toxicity.messages.disguise import interrupted, read_disguises, styled
from jobs.training.toxicity.messages.grammar import expand, made_messages, read_families
from udfs.scorers.toxic_kinds import KINDS


def test_the_same_seed_gives_the_same_messages() -> None:
    first = made_messages(7, 4, 4)
    assert first == made_messages(7, 4, 4)
    other = {m.text for m in made_messages(8, 4, 4)}
    assert len(other & {m.text for m in first}) < len(first) / 4


def test_families_are_many_and_share_no_template() -> None:
    families = read_families()
    by_kind = Counter(family.kind for family in families)
    assert set(by_kind) == {*KINDS, None}
    assert min(by_kind.values()) >= 9 and by_kind[None] >= 40
    templates = [line for family in families for line in family.lines]
    assert len(templates) == len(set(templates)) >= 500
    assert min(len(family.lines) for family in families) >= 4


def test_messages_of_offers_are_none_of_the_ordinary_ones() -> None:
    made = made_messages()
    texts = [m.text for m in made]
    assert len(texts) == len(set(texts))
    counts = Counter(m.family for m in made)
    assert counts.keys() == {family.name for family in read_families()}
    assert min(counts.values()) >= 25
    by_harm = Counter(m.kind is not None for m in made)
    assert min(by_harm.values()) >= 4_000
    assert max(map(len, texts)) <= grammar.MOST_CHARS
    assert not any("{" in text or "}" in text for text in texts)


def test_documents_are_labelled_by_kind_and_held_out_by_family(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(grammar, "OFFERS_OF_FAMILY", 2)
    monkeypatch.setattr(grammar, "ORDINARY_OF_FAMILY", 3)
    documents = made_documents()
    assert {d.unit for d in documents} == {f"made: {f.name}" for f in read_families()}
    for document in documents:
        harm = document.note in KINDS
        assert document.labels == (document.note, "toxic" if harm else "benign")


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("{a|b}", {"a", "b"}),
        ("x{?y|z}", {"x", "xy", "xz"}),
        ("{3..5}", {"3", "4", "5"}),
        ("{word}", {"一", "二1", "二2"}),
        ("{word|三}", {"一", "二1", "二2", "三"}),
        ("{a{b|c}|d}", {"ab", "ac", "d"}),
        ("[微笑]{|！}", {"[微笑]", "[微笑]！"}),
    ],
)
def test_a_template_becomes_every_choice(template: str, found: set[str]) -> None:
    slots = {"word": ("一", "二{1..2}")}
    assert {expand(template, slots, random.Random(seed)) for seed in range(99)} == found


def test_digits_have_their_number_and_do_not_begin_with_0() -> None:
    for seed in range(30):
        text = expand("{5d}", {}, random.Random(seed))
        assert len(text) == 5 and text[0] != "0" and text.isdigit()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[casino]\nlines = ["a"]', "[casino] is in another table too"),
        ('[new]\nlines = ["来{casino}玩两把，{trust}，{bonus}"]', "is in [casino] too"),
        ('[new]\nlines = ["{nowhere}"]', "no 'nowhere'"),
        ('[new]\nlines = ["{a|b"]', "braces do not match"),
        ("[new", "cannot be read"),
    ],
)
def test_a_table_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, said: str
) -> None:
    shutil.copytree(grammar.FOLDER, tmp_path / "tables")
    (tmp_path / "tables/ordinary_life.toml").write_text(table, encoding="utf-8")
    monkeypatch.setattr(grammar, "FOLDER", tmp_path / "tables")
    with pytest.raises(TrainingError) as error:
        read_families.__wrapped__()
    assert said in str(error.value) and "ordinary_life.toml" in str(error.value)


def test_disguised_messages_say_what_they_said() -> None:
    disguises = read_disguises(grammar.FOLDER / "disguises.toml")
    text = "加微信群赚钱88"
    found = {disguises.applied(text, random.Random(seed)) for seed in range(200)}
    assert len(found) > 100
    ordinary = {disguises.applied(text, random.Random(s), is_ordinary=True) for s in range(200)}
    assert not any("薇" in made or "力口" in made for made in ordinary)
    assert {styled("v8", random.Random(seed)) for seed in range(99)} >= {"ｖ８", "V8️⃣", "ⓥ⑧"}
    hidden = interrupted("代开发票", random.Random(3))
    assert hidden != "代开发票" and [s for s in hidden if s in "代开发票"] == list("代开发票")
