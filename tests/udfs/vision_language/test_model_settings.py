"""Models that cannot answer are refused by name before Spark starts; none is loaded for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from udfs.base.settings import ConfigError
from udfs.pair_scorers.model_folders import ModelFolderError, pack_folder
from udfs.scorers.declaration import KnownFile
from udfs.vision_language.captioner import CAPTIONER
from udfs.vision_language.judge import JUDGE, JudgeLimits, JudgeSettings
from udfs.vision_language.text_judge import TEXT_JUDGE, TextJudgeSettings

SEEING = {
    "architectures": ["Qwen2VLForConditionalGeneration"],
    "model_type": "qwen2_vl",
    "vision_config": {},
    "text_config": {"max_position_embeddings": 2048},
}
READING = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "max_position_embeddings": 2048,
}
FILES = {
    "tokenizer.json": "{}",
    "tokenizer_config.json": "{}",
    "preprocessor_config.json": "{}",
    "chat_template.jinja": "{{ messages }}",
    "model.safetensors": "weights",
}


def packed(folder: Path, config: dict[str, Any], **changed: str | None) -> dict[str, KnownFile]:
    """The file of a folder with such a configuration; None leaves a file out."""
    folder.mkdir(exist_ok=True)
    for name, content in {**FILES, "config.json": json.dumps(config), **changed}.items():
        if content is not None:
            (folder / name).write_text(content, encoding="utf-8")
    path = folder.parent / "model.zip"
    pack_folder(folder, path)
    return {"artifact": KnownFile("own@local", {}, path)}


def test_models_that_fit_are_accepted(tmp_path: Path) -> None:
    seeing = packed(tmp_path / "a", SEEING)
    JUDGE.check(JudgeSettings(), JudgeLimits(), seeing)
    CAPTIONER.check(CAPTIONER.settings(), None, seeing)
    away = {"artifact": KnownFile("own@1", {}, None)}
    JUDGE.check(JudgeSettings(), JudgeLimits(), away)  # checked again when it is there
    captions = packed(
        tmp_path / "b",
        {"architectures": ["VisionEncoderDecoderModel"], "encoder": {}, "decoder": {}},
        **{"chat_template.jinja": None},
    )
    CAPTIONER.check(CAPTIONER.settings(), None, captions)
    TEXT_JUDGE.check(TextJudgeSettings(), None, packed(tmp_path / "c", READING))


@pytest.mark.parametrize(
    ("config", "changed", "message"),
    [
        (READING, {}, r"architectures = \['Qwen2ForCausalLM'\].*a vision-language model"),
        (
            {"architectures": ["BertForSequenceClassification"], "model_type": "bert"},
            {},
            "model_type = 'bert': expected a vision-language model",
        ),
        ({"architectures": ["CLIPModel"], "vision_config": {}}, {}, "CLIPModel"),
        (SEEING, {"tokenizer.json": None}, "has no tokenizer"),
        (SEEING, {"preprocessor_config.json": None}, "has no image processor"),
        (SEEING, {"chat_template.jinja": None}, "has no chat template"),
        (
            {**SEEING, "text_config": {"max_position_embeddings": 512}},
            {},
            "reads at most 512 tokens, and an answer may have 512",
        ),
        (SEEING, {"tokenizer_config.json": "[]"}, "is not an object"),
    ],
)
def test_a_model_that_cannot_judge_is_refused(
    tmp_path: Path, config: dict[str, Any], changed: dict[str, str | None], message: str
) -> None:
    files = packed(tmp_path / "own", config, **changed)
    with pytest.raises(ConfigError, match=message) as refused:
        JUDGE.check(JudgeSettings(), JudgeLimits(), files)
    assert str(refused.value).startswith("judge.artifact")


def test_a_template_may_be_the_tokenizers(tmp_path: Path) -> None:
    stated = {"tokenizer_config.json": '{"chat_template": "{{ messages }}"}'}
    files = packed(tmp_path / "own", SEEING, **stated, **{"chat_template.jinja": None})
    JUDGE.check(JudgeSettings(), JudgeLimits(), files)


def test_a_text_judge_reads_no_images(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a causal language model"):
        TEXT_JUDGE.check(TextJudgeSettings(), None, packed(tmp_path / "own", SEEING))


def test_pickled_weights_are_not_packed(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match=r"pickled \(pytorch_model.bin\)"):
        packed(
            tmp_path / "own",
            SEEING,
            **{"model.safetensors": None, "pytorch_model.bin": "weights"},
        )


@pytest.mark.parametrize("scorer", [JUDGE, CAPTIONER, TEXT_JUDGE])
def test_none_runs_without_a_model(scorer: Any) -> None:
    with pytest.raises(ConfigError, match=f"{scorer.name}.artifact is off"):
        scorer.check(scorer.settings(), scorer.limits and scorer.limits(), {})


@pytest.mark.parametrize(
    ("settings", "limits", "message"),
    [
        ({"prompt": "How good?"}, {}, "judge.prompt = 'How good.': expected {text}"),
        ({"answer": "score"}, {}, "judge.answer = 'score': has 0 groups"),
        ({"min_pixels": 2_000_000}, {}, "judge.min_pixels = 2000000: expected at most"),
        ({}, {"min_judge_score": 11}, "select_pairs.min_judge_score = 11: no pair has more"),
    ],
)
def test_settings_of_a_judge_that_never_answers(
    settings: dict[str, Any], limits: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        JUDGE.check(JudgeSettings(**settings), JudgeLimits(**limits), {})
