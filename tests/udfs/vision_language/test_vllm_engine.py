"""What vLLM is asked and what is made of its answers, with a stand-in for the library: it is not
installed here, and needs a GPU."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch", reason='not installed: pip install "taojin[bert]"')
pytest.importorskip("torchvision", reason='not installed: pip install "taojin[pairs]"')

from tests.builders.generators import made_picture, save_qwen2_vl
from udfs.vision_language.model import GenerativeModel
from udfs.vision_language.pictures import Picture
from udfs.vision_language.questions import AnswerSettings, Query
from udfs.vision_language.vllm_engine import VllmGenerator

pytestmark = pytest.mark.bert

SETTINGS = AnswerSettings(8, True, 784, 7056, device="cpu", dtype="bfloat16", engine="vllm")


class SaidLLM:
    """Answers with the size of the image, and refuses prompts with a certain word as vLLM does."""

    def __init__(self, **options: Any) -> None:
        self.options = options

    def generate(self, asked: list[dict[str, Any]], sampling: Any, use_tqdm: bool) -> list[Any]:
        assert (sampling.temperature, sampling.max_tokens, use_tqdm) == (0.0, 8, False)
        for one in asked:
            if "too many" in one["prompt"]:
                raise ValueError("The decoder prompt (length 9) is longer than the maximum")
        texts = [" {} x {} ".format(*one["multi_modal_data"]["image"].size) for one in asked]
        return [SimpleNamespace(outputs=[SimpleNamespace(text=text)]) for text in texts]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    library = ModuleType("vllm")
    library.LLM = SaidLLM  # type: ignore[attr-defined]
    library.SamplingParams = SimpleNamespace  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vllm", library)
    return save_qwen2_vl(tmp_path / "model")


def test_answers_belong_to_their_questions(folder: Path) -> None:
    generator = VllmGenerator(folder, SETTINGS)
    assert generator.model.options == {
        "model": str(folder),
        "dtype": "bfloat16",
        "seed": 0,
        "trust_remote_code": False,
        "limit_mm_per_prompt": {"image": 1},
        "mm_processor_kwargs": {"min_pixels": 784, "max_pixels": 7056},
    }
    questions = [
        Query("good", Picture(made_picture(1, size=(30, 40)))),
        Query("broken", Picture(made_picture(1)[:99])),
        Query("too many", Picture(made_picture(1, size=(20, 40)))),
        Query("also good", Picture(made_picture(1, size=(50, 40)))),
    ]
    found = [(answer.text, answer.failure) for answer in generator.answers(questions)]
    assert found == [
        ("30 x 40", None),
        (None, "undecodable"),
        (None, "too_long"),
        ("50 x 40", None),
    ]
    assert generator.answers([]) == []


def test_vllm_that_is_not_installed_is_an_error(tmp_path: Path) -> None:
    model = GenerativeModel(tmp_path, SETTINGS, "judge")
    with pytest.raises(ModuleNotFoundError, match=r"judge\.engine = 'vllm': vLLM is not installed"):
        model.answers([Query("good")])
