"""The configuration: what is taken, and what each error says."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from jobs.config import (
    Config,
    ConfigError,
    bundled_packs,
    load_config,
    section_types,
    to_dict,
)
from jobs.config.reference import attribute_docs, reference, settings
from jobs.config.values import bounds_of


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def numeric_keys() -> list[tuple[str, str, Any]]:
    """Section, key and type of every setting that is a number, a limit or a table of numbers."""
    return [
        (section, key, hint)
        for section, parts in section_types().items()
        for part in parts
        for key, hint in get_type_hints(part, include_extras=True).items()
        if kinds(hint) & {int, float}
    ]


def kinds(hint: Any) -> set[Any]:
    """The plain types of which a type is made."""
    return {hint}.union(*(kinds(part) for part in get_args(hint)))


def test_no_file_gives_the_defaults_and_the_default_pack() -> None:
    config = load_config(None)
    assert config.rules.pack == "default"
    assert config.rules.conditions.keys() >= {"no_prose", "many_urls"}
    assert replace(config, rules=Config().rules, pair_rules=Config().pair_rules) == Config()
    assert config.rules.host_block == ("host_words",)
    assert replace(config.rules, conditions={}, host_block=()) == Config().rules
    no_packs = ["rules.pack=off", "pair_rules.pack=off"]
    assert load_config(None, no_packs) == Config(
        rules=replace(Config().rules, pack=None),
        pair_rules=replace(Config().pair_rules, pack=None),
    )


def test_file_and_settings_are_layered(tmp_path: Path) -> None:
    path = write(
        tmp_path, '[rules]\nmin_chars = 50\nmin_script_share = 1\n[dedup]\nkeep = "oldest"\n'
    )
    config = load_config(path, ["rules.min_chars=70", "extract.languages=[]"])
    assert config.rules.min_chars == 70
    assert config.rules.min_script_share == 1.0
    assert config.dedup.keep == "oldest"
    assert config.extract.languages == ()


def test_off_switches_an_optional_limit_off_and_zero_does_not() -> None:
    config = load_config(None, ["rules.min_chars=off", "rules.min_mean_line_chars=0"])
    assert config.rules.min_chars is None
    assert config.rules.min_mean_line_chars == 0.0


def test_a_plain_word_needs_no_quotes() -> None:
    assert load_config(None, ["rules.mode=casia-exact"]).rules.mode == "casia-exact"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("rules.min_char=3", ["rules.min_char = 3", "known keys of [rules]", "min_chars"]),
        ("rule.min_chars=3", ["unknown section [rule]", "rules"]),
        ("rules.min_chars=many", ["rules.min_chars = 'many'", "expected a whole number"]),
        ("rules.min_chars=true", ["expected a whole number"]),
        ("rules.mode=loose", ["rules.mode = 'loose'", "fixed", "casia-exact"]),
        ("extract.languages=zh", ["extract.languages = 'zh'", "list of strings"]),
        ("run.wave_splits=off", ["run.wave_splits = 'off'", "expected a whole number"]),
        ("rules", ["expected section.key=value"]),
        ("rules..x=1", ["expected section.key=value"]),
        ("rules.min_chars.x=1", ["rules.min_chars = {'x': 1}", "expected a whole number"]),
        ("rules.conditions=chars", ["rules.conditions = 'chars'", "table of name = SQL"]),
        ("rules.conditions.a.b=chars", ["rules.conditions.a", "expected an SQL expression"]),
        ("rules.conditions.few=1", ["rules.conditions.few = 1", "expected an SQL expression"]),
        ("rules.conditions.few=", ["rules.conditions.few = ''", "expected an SQL expression"]),
        ("rules.conditions.Too_few=chars < 3", ["Too_few", "snake_case"]),
        ("rules.conditions.length=chars < 3", ["length", "take another name", "duplication"]),
        ("rules.conditions.few=off", ["no such condition to switch off", "no_prose"]),
        ("rules.pack=3", ["rules.pack = 3", "expected a string"]),
        ("rules.repair=1", ["rules.repair = 1", "expected true or false"]),
        ("rules.traditional_policy=turn", ["rules.traditional_policy", "drop, convert, keep"]),
        ("rules.pii_policy=hide", ["rules.pii_policy = 'hide'", "keep, mask, reject"]),
        ("rules.host_block=hosts", ["rules.host_block = 'hosts'", "list of strings"]),
        ("rules.host_block=[3]", ["rules.host_block = [3]", "3: expected a string"]),
        ("select.min_quality=2", ["select.min_quality = 2", "expected 0 to 1, or off"]),
        ("rules.min_chars=-4", ["rules.min_chars = -4", "expected 0 or more, or off"]),
        ("rules.min_mean_line_chars=nan", ["expected 0 or more, or off"]),
        ("run.lease_s=inf", ["run.lease_s = inf", "expected above 0"]),
        ("run.lease_s=0", ["run.lease_s = 0", "expected above 0"]),
        ("dedup.min_similarity=0", ["expected above 0, at most 1"]),
        ("run.partitions=3000000000", ["expected 1 to 2,147,483,647, or off"]),
        ("domain.min_probabilities.law=7", ["domain.min_probabilities.law = 7", "0 to 1"]),
    ],
)
def test_a_wrong_setting_names_key_value_and_choices(setting: str, said: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(None, [setting])
    for words in [f"--set {setting}", *said]:
        assert words in str(error.value)


@pytest.mark.parametrize(("section", "key", "hint"), numeric_keys())
def test_every_number_has_bounds_that_files_and_settings_keep(
    tmp_path: Path, section: str, key: str, hint: Any
) -> None:
    bounds = bounds_of(hint)
    assert bounds is not None, f"{section}.{key}: its type has no bounds"
    name, is_table = f"{section}.{key}", get_origin(hint) is dict
    is_list = get_origin(hint) is tuple
    wrong = ["-1", *([] if bounds.most is None else [str(int(bounds.most) + 1)])]
    for value in wrong:
        listed = f"[{value}]" if is_list else value
        written = f"{{ some = {value} }}" if is_table else listed
        path = write(tmp_path, f"[{section}]\n{key} = {written}\n")
        setting = f"{name}.some={value}" if is_table else f"{name}={listed}"
        for where, load in ((str(path), (path, [])), (f"--set {setting}", (None, [setting]))):
            with pytest.raises(ConfigError) as error:
                load_config(*load)
            assert str(error.value).startswith(f"{where}: {name}")
            expected = replace(bounds, at_most_key=None).words()
            assert f"{value}: expected {expected}" in str(error.value).replace(".0:", ":")


def test_of_two_keys_that_depend_on_each_other_both_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, "[extract]\nmin_script_chars = 900\n")
    assert load_config(path).extract.min_script_chars == 900
    said = r"extract.min_script_chars = 900: expected at most extract.max_html_chars, which is 500"
    with pytest.raises(ConfigError, match=said):
        load_config(path, ["extract.max_html_chars=500"])
    with pytest.raises(ConfigError, match=r"quality.min_token_chars = 9.*quality.max_chars"):
        load_config(None, ["quality.min_token_chars=9", "quality.max_chars=8"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[rules]\nmin_char = 3\n", "unknown key rules.min_char = 3"),
        ("rules = 3\n", "expected a table [rules]"),
        ("[rules\n", "not valid TOML"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=r"run\.toml") as error:
        load_config(path)
    assert said in str(error.value)


def test_missing_and_undecodable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml: cannot be read"):
        load_config(tmp_path / "absent.toml")
    path = tmp_path / "run.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(path)


def test_an_unknown_pack_is_named_beside_those_there_are() -> None:
    with pytest.raises(ConfigError) as error:
        load_config(None, ["rules.pack=absent"])
    for words in ("rules.pack = 'absent'", "no such pack or file", ", ".join(bundled_packs())):
        assert words in str(error.value)


def test_pairs_have_packs_of_their_own(tmp_path: Path) -> None:
    pack = write(
        tmp_path, "[pair_rules]\nmin_chars = 9\n[pair_rules.conditions]\na = 'place > 3'\n"
    )
    path = tmp_path / "of_run.toml"
    path.write_text("[pair_rules]\npack = 'run.toml'\nmax_chars = 40\n", encoding="utf-8")
    config = load_config(path)
    assert (config.pair_rules.min_chars, config.pair_rules.max_chars) == (9, 40)
    assert config.pair_rules.conditions == {"a": "place > 3"}
    assert config.rules == load_config(None).rules
    assert load_config(path, ["pair_rules.pack=danqing"]).pair_rules.min_chars == 5
    pack.write_text("[rules]\nmin_chars = 9\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"a rule pack has one table \[pair_rules\]"):
        load_config(path)
    with pytest.raises(ConfigError, match=r"known packs: coyo, danqing, default, laion, wukong$"):
        load_config(None, ["pair_rules.pack=hplt-wds"])
    with pytest.raises(ConfigError, match=r"at most pair_rules\.max_chars, which is 3"):
        load_config(None, ["pair_rules.max_chars=3"])


def test_a_condition_is_a_line_of_the_file_or_a_setting(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        [rules.conditions]
        few_lines = "lines < 3"
        many_urls = "off"
        """,
    )
    settings = [
        'rules.conditions.too_many_links="url_count > 0.02 * chars"',
        "rules.conditions.casino=sensitive_total_by_category['gambling'] >= 3",
        "rules.conditions.few_lines=lines < 2",
        "rules.conditions.few_marks=off",
    ]
    of_pack = dict(load_config(None).rules.conditions)
    del of_pack["many_urls"], of_pack["few_marks"]
    assert load_config(path, settings).rules.conditions == {
        **of_pack,
        "few_lines": "lines < 2",
        "too_many_links": "url_count > 0.02 * chars",
        "casino": "sensitive_total_by_category['gambling'] >= 3",
    }


def test_defaults_then_pack_then_file_then_settings(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        """
        [rules]
        min_chars = 10
        min_script_share = 0.5
        max_dup_13gram_share = "off"
        [rules.conditions]
        few_lines = "lines < 5"
        """
    )
    path = write(tmp_path, '[rules]\npack = "mine.toml"\nmin_chars = 20\nmin_script_share = 0.6\n')
    rules = load_config(path, ["rules.min_chars=30", "rules.conditions.few_lines=lines < 6"]).rules
    assert (rules.min_chars, rules.min_script_share, rules.max_dup_13gram_share) == (30, 0.6, None)
    assert rules.max_sensitive_per_line == 0.5
    assert rules.conditions == {"few_lines": "lines < 6"}
    assert rules.pack == "mine.toml"
    absolute = load_config(None, [f"rules.pack={tmp_path / 'mine.toml'}"]).rules
    assert (absolute.min_chars, absolute.conditions) == (10, {"few_lines": "lines < 5"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[rules]\nmin_char = 3\n", "unknown key rules.min_char = 3"),
        ("[rules\n", "not valid TOML"),
        ("[dedup]\nbands = 3\n", "one table [rules]"),
        ('[rules]\npack = "default"\n', "one table [rules]"),
        ("rules = 3\n", "one table [rules]"),
        ('[rules]\nmode = "casia-exact"\n[rules.conditions]\nx = "chars > 3"\n', "published"),
    ],
)
def test_a_wrong_pack_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"mine\.toml") as error:
        load_config(None, [f"rules.pack={tmp_path / 'mine.toml'}"])
    assert said in str(error.value)


def test_casia_exact_takes_no_pack_and_no_conditions(tmp_path: Path) -> None:
    casia = "rules.mode=casia-exact"
    rules = load_config(None, [casia]).rules
    assert rules == replace(Config().rules, mode="casia-exact", pack=None)
    with pytest.raises(ConfigError, match=r"published decisions only.*few_lines"):
        load_config(None, [casia, "rules.conditions.few_lines=lines < 3"])
    with pytest.raises(ConfigError, match="is a pack for mode fixed"):
        load_config(None, [casia, "rules.pack=fineweb2-zh"])
    pack = tmp_path / "strict.toml"
    pack.write_text('[rules]\nmode = "casia-exact"\nmin_chars = 500\n')
    strict = load_config(None, [f"rules.pack={pack}"]).rules
    assert (strict.mode, strict.min_chars, strict.conditions) == ("casia-exact", 500, {})
    with pytest.raises(ConfigError, match="few_lines"):
        load_config(None, [f"rules.pack={pack}", "rules.conditions.few_lines=lines < 3"])


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(ConfigError, match=r"unknown blog; known kinds: article, forum"):
        load_config(None, ['extract.pages=["article", "blog"]'])
    with pytest.raises(ConfigError, match=r"extract.pages = \[\]: no page would be kept"):
        load_config(None, ["extract.pages=[]"])
    with pytest.raises(ConfigError, match=r"unknown fax, name; known kinds: email, phone"):
        load_config(None, ['rules.pii_kinds=["name", "email", "fax"]'])


def test_casia_exact_takes_nothing_that_changes_texts(tmp_path: Path) -> None:
    casia = "rules.mode=casia-exact"
    for setting in ("rules.traditional_policy=convert", "rules.pii_policy=mask"):
        with pytest.raises(ConfigError, match="never changes a text"):
            load_config(None, [casia, setting])
        pack = tmp_path / "exact.toml"
        key, value = setting.removeprefix("rules.").split("=")
        pack.write_text(f'[rules]\nmode = "casia-exact"\n{key} = "{value}"\n')
        with pytest.raises(ConfigError, match="never changes a text"):
            load_config(None, [f"rules.pack={pack}"])
    # On where nobody says otherwise, it does nothing there.
    assert load_config(None, [casia]).rules.repair
    assert load_config(None, [casia, "rules.pii_policy=reject"]).rules.pii_policy == "reject"


@pytest.mark.parametrize("name", bundled_packs())
def test_packs_that_come_with_the_code_load_and_name_their_source(name: str) -> None:
    assert load_config(None, [f"rules.pack={name}"]).rules.pack == name
    assert "# Source: " in bundled_packs()[name].read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["local.toml", "cluster.toml"])
def test_shipped_configurations_load(name: str) -> None:
    load_config(Path(__file__).resolve().parents[2] / "conf" / name)


@pytest.mark.parametrize("section", section_types())
def test_every_key_is_documented(section: str) -> None:
    """A bare string after a field is its documentation: the file is the reference."""
    for part in section_types()[section]:
        undocumented = {f.name for f in fields(part)} - attribute_docs(part).keys()
        assert not undocumented, f"[{section}] {undocumented}"


def test_the_reference_has_type_default_and_meaning_of_every_key() -> None:
    listed = {(s.section, s.key): s for s in settings()}
    assert len(listed) == sum(len(keys) for keys in to_dict(Config()).values())
    keep = listed["dedup", "url_keep"]
    assert keep.values == "`longest`, `oldest`, `newest`, `best`, or off"
    assert keep.default == '"off"'
    assert keep.meaning.startswith("Capture of one address")
    # Inherited, with the default and the meaning of the class that says otherwise.
    assert listed["domain", "segmentation"].default == '"rjieba"'
    assert listed["quality", "extra_tokens"].default == '"shape"'
    assert listed["select", "min_quality"].values == "number, 0 to 1, or off"
    assert listed["domain", "min_probabilities"].values == "table of numbers, 0 to 1"
    text = reference()
    assert '| `crawl_root` | string | `"https://data.commoncrawl.org/"` | Where' in text
    assert all(f"### [{section}]" in text for section in section_types())
