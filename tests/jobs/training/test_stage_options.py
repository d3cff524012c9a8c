"""Options of quality-bert-stages: what they make of the recipe, and what is refused at once."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

import pytest

from jobs import train_models
from jobs.training.encoder import options
from jobs.training.encoder.recipe import EncoderRecipe
from jobs.training.encoder.two_stage_task import QUALITY_BERT_STAGES
from jobs.training.tasks import add_options

NAME = "quality-bert-stages"


def recipe_of(*given: str) -> EncoderRecipe:
    parser = argparse.ArgumentParser()
    add_options(parser)
    arguments = parser.parse_args(["--task", NAME, *given])
    recipe = QUALITY_BERT_STAGES.recipe
    assert isinstance(recipe, EncoderRecipe)
    return options._recipe(recipe, arguments)


def test_an_encoder_that_is_named_is_trained_as_published() -> None:
    recipe = recipe_of("--encoder", "bundled")
    assert (recipe.start, recipe.layers, recipe.frozen_layers) == ("bundled", tuple(range(7)), 6)
    assert recipe.max_tokens == 384
    recipe = recipe_of("--encoder", "bundled", "--layers", "4")
    assert (recipe.layers, recipe.frozen_layers) == ((0, 1, 2, 3), 3)
    recipe = recipe_of("--encoder", "bundled", "--layers", "4", "--frozen", "0")
    assert (recipe.layers, recipe.frozen_layers) == ((0, 1, 2, 3), 0)


def test_other_options_change_the_recipe_alone() -> None:
    default = QUALITY_BERT_STAGES.recipe
    assert isinstance(default, EncoderRecipe)
    assert recipe_of() == default
    assert recipe_of("--layers", "3").frozen_layers == 3
    recipe = recipe_of("--head", "multi-scale", "--rounds", "4", "--epochs", "2", "--folds", "3")
    assert (recipe.head, recipe.rounds, recipe.epochs, recipe.folds) == ("multi-scale", 4, 2, 3)
    recipe = recipe_of("--segments", "20000")
    assert (recipe.unlabelled_segments, recipe.chosen_segments) == (20_000, 6_400)
    assert recipe_of("--windows", "2") == replace(default, most_segments=2)
    assert recipe_of("--windows", "all") == replace(default, most_segments=None, rounds=0)
    recipe = recipe_of("--windows", "all", "--unlabelled", "out", "--rounds", "3")
    assert (recipe.most_segments, recipe.rounds) == (None, 3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--positives", "a.jsonl"], "--positives and --negatives need each other"),
        (["--texts", "9", "--data", "d"], "--texts needs --positives and --negatives"),
        (
            ["--positives", "a.jsonl", "--negatives", "b.jsonl", "--data", "d"],
            "--data and --positives: give the labelled files or your own, not both",
        ),
        (["--unlabelled", "out", "--rounds", "0"], "--unlabelled needs --rounds 1 or more"),
        (["--segments", "9", "--rounds", "0"], "--segments needs --rounds 1 or more"),
        (["--windows", "all", "--rounds", "2"], "--rounds 2 needs --unlabelled with --windows all"),
        (["--windows", "0"], "argument --windows: 0: expected 1 or more, or all"),
        (["--folds", "1"], "--folds 1: expected 2 or more"),
        (["--epochs", "0"], "--epochs 0: expected 1 or more"),
        (["--rounds", "-1"], "--rounds -1: expected 0 or more"),
        (
            ["--encoder", "absent"],
            "--encoder absent: no such file or folder; expected one, bundled",
        ),
        (["--encoder", "bundled", "--layers", "8"], "--layers 8: bundled has 7"),
        (["--layers", "13"], "--layers 13: pretrained has 12"),
        (["--layers", "3", "--frozen", "4"], "--frozen 4: the encoder has 3 layers"),
    ],
)
def test_options_are_refused_before_anything_is_read(
    given: list[str], message: str, capsys: Any
) -> None:
    with pytest.raises(SystemExit) as error:
        train_models.main(["--output", "out", "--task", NAME, *given])
    assert error.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--task", "domain", "--encoder", "bundled"], "--encoder is for the task quality-bert-st"),
        (["--task", "domain", "--unlabelled", "f"], "--unlabelled is for the task toxicity or qua"),
        (["--task", "toxicity", "--unlabelled", "f"], "--unlabelled needs --judge"),
        (["--task", "quality", "--student", "fasttext"], "--student needs --teacher"),
        (["--task", "quality", "--student-lines", "f"], "--student-lines needs --teacher"),
        (
            ["--task", "quality", "--teacher", "out", "--student-lines", "f"],
            "--student-lines needs --student fasttext",
        ),
    ],
)
def test_an_option_of_another_task_is_refused(given: list[str], message: str, capsys: Any) -> None:
    with pytest.raises(SystemExit):
        train_models.main(["--data", "d", "--output", "out", *given])
    assert message in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "model_type is missing"),
        ('{"model_type": "gpt2", "max_position_embeddings": 512}', "model_type is 'gpt2'"),
        ('{"model_type": "bert", "max_position_embeddings": 512}', "lacks 'num_hidden_layers'"),
        (
            '{"model_type": "bert", "max_position_embeddings": 64, "num_hidden_layers": 2}',
            "its longest input has 64 tokens: expected 258 or more",
        ),
        ("no json", "expected JSON"),
    ],
)
def test_a_folder_of_no_such_encoder_is_refused(
    tmp_path: Any, content: str, message: str, capsys: Any
) -> None:
    (tmp_path / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(SystemExit):
        train_models.main(["--output", "out", "--task", NAME, "--encoder", str(tmp_path)])
    assert message in capsys.readouterr().err.splitlines()[-1]
