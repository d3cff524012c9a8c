"""The judge of texts: its file of verdicts, and local models that are asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from jobs.training.toxicity.judge import NO, YES, Judge, JudgeError, digest_of, model_judge

CHARS = "的一不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自"


def verdict(text: str, label: str) -> str:
    return json.dumps({"sha256": digest_of(text), "label": label}) + "\n"


def test_a_file_answers_for_its_texts_and_for_no_others(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    path.write_text(verdict("滚开", "toxic") + verdict("散步", "benign"), encoding="utf-8")
    assert Judge(path).verdicts(["散步", "没有", "滚开"]) == ["benign", None, "toxic"]


def test_what_is_asked_is_written_down_once_and_survives_a_stop(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    asked: list[str] = []

    def ask(texts: Sequence[str]) -> Iterator[bool]:
        for text in texts:
            if text == "断":
                raise RuntimeError("out of memory")
            asked.append(text)
            yield "滚" in text

    with pytest.raises(RuntimeError):
        Judge(path, ask).verdicts(["滚开", "滚开", "断", "散步"])
    assert Judge(path, ask).verdicts(["散步", "滚开"]) == ["benign", "toxic"]
    assert asked == ["滚开", "散步"]
    assert Judge(path).verdicts(["散步", "滚开"]) == ["benign", "toxic"]
    assert path.read_text(encoding="utf-8") == verdict("滚开", "toxic") + verdict("散步", "benign")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{]\n", "line 1: expected "),
        ('"toxic"\n', "line 1: expected "),
        (verdict("a", "toxic") + '{"sha256": "b"}\n', "line 2: expected "),
        (verdict("a", "rude"), "line 1: label 'rude': expected benign or toxic"),
        (
            verdict("a", "toxic") + verdict("a", "benign"),
            "line 2: benign contradicts an earlier verdict on",
        ),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "verdicts.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(JudgeError, match=f"verdicts.jsonl: {message}"):
        Judge(path)


def test_a_file_that_is_not_there_needs_somebody_to_ask(tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match=r"verdicts\.jsonl: cannot be read"):
        Judge(tmp_path / "verdicts.jsonl")


def test_a_folder_that_judges_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match="cannot be read"):
        model_judge(tmp_path)
    (tmp_path / "config.json").write_text('{"architectures": ["BertModel"]}', encoding="utf-8")
    with pytest.raises(JudgeError, match="architectures = BertModel: expected"):
        model_judge(tmp_path)


@pytest.mark.bert
class TestModels:
    """Small models with weights set by hand."""

    @pytest.fixture(autouse=True)
    def _needs(self) -> None:
        reason = 'not installed: pip install "taojin[bert]"'
        pytest.importorskip("torch", reason=reason)
        pytest.importorskip("transformers", reason=reason)

    def test_a_classifier_finds_what_is_toxic_in_any_piece(self, tmp_path: Path) -> None:
        import torch
        from transformers import AutoModelForSequenceClassification

        from tests.builders.encoders import config_of, save_tokenizer

        torch.manual_seed(3)
        config = config_of(id2label={0: "fine", 1: "bad"}, label2id={"fine": 0, "bad": 1})
        model = AutoModelForSequenceClassification.from_config(config)
        save_tokenizer(tmp_path)
        model.save_pretrained(tmp_path)
        ask = model_judge(tmp_path, "bad")
        chars = (
            "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自"
        )
        verdicts = dict(zip(chars, ask([char * 400 for char in chars]), strict=True))
        bad = [char for char, is_toxic in verdicts.items() if is_toxic]
        fine = [char for char, is_toxic in verdicts.items() if not is_toxic]
        assert bad
        assert fine
        assert list(ask([fine[0] * 800 + bad[0] * 400, fine[0] * 1200, ""])) == [True, False, False]
        with pytest.raises(JudgeError, match=r"--judge-toxic None: expected one of its labels: "):
            model_judge(tmp_path)

    def test_a_causal_model_answers_the_template(self, tmp_path: Path) -> None:
        ask = model_judge(save_echo(tmp_path), template="{text}")
        assert list(ask([f"这{YES}", f"这{NO}", f"{YES}这{NO}"])) == [True, False, False]
        assert list(model_judge(tmp_path, template="{text}" + YES)([NO])) == [True]
        with pytest.raises(JudgeError, match=r"--judge-template: expected \{text\}"):
            model_judge(tmp_path, template="?")


def save_echo(folder: Path) -> Path:
    """A causal model that goes on with the last token, as its layers add nothing."""
    import torch
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerFast

    words = ["?", *CHARS, YES, NO]
    places = {word: place for place, word in enumerate(dict.fromkeys(words))}
    tokenizer = Tokenizer(models.WordLevel(places, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="?").save_pretrained(folder)
    torch.manual_seed(5)
    config = GPTNeoXConfig(
        vocab_size=len(places),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        tie_word_embeddings=True,
    )
    model: Any = GPTNeoXForCausalLM(config)
    for layer in model.gpt_neox.layers:
        for part in (layer.attention.dense, layer.mlp.dense_4h_to_h):
            part.weight.data.zero_()
            part.bias.data.zero_()
    model.save_pretrained(folder)
    return folder
