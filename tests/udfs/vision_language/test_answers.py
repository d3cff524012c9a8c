"""Scores in answers, rubrics, and texts that try to answer themselves; no model is needed."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jobs.catalogue.catalogue import bundled_conf
from udfs.base.settings import ConfigError
from udfs.files.artifacts import ArtifactFile
from udfs.vision_language.answers import OUT_OF_SCALE, UNREADABLE, Scale
from udfs.vision_language.judge import JudgeSettings, record_of, scale_of
from udfs.vision_language.pictures import Picture, Undecodable
from udfs.vision_language.questions import Answer, SpecialTokens, filled
from udfs.vision_language.rubric import RubricError, read_rubric
from udfs.vision_language.text_judge import TEXT_JUDGE, TextJudgeSettings


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("A clear photo of a bridge. score: {9}", 9),
        ("score:{10}", 10),
        ("score: {1} and then score: {7}", 1),
        ("score: {0}", OUT_OF_SCALE),
        ("score: {11}", OUT_OF_SCALE),
        ("score: {" + "9" * 400 + "}", OUT_OF_SCALE),
        ("score: 9", UNREADABLE),
        ("score: {nine}", UNREADABLE),
        ("", UNREADABLE),
    ],
)
def test_the_published_scale(answer: str, expected: int | str) -> None:
    assert scale_of(JudgeSettings()).read(answer) == expected
    record = record_of(Answer(answer), scale_of(JudgeSettings()))
    assert record["judge_text"] == answer
    assert (record["judge_score"] or record["failure"]) == expected


def test_a_question_without_an_answer_has_its_reason() -> None:
    record = record_of(Answer(None, "too_long"), scale_of(JudgeSettings()))
    assert record == {"judge_score": None, "judge_text": None, "failure": "too_long"}


@pytest.mark.parametrize(
    ("pattern", "least", "message"),
    [
        (r"score: (\d+", 1, "is not a regular expression"),
        (r"score: \d+", 1, "has 0 groups: expected one"),
        (r"(score): (\d+)", 1, "has 2 groups"),
        (r"(\d+)", 10, "a scale from 10 to 10"),
    ],
)
def test_a_scale_that_reads_nothing_is_refused(pattern: str, least: int, message: str) -> None:
    with pytest.raises(ConfigError, match=r"judge\.answer") as refused:
        Scale(pattern, least, 10).check("judge.answer")
    assert message in str(refused.value)


def test_a_text_goes_into_a_prompt_once() -> None:
    assert filled("问：{text}。", "甲{text}乙") == "问：甲{text}乙。"


def test_special_tokens_are_broken_longest_first() -> None:
    tokens = SpecialTokens(["<s>", "<s><s>", "x", ""])
    assert tokens.broken("a<s><s>x<s>") == "a< s><s>x< s>"
    assert SpecialTokens([]).broken("<s>") == "<s>"


def test_the_bundled_rubric() -> None:
    rubric = read_rubric(bundled_conf() / "rubrics" / "educational.toml")
    assert (rubric.min_points, rubric.max_points) == (0, 5)
    read = rubric.scale.read
    assert read("介绍了杠杆原理，例子清楚。\n得分：4") == 4
    assert read("得分: 0") == 0
    assert read("得分：4.5") == UNREADABLE
    assert read("得分：6") == UNREADABLE
    assert [rubric.score(points) for points in range(6)] == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


RUBRIC = {
    "prompt": '"{text}？"',
    "answer": "'(\\d)'",
    "min_points": "1",
    "max_points": "5",
    "max_chars": "100",
    "max_tokens": "8",
}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("prompt", '"多少分？"', "expected {text} in it"),
        ("prompt", "3", "expected a string"),
        ("answer", "'[0-9]'", "has 0 groups"),
        ("min_points", "5", "a scale from 5 to 5"),
        ("max_points", "4.5", "expected a whole number"),
        ("max_chars", "0", "expected 1 or more"),
        ("max_tokens", "true", "expected a whole number"),
        ("points", "5", "unknown points"),
        ("max_chars", None, "max_chars: missing"),
        ("max_chars", "= 5", "is not a TOML file"),
    ],
)
def test_a_rubric_that_cannot_be_asked_is_refused(
    tmp_path: Path, key: str, value: str | None, message: str
) -> None:
    values = {**RUBRIC, key: value}
    path = tmp_path / "own.toml"
    path.write_text("\n".join(f"{k} = {v}" for k, v in values.items() if v is not None), "utf-8")
    with pytest.raises(RubricError, match=r"own\.toml") as refused:
        read_rubric(path)
    assert message in str(refused.value)


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_a_picture_is_upright_and_lies_on_white() -> None:
    half = Image.new("RGBA", (4, 2), (200, 0, 0, 255))
    half.paste((0, 0, 0, 0), (0, 0, 2, 2))
    pixels = Picture(saved(half)).decoded(None)
    assert pixels.shape == (2, 4, 3)
    assert pixels[0].tolist() == [[255, 255, 255]] * 2 + [[200, 0, 0]] * 2
    turned = Image.new("RGB", (6, 3), (0, 90, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Picture(saved(turned, "JPEG", exif=exif))
    assert picture.decoded(None).shape == (6, 3, 3)
    assert picture.pixels == 18


def test_a_large_picture_is_reduced_to_no_less_than_the_limit() -> None:
    picture = Picture(saved(Image.new("RGB", (800, 400), (9, 9, 9))))
    height, width, _ = picture.decoded(10_000).shape
    assert 10_000 <= height * width < 40_000
    assert abs(width / height - 2) < 0.05
    assert np.array_equal(picture.decoded(800 * 400 // 3), picture.decoded(None))


@pytest.mark.parametrize("body", [b"", b"<svg/>", saved(Image.new("L", (50, 50), 7))[:60]])
def test_a_broken_picture_says_so(body: bytes) -> None:
    with pytest.raises(Undecodable):
        Picture(body).decoded(None)


def test_a_model_is_loaded_once_for_all_tasks_of_a_worker() -> None:
    """Each task unpickles a scorer of its own, and equal ones are one key of a worker's cache."""
    path = bundled_conf() / "rubrics" / "educational.toml"
    shipped = ArtifactFile("own", "local", "model.zip", "")
    files: Any = SimpleNamespace(shipped=lambda key: shipped, local=lambda key: path)
    made = TEXT_JUDGE.make(TextJudgeSettings(), files)
    one, other = (pickle.loads(pickle.dumps(made)).load for _ in range(2))
    assert one is not other
    assert (one, hash(one)) == (other, hash(other))
    assert one.rubric == read_rubric(path)
