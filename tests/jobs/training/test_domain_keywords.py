"""The keywords of the domain labels: the bundled list, and lists that cannot be used."""

from pathlib import Path

import pytest

from jobs.training.domain.keywords import KEYWORDS, KeywordsError, read_keywords, rule_label
from udfs.scorers.domain import LABELS
from udfs.tokens.forms import FORMS, MARK

LIST = {
    "股票": {"finance": 1.0},
    "基金": {"finance": 0.5},
    "法院": {"law": 1.0},
    "判决": {"law": 1.0, "news": 0.5},
    "记者": {"news": 1.0},
}


def test_the_bundled_list_has_keywords_of_every_label_and_forms_that_exist() -> None:
    keywords = read_keywords(KEYWORDS, LABELS)
    for label in LABELS:
        assert sum(label in weights for weights in keywords.values()) >= 50
    forms = {word.removeprefix(MARK) for word in keywords if word.startswith(MARK)}
    assert forms == set(FORMS)
    lines = KEYWORDS.read_text(encoding="utf-8").splitlines()
    assert lines == sorted(lines, key=lambda line: line.split("\t")[:2])


def test_a_list_is_read_by_keyword(tmp_path: Path) -> None:
    path = tmp_path / "list.tsv"
    path.write_text("law\t判决\t1\nnews\t判决\t0.5\nlaw\t法院\t2\n", encoding="utf-8")
    assert read_keywords(path, LABELS) == {"判决": {"law": 1, "news": 0.5}, "法院": {"law": 2}}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("law\t法院", "expected label TAB keyword TAB weight"),
        ("", "expected label TAB keyword TAB weight"),
        ("sports\t足球\t1", "label 'sports': expected one of "),
        ("law\t法 院\t1", "keyword '法 院': expected no white space"),
        ("law\t\t1", "keyword '': expected no white space"),
        ("law\t法院\t0", "weight '0': expected a number above 0"),
        ("law\t法院\tnan", "weight 'nan': expected a number above 0"),
        ("law\t法院\tx", "weight 'x': expected a number above 0"),
        ("law\t判决\t2", "keyword '判决' is listed twice for law"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "list.tsv"
    path.write_text(f"law\t判决\t1\n{line}\n", encoding="utf-8")
    with pytest.raises(KeywordsError) as refusal:
        read_keywords(path, LABELS)
    assert str(refusal.value).startswith(f"{path}: line 2: {message}")


@pytest.mark.parametrize(
    ("tokens", "label"),
    [
        ("法院 判决 股票 基金", "-"),
        ("法院 判决 法院 判决", "-"),
        ("股票 基金 股市 法院 判决 记者", "-"),
        ("", "-"),
        ("法院 判决 记者 开庭", "law"),
        ("开庭 记者 判决 报道 法院", "law"),
    ],
)
def test_three_different_keywords_make_a_label(tokens: str, label: str) -> None:
    keywords = {**LIST, "开庭": {"law": 1.0}, "报道": {"news": 1.0}}
    assert rule_label(tokens.split(), keywords, "-") == label
