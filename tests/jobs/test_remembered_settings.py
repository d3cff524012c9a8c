"""The settings that an output remembers: their TOML, and how they meet file, pack and --set."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.config import (
    Config,
    ConfigError,
    Remembered,
    kept_over_file,
    known_tables,
    load_config,
    settings_text,
    to_dict,
)
from jobs.config.remembered import toml_value

OTHERS = [
    "rules.min_chars=100",
    "rules.max_mojibake_share=off",
    "extract.languages=[]",
    'rules.conditions.few_lines=lines < 3 and url like "%\\\\n"',
    "domain.labels.新闻=news",
    'dedup.preferred_hosts=["people.com.cn"]',
    "select.jsonl=zst",
    "toxicity.window_tokens=99",
]


def remembered(config: Config) -> Remembered:
    """What an output remembers of a configuration, read from its text."""
    tables, unknown = known_tables(tomllib.loads(settings_text(config)))
    assert unknown == []
    return Remembered("out/request.toml", tables)


@pytest.mark.parametrize(
    "settings",
    [
        [],
        OTHERS,
        ["rules.pack=off"],
        ["rules.pack=hplt-wds"],
        ["rules.mode=casia-exact"],
        ["rules.conditions.few_marks=off"],
    ],
)
def test_what_is_remembered_gives_the_same_settings(settings: list[str]) -> None:
    config = load_config(None, settings)
    assert load_config(None, [], remembered(config)) == config


def test_a_setting_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    first = load_config(None, OTHERS)
    file = tmp_path / "run.toml"
    file.write_text(
        '[rules]\nmin_chars = 64\n[rules.conditions]\nlong = "chars > 9000"\n'
        '[run]\nwave_splits = 3\n[domain.labels]\n"科技" = "technology"\n',
        encoding="utf-8",
    )
    config = load_config(file, ["select.min_quality=0.9"], remembered(first))
    expected = replace(
        first,
        select=replace(first.select, min_quality=0.9),
        run=replace(first.run, wave_splits=3),
    )
    assert config == expected
    assert kept_over_file(file, ["select.min_quality=0.9"], config) == [
        ("rules.conditions", toml_value(first.rules.conditions), kept_conditions(file)),
        ("rules.min_chars", "100", "64"),
        ("domain.labels", '{"新闻" = "news"}', '{"科技" = "technology"}'),
    ]
    names = [name for name, _, _ in kept_over_file(file, ["rules.min_chars=100"], config)]
    assert names == ["rules.conditions", "domain.labels"]


def kept_conditions(file: Path) -> str:
    return toml_value(load_config(file).rules.conditions)


def test_a_mapping_is_not_added_to_what_was_switched_off() -> None:
    config = load_config(None, ["rules.conditions.few_marks=off"])
    again = load_config(None, ["rules.conditions.long=chars > 9000"], remembered(config))
    assert "few_marks" not in again.rules.conditions
    assert again.rules.conditions["long"] == "chars > 9000"
    kept = remembered(config)
    rules = {key: value for key, value in kept.tables["rules"].items() if key != "min_chars"}
    lacking = replace(kept, tables={**kept.tables, "rules": rules})  # as an earlier version's
    assert load_config(None, [], lacking) == config


def test_another_pack_brings_its_values_and_keeps_what_was_set_beside_the_first() -> None:
    first = remembered(
        load_config(None, ["rules.min_script_share=0.7", "rules.conditions.a=chars < 3"])
    )
    changed = load_config(None, ["rules.pack=fineweb2-zh"], first)
    fresh = ["rules.pack=fineweb2-zh", "rules.min_script_share=0.7", "rules.conditions.a=chars < 3"]
    assert changed == load_config(None, fresh)
    assert load_config(None, ["rules.pack=default"], first).rules.pack == "default"
    exact = remembered(load_config(None, ["rules.min_script_share=0.7"]))
    assert load_config(None, ["rules.mode=casia-exact"], exact).rules == (
        load_config(None, ["rules.mode=casia-exact", "rules.min_script_share=0.7"]).rules
    )


def test_another_pack_of_pairs_brings_its_values_and_leaves_those_of_documents() -> None:
    settings = ["rules.min_chars=77", "pair_rules.min_nouns=2", "pair_rules.conditions.a=place > 3"]
    first = load_config(None, settings)
    kept = remembered(first)
    assert load_config(None, [], kept) == first
    other = ["pair_rules.pack=coyo"]
    assert load_config(None, other, kept) == load_config(None, [*settings, *other])
    rules = load_config(None, [], kept.without(["pair_rules"], None))
    assert rules == load_config(None, ["rules.min_chars=77"])
    without = replace(kept, tables={k: v for k, v in kept.tables.items() if k != "pair_rules"})
    assert load_config(None, [], without) == rules  # an output that knows no rules of pairs


def test_a_pack_that_is_gone_is_not_needed(tmp_path: Path) -> None:
    pack = tmp_path / "mine.toml"
    pack.write_text('[rules]\nmin_chars = 33\n[rules.conditions]\nfew = "lines < 2"\n')
    file = tmp_path / "run.toml"
    file.write_text('[rules]\npack = "mine.toml"\n[rules.conditions]\nfew = "off"\n')
    first = load_config(file, ["rules.conditions.many=lines > 99"])
    kept = remembered(first)
    assert load_config(file, [], kept) == first
    pack.unlink()
    assert load_config(None, [], kept) == first
    with pytest.raises(ConfigError, match=r"mine\.toml"):
        load_config(None, ["rules.pack=off"], kept)
    assert load_config(None, ["rules.pack=off"], kept.without(["rules"], None)).rules.pack is None


def test_settings_are_forgotten_by_key_by_section_and_all() -> None:
    first = load_config(None, [*OTHERS, "rules.min_script_share=0.7"])
    kept = remembered(first)
    one = load_config(None, [], kept.without(["rules.min_chars"], None))
    assert one == replace(first, rules=replace(first.rules, min_chars=200))
    section = load_config(None, [], kept.without(["rules", "select.jsonl"], None))
    assert section.rules == load_config(None).rules
    assert (section.select.jsonl, section.extract.languages) == ("none", ())
    assert load_config(None, [], kept.without([], None)) == load_config(None)
    for wrong in ("rules.min_char", "run.wave_splits", "nothing"):
        with pytest.raises(ConfigError, match=f"--reset {wrong}: not a setting"):
            kept.without([wrong], None)


def test_all_that_tables_depend_on_is_written_and_nothing_of_the_machine() -> None:
    tables = tomllib.loads(settings_text(Config()))
    everything = to_dict(Config())
    of_the_command = {"release", "release_pairs", "run", "artifacts", "spark"}
    assert tables.keys() == everything.keys() - of_the_command
    assert tables["input"].keys() == {"text_column", "id_column"}
    for section in tables.keys() - {"input"}:
        assert tables[section].keys() == everything[section].keys()


def test_a_setting_that_no_longer_exists_is_named() -> None:
    tables, unknown = known_tables({"rules": {"min_chars": 3, "old": 1}, "gone": {"a": 2}})
    assert tables == {"rules": {"min_chars": 3}}
    assert unknown == ["rules.old", "gone.a"]
