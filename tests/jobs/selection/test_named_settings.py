"""The settings of a named selection: a layer over those of the output, which change neither way."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from jobs.config import (
    Config,
    ConfigError,
    Remembered,
    known_tables,
    load_config,
    settings_text,
)
from jobs.run.request import OF_DOCUMENTS, OF_PAIRS, SelectionKind, is_stage, select_stage
from jobs.run.store import Store
from jobs.selection.named import NamedSettings, load_named, named_settings, write_named
from jobs.tables import (
    CORPUS,
    FETCH_LIST,
    REJECTED,
    REJECTED_PAIRS,
    SELECTED_PAIRS,
    corpus_of,
    pair_table,
    rejected_of,
    schema_of,
)

OWN = [
    "select.min_quality=0.9",
    "select.max_toxicity=0.2",
    'select.min_quality_by_domain={law = 0.3, news = "off"}',
    "select.where=measures.chars > 3 and url <> '\"'",
    "select.repeat=rows",
    'select.quality_repeats={"0.9" = 2}',
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path / "out"))


def remembered(*settings: str) -> Remembered:
    tables, _ = known_tables(tomllib.loads(settings_text(load_config(None, settings))))
    return Remembered("out/request.toml", tables)


def law(store: Store, kind: SelectionKind = OF_DOCUMENTS) -> NamedSettings:
    return named_settings(store, kind, "law")


def load(
    named: NamedSettings, output: Remembered | None, *settings: str, reset: list[str] | None = None
) -> tuple[Config, Config]:
    return load_named(None, settings, output, named, reset)


def stored(store: Store, config: Config) -> NamedSettings:
    """What a selection remembers after a command with these settings."""
    write_named(store, law(store), config)
    return law(store)


def test_a_new_selection_begins_with_the_settings_of_the_output(store: Store) -> None:
    named = law(store)
    assert named.tables == {} and named.data is None
    output = remembered("select.min_quality=0.7", "rules.min_chars=99")
    of_output, of_selection = load(named, output)
    assert of_output == of_selection == load_config(None, [], output)
    _, first = load(named, None, "select.min_quality=0.1")
    assert first.select.min_quality == 0.1


def test_what_is_set_for_a_selection_is_its_own(store: Store) -> None:
    output = remembered("select.min_quality=0.7")
    of_output, of_selection = load(law(store), output, *OWN, "rules.min_chars=99")
    assert of_output == load_config(None, ["rules.min_chars=99"], output)
    assert of_selection == load_config(None, [*OWN, "rules.min_chars=99"], output)
    named = stored(store, of_selection)
    assert load(named, output) == (
        load_config(None, [], output),
        load_config(None, OWN, output),
    )
    other = remembered("select.min_quality=0.1", "select.jsonl=zst", "rules.min_chars=5")
    of_output, again = load(named, other)
    assert again.select == of_selection.select and again.limits == of_selection.limits
    assert again.rules == of_output.rules
    assert (of_output.select.min_quality, of_output.select.jsonl) == (0.1, "zst")


def test_a_selection_of_pairs_has_its_own_rules_and_pack(store: Store) -> None:
    output = remembered("select.min_quality=0.7", "pair_rules.pack=danqing")
    own = ["pair_rules.pack=coyo", "select_pairs.images=required"]
    new = law(store, OF_PAIRS)
    of_output, first = load(new, output, *own, "select.min_quality=0.8")
    assert of_output == load_config(None, ["select.min_quality=0.8"], output)
    assert first == load_config(None, [*own, "select.min_quality=0.8"], output)
    assert (of_output.pair_rules.pack, first.pair_rules.pack) == ("danqing", "coyo")
    write_named(store, new, first)
    text = store.read_bytes("pair_selections", "law", "request.toml").decode("utf-8")
    assert tomllib.loads(text).keys() == {"pair_rules", "select_pairs"}
    assert "--reset select_pairs.KEY takes" in text
    assert law(store).tables == {}
    of_output, again = load(law(store, OF_PAIRS), remembered("pair_rules.pack=laion"))
    assert of_output.pair_rules.pack == "laion"
    assert again.pair_rules == first.pair_rules and again.select_pairs == first.select_pairs
    _, back = load(law(store, OF_PAIRS), output, reset=["pair_rules"])
    assert back.pair_rules == load_config(None).pair_rules
    assert back.select_pairs == first.select_pairs


def test_settings_are_forgotten_on_their_own_side(store: Store) -> None:
    output = remembered("select.min_quality=0.7", "rules.min_chars=99")
    named = stored(store, load(law(store), output, *OWN)[1])
    of_output, of_selection = load(named, output, reset=["select.min_quality"])
    assert of_output.select.min_quality == 0.7
    assert of_selection.select.min_quality == 0.5
    assert of_selection.limits["toxicity"].max_toxicity == 0.2
    of_output, of_selection = load(named, output, reset=["rules.min_chars"])
    assert of_output.rules.min_chars == of_selection.rules.min_chars == 200
    assert of_selection.select.min_quality == 0.9
    of_output, of_selection = load(named, output, reset=[])
    assert of_output.select.min_quality == 0.7
    assert of_output.rules.min_chars == 200
    assert of_selection == load_config(None)


def test_one_scorer_chooses_between_duplicates_of_all_selections(store: Store) -> None:
    best = ["dedup.keep=best", "score.rows=all"]
    scorers = 'score.scorers=["quality", "domain", "toxicity", "quality_bert"]'
    output = remembered(*best, scorers)
    named = law(store)
    with pytest.raises(ConfigError, match=r"quality_from = 'quality_bert'.*chosen by 'quality'"):
        load(named, output, "select.quality_from=quality_bert")
    _, other = load(named, remembered(scorers), "select.quality_from=quality_bert")
    assert other.select.quality_from == "quality_bert"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[select\n", "is not valid TOML"),
        ("[rules]\nmin_chars = 3\n", r"expected no table but \[select\]"),
        ("select = 3\n", r"expected no table but \[select\]"),
    ],
)
def test_a_broken_file_is_named(store: Store, text: str, said: str) -> None:
    store.write_bytes(text.encode(), "corpora", "law", "request.toml")
    with pytest.raises(ConfigError, match=rf"corpora/law/request\.toml: {said}"):
        law(store)


def test_a_wrong_value_of_the_file_is_refused_and_an_old_key_is_named(store: Store) -> None:
    text = "[select]\nmin_quality = 7\nold = 3\n"
    store.write_bytes(text.encode(), "corpora", "law", "request.toml")
    named = law(store)
    assert named.unknown == ("select.old",)
    with pytest.raises(ConfigError, match=r"corpora/law/request\.toml: select\.min_quality = 7"):
        load(named, None)


@pytest.mark.parametrize("name", ["law", "law-2024.1_b", "A", "9"])
def test_names_of_tables_and_stages_follow_from_the_name(name: str) -> None:
    assert corpus_of(name) == f"corpora/{name}/corpus"
    assert schema_of(corpus_of(name)) == schema_of(CORPUS) == schema_of(corpus_of(None))
    assert schema_of(rejected_of(name)) == schema_of(REJECTED) == schema_of(rejected_of(None))
    assert is_stage(select_stage(name)) and select_stage(name) != select_stage(None)
    for table in (SELECTED_PAIRS, REJECTED_PAIRS, FETCH_LIST):
        assert schema_of(pair_table(table, name)) == schema_of(table)
    with pytest.raises(KeyError):
        schema_of(pair_table(CORPUS, name))
    assert is_stage(select_stage(name, "select_pairs"))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-a", "_a", "法", "a b", "a\n", "x" * 101])
def test_a_name_that_is_no_folder_is_refused(store: Store, name: str) -> None:
    with pytest.raises(ConfigError, match="expected at most 100 letters"):
        named_settings(store, OF_DOCUMENTS, name)
