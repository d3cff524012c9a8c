"""The configuration: what is taken, and what each error says."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.config import SECTIONS, Config, ConfigError, load_config


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_no_file_gives_the_defaults() -> None:
    assert load_config(None) == Config()


def test_file_and_settings_are_layered(tmp_path: Path) -> None:
    path = write(tmp_path, '[rules]\nmin_chars = 50\nmin_han_share = 1\n[dedup]\nkeep = "oldest"\n')
    config = load_config(path, ["rules.min_chars=70", "extract.languages=[]"])
    assert config.rules.min_chars == 70
    assert config.rules.min_han_share == 1.0
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
        ("rules.min_chars=many", ["rules.min_chars = 'many'", "expected int"]),
        ("rules.min_chars=true", ["expected int"]),
        ("rules.mode=loose", ["rules.mode = 'loose'", "fixed", "casia-exact"]),
        ("extract.languages=zh", ["extract.languages = 'zh'", "list of strings"]),
        ("run.wave_splits=off", ["run.wave_splits = 'off'", "expected int"]),
        ("rules", ["expected section.key=value"]),
    ],
)
def test_a_wrong_setting_names_key_value_and_choices(setting: str, said: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(None, [setting])
    for words in [f"--set {setting}", *said]:
        assert words in str(error.value)


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


@pytest.mark.parametrize("name", ["local.toml", "cluster.toml"])
def test_shipped_configurations_load(name: str) -> None:
    load_config(Path(__file__).resolve().parents[2] / "conf" / name)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_is_documented(section: str) -> None:
    """A bare string after a field is its documentation: the file is the reference."""
    import ast
    import inspect

    source = ast.parse(inspect.getsource(SECTIONS[section]))
    body = source.body[0].body  # type: ignore[attr-defined]
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign):
            assert isinstance(following, ast.Expr), f"{section}.{node.target.id}"  # type: ignore[union-attr]
