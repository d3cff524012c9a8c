"""Fused captions: the question, answers of a small language model, files that do not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason='not installed: pip install "taojin[bert]"')

from tests.builders.generators import save_causal  # noqa: E402
from udfs.base.settings import ConfigError  # noqa: E402
from udfs.pair_scorers.model_folders import pack_folder  # noqa: E402
from udfs.pair_scorers.scorer import Pairs  # noqa: E402
from udfs.scorers.declaration import KnownFile  # noqa: E402
from udfs.vision_language.fused_caption import (  # noqa: E402
    FUSED_CAPTION,
    FusedCaptionSettings,
    question_of,
)
from udfs.vision_language.generator import Generator  # noqa: E402
from udfs.vision_language.questions import AnswerSettings, Query  # noqa: E402

pytestmark = pytest.mark.bert

SETTINGS = FusedCaptionSettings(
    artifact="mine", prompt="{text} {caption}", max_tokens=2, dtype="float32", device="cpu"
)
SHOWN = [("the 1st", "a b c"), ("x", "{text}"), ("{caption}", "2"), ("y" * 390, "3"), ("x", "a b")]
"""A text and the caption of its image; the fourth leaves no room for an answer."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return save_causal(tmp_path_factory.mktemp("models") / "causal")


@pytest.fixture(scope="module")
def packed(folder: Path) -> Path:
    pack_folder(folder, folder.parent / "model.zip")
    return folder.parent / "model.zip"


def records_of(packed: Path, shown: list[tuple[str, str]]) -> list[dict[str, Any]]:
    class Files:
        def shipped(self, key: str) -> Path:
            return packed

    scorer = FUSED_CAPTION.make(SETTINGS, Files(), {})
    captions = {"captioner": [{"caption_syn": caption} for _, caption in shown]}
    count = len(shown)
    pairs = Pairs([""] * count, [text for text, _ in shown], [None] * count, captions)
    return list(scorer.score(pairs, scorer.load(dict(scorer.files), scorer.options)))


def test_every_pair_has_the_answer_to_its_own_question(folder: Path, packed: Path) -> None:
    records = records_of(packed, SHOWN)
    model = Generator(folder, AnswerSettings(2, False, dtype="float32", device="cpu"), "cpu")
    for (text, caption), record in zip(SHOWN, records, strict=True):
        [answer] = model.answers([Query(f"{text} {caption}")])
        assert record == {"caption_fused": answer.text, "failure": answer.failure}
    assert records[3]["failure"] == "too_long"
    assert len({record["caption_fused"] for record in records}) > 2
    assert records_of(packed, SHOWN[::-1])[::-1] == records


def test_marks_in_texts_and_captions_are_texts() -> None:
    assert question_of("1 {text} 2 {caption}", "{caption}", "{text}") == "1 {caption} 2 {text}"
    assert question_of("{caption}, {text}.", "a", "b") == "b, a."


@pytest.mark.parametrize("prompt", ["{text}", "{caption}", "{text} {caption} {text}"])
def test_a_prompt_has_both_marks_once(prompt: str) -> None:
    with pytest.raises(ConfigError, match=r"fused_caption.prompt = .*: expected one"):
        replace(SETTINGS, prompt=prompt)


def test_a_file_of_something_else_is_refused(packed: Path, tmp_path: Path) -> None:
    FUSED_CAPTION.check(SETTINGS, None, {"artifact": KnownFile("mine@local", {}, packed)})
    (tmp_path / "model.zip").write_bytes(b"no archive")
    files = {"artifact": KnownFile("mine@local", {}, tmp_path / "model.zip")}
    with pytest.raises(ConfigError, match=r"fused_caption.artifact: .*is not a packed model"):
        FUSED_CAPTION.check(SETTINGS, None, files)
    with pytest.raises(ConfigError, match=r"fused_caption\.artifact is off"):
        FUSED_CAPTION.check(SETTINGS, None, {})
