"""Quality by an encoder: imported, cut, batched and scored, against plain transformers."""

from __future__ import annotations

import json
import pickle
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='not installed: pip install "taojin[bert]"')
pytest.importorskip("transformers", reason='not installed: pip install "taojin[bert]"')

from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertModel  # noqa: E402

from jobs import import_encoder  # noqa: E402
from tests.builders.encoders import (  # noqa: E402
    CHARS,
    config_of,
    save_checkpoint,
    save_classifier,
    save_tokenizer,
)
from udfs.encoder.batches import MAX_WASTE, BatchRunner, token_batches  # noqa: E402
from udfs.encoder.encoder_file import EncoderFileError, read_encoder_header  # noqa: E402
from udfs.encoder.model import load_encoder  # noqa: E402
from udfs.encoder.quality_bert import (  # noqa: E402
    RESULT_TYPE,
    DocumentScorer,
    QualityBertSettings,
    device_of_task,
    quality_bert_scorer,
    score_documents,
)
from udfs.encoder.segments import published_segments  # noqa: E402
from udfs.files.artifacts import ArtifactFile  # noqa: E402

pytestmark = pytest.mark.bert

PLAIN = QualityBertSettings(dtype="float32")
EXACT = QualityBertSettings(segments="casia-exact", dtype="float32")


def made_text(number: int, chars: int) -> str:
    generator = random.Random(number)
    return "".join(generator.choices(CHARS + "，。\n a1", k=chars))


TEXTS = [made_text(n, chars) for n, chars in enumerate((30, 250, 700, 2500, 511, 1300, 90, 5000))]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    """Several threads on a busy machine wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_checkpoint(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def encoder_file(checkpoint: Path) -> Path:
    path = checkpoint.parent / "encoder.safetensors"
    arguments = ["--model", str(checkpoint.parent), "--checkpoint", str(checkpoint)]
    assert import_encoder.main([*arguments, "--output", str(path)]) == 0
    return path


def published_scores(checkpoint: Path, segments: Sequence[str]) -> list[float]:
    """What the published network says: 512 tokens at a time, padding in the maximum."""
    tokenizer = AutoTokenizer.from_pretrained(checkpoint.parent)
    found = torch.load(checkpoint, weights_only=False)["state_dict"]
    prefix = "module.bert_regression_by_word_document."
    weights = {name.removeprefix(prefix): value for name, value in found.items()}
    model = BertModel(config_of()).eval()
    model.load_state_dict(
        {k[5:]: v for k, v in weights.items() if k.startswith("bert.") and "position_ids" not in k}
    )
    scores = []
    for segment in segments:
        batch = tokenizer(segment, padding="max_length", max_length=512, return_tensors="pt")
        with torch.no_grad():
            hidden, pooled = model(**batch)[:2]
            features = torch.cat([hidden.max(dim=1).values, pooled], dim=1)
            output = features @ weights["mlp.1.weight"].T + weights["mlp.1.bias"]
        scores.append(float(output.sigmoid()))
    return scores


def test_casia_exact_scores_are_those_of_the_published_network(
    checkpoint: Path, encoder_file: Path
) -> None:
    records = score_documents(TEXTS, DocumentScorer(encoder_file, EXACT))
    for text, record in zip(TEXTS, records, strict=True):
        spans = published_segments(text)
        if not spans:
            assert record == dict.fromkeys(RESULT_TYPE.fieldNames())
            continue
        expected = published_scores(checkpoint, [text[start:stop] for start, stop in spans])
        assert [(s["offset"], s["offset"] + s["length"]) for s in record["segments"]] == spans
        assert [s["score"] for s in record["segments"]] == pytest.approx(expected, abs=1e-5)
        assert record["mean"] == pytest.approx(np.mean(expected), abs=1e-5)
        assert (record["min"], record["max"]) == pytest.approx(
            (min(expected), max(expected)), abs=1e-5
        )
        lengths = [stop - start for start, stop in spans]
        assert record["score"] == pytest.approx(np.average(expected, weights=lengths), abs=1e-5)
    assert len({round(record["score"], 4) for record in records if record["segments"]}) > 3


def test_fixed_segments_tile_the_text_and_score_as_each_does_alone(encoder_file: Path) -> None:
    scorer = DocumentScorer(encoder_file, PLAIN)
    encoder = load_encoder(encoder_file, "cpu", "float32")
    for text, record in zip(TEXTS, score_documents(TEXTS, scorer), strict=True):
        place = 0
        for segment in record["segments"]:
            assert segment["offset"] == place
            place += segment["length"]
            part = scorer.inputs.tokenizer.encode(text[segment["offset"] : place]).ids
            assert len(part) <= 512
            alone = encoder.scores(np.array([part]), np.array([len(part)]))
            assert segment["score"] == pytest.approx(float(alone[0]), abs=1e-5)
        assert place == len(text)


@pytest.mark.parametrize("tokens", [1, 600, 2048, 512 * 512])
def test_scores_do_not_follow_from_the_batch(encoder_file: Path, tokens: int) -> None:
    rules = QualityBertSettings(dtype="float32", batch_tokens=tokens)
    together = score_documents(TEXTS, DocumentScorer(encoder_file, rules))
    one_by_one = DocumentScorer(encoder_file, rules)
    apart = [record for text in TEXTS for record in score_documents([text], one_by_one)]
    assert [r["score"] for r in together] == pytest.approx([r["score"] for r in apart], abs=1e-5)


def test_bfloat16_scores_are_near(encoder_file: Path) -> None:
    near = score_documents(
        TEXTS, DocumentScorer(encoder_file, QualityBertSettings(dtype="bfloat16"))
    )
    exact = score_documents(TEXTS, DocumentScorer(encoder_file, PLAIN))
    assert [r["score"] for r in near] == pytest.approx([r["score"] for r in exact], abs=2e-2)
    assert [r["score"] for r in near] != [r["score"] for r in exact]


def test_no_text_gives_no_score(encoder_file: Path) -> None:
    records = score_documents(["", " \n"], DocumentScorer(encoder_file, PLAIN))
    assert records == [dict.fromkeys(RESULT_TYPE.fieldNames())] * 2
    assert score_documents([], DocumentScorer(encoder_file, PLAIN)) == []


def test_batches_hold_every_segment_once_with_little_padding() -> None:
    lengths = np.random.default_rng(3).integers(3, 513, 800)
    batches = list(token_batches(lengths, 4096))
    assert sorted(np.concatenate(batches)) == list(range(800))
    for batch in batches:
        padded = len(batch) * lengths[batch].max()
        assert padded <= 4096
        assert lengths[batch].sum() >= (1 - MAX_WASTE) * padded
    assert [len(batch) for batch in token_batches(lengths, 1)] == [1] * 800
    assert {len(batch) for batch in token_batches(lengths, 4096, pad_to=512)} == {8}


class SmallMemory:
    """An encoder whose device holds a given number of tokens; a row's score is the sum of its
    token numbers."""

    def __init__(self, tokens: int) -> None:
        self.device = torch.device("cpu")
        self.pad_id = 0
        self.tokens = tokens
        self.sizes: list[int] = []

    def scores(self, ids: Any, lengths: Any) -> Any:
        self.sizes.append(ids.size)
        if ids.size > self.tokens:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return torch.from_numpy(ids.sum(axis=1)).float()


def test_out_of_memory_halves_the_budget_and_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    segments = [[n % 7 + 1] * (n % 50 + 10) for n in range(300)]
    encoder = SmallMemory(900)
    runner = BatchRunner(encoder, 4096)
    assert runner.scores(segments).tolist() == [sum(segment) for segment in segments]
    assert 450 <= runner.budget <= 900
    failed = [size for size in encoder.sizes if size > 900]
    assert 2 <= len(failed) <= 3
    assert "out of memory" in capsys.readouterr().err
    encoder.sizes.clear()
    runner.scores(segments)
    assert max(encoder.sizes) <= 900  # what was learnt is kept


def test_a_segment_that_does_not_fit_alone_is_an_error() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        BatchRunner(SmallMemory(20), 4096).scores([[1] * 30, [1] * 10])


@pytest.mark.parametrize("labels", [("坏", "好"), ("LABEL_0",)])
def test_a_classifier_or_regressor_scores_as_transformers_does(
    tmp_path: Path, labels: tuple[str, ...]
) -> None:
    folder = save_classifier(tmp_path / "model", labels)
    path = tmp_path / "encoder.safetensors"
    arguments = ["--model", str(folder), "--output", str(path)]
    assert import_encoder.main([*arguments, *(["--label", "好"] if len(labels) > 1 else [])]) == 0
    scorer = DocumentScorer(path, PLAIN)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    short = [text[:200] for text in TEXTS]
    for text, record in zip(short, score_documents(short, scorer), strict=True):
        with torch.no_grad():
            logits = model(**tokenizer(text, return_tensors="pt")).logits[0]
        expected = logits.softmax(dim=0)[1] if len(labels) > 1 else logits[0]
        assert record["score"] == pytest.approx(float(expected), abs=1e-5)


@pytest.mark.parametrize("model_type", ["roberta", "distilbert", "electra"])
def test_other_architectures_are_scorers_too(tmp_path: Path, model_type: str) -> None:
    from transformers import AutoConfig

    settings = {
        "roberta": {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
                    "intermediate_size": 64, "max_position_embeddings": 514, "pad_token_id": 1},
        "distilbert": {"dim": 32, "n_layers": 1, "n_heads": 2, "hidden_dim": 64},
        "electra": {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
                    "intermediate_size": 64, "embedding_size": 32},
    }[model_type]  # fmt: skip
    vocabulary = config_of().vocab_size
    config = AutoConfig.for_model(model_type, vocab_size=vocabulary, **settings)
    folder = save_classifier(tmp_path / "model", ("LABEL_0",), config)
    path = tmp_path / "encoder.safetensors"
    assert import_encoder.main(["--model", str(folder), "--output", str(path)]) == 0
    assert read_encoder_header(path).settings.max_tokens == 512
    scores = [r["score"] for r in score_documents(TEXTS, DocumentScorer(path, PLAIN))]
    assert np.isfinite(scores).all()


def test_what_cannot_be_imported_is_said(
    tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, output = checkpoint.parent, tmp_path / "out.safetensors"

    def said(*arguments: object) -> str:
        assert import_encoder.main([*map(str, arguments), "--output", str(output)]) == 2
        assert not output.exists()
        return capsys.readouterr().err

    assert "for an encoder alone give --checkpoint" in said("--model", folder)
    classifier = save_classifier(tmp_path / "classifier", ("坏", "好"))
    assert "--label 中: expected one of 坏, 好" in said("--model", classifier, "--label", "中")
    text = tmp_path / "text.pt"
    text.write_text("no weights", encoding="utf-8")
    assert "expected weights only" in said("--model", folder, "--checkpoint", text)
    other = save_checkpoint(tmp_path / "larger", config=config_of(hidden_size=64))
    assert "weights do not match" in said("--model", folder, "--checkpoint", other)
    few = save_checkpoint(tmp_path / "few")
    save_tokenizer(few.parent, ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"))
    assert "tokenizer has 5 tokens" in said("--model", few.parent, "--checkpoint", few)
    config = json.loads((few.parent / "config.json").read_text(encoding="utf-8"))
    (few.parent / "config.json").write_text(json.dumps(config | {"score_range": [0, 5]}))
    assert "score_range = [0, 5]" in said("--model", few.parent, "--checkpoint", few)


class Intruder:
    """Runs code where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("code of a checkpoint ran",))


def test_nothing_in_a_checkpoint_is_executed(
    tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "intruder.pt"
    torch.save({"state_dict": {}, "config": Intruder()}, path)
    arguments = ["--model", str(checkpoint.parent), "--checkpoint", str(path)]
    assert import_encoder.main([*arguments, "--output", str(tmp_path / "out.safetensors")]) == 2
    said = capsys.readouterr()
    assert "expected weights only" in said.err
    assert "code of a checkpoint ran" not in said.out


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"{}", b"\x02\0\0\0\0\0\0\0{}", b"\x04\0\0\0\0\0\0\0nope", b"x" * 50):
        path = tmp_path / "file.safetensors"
        path.write_bytes(content)
        with pytest.raises(EncoderFileError, match=r"file\.safetensors"):
            read_encoder_header(path)


def test_a_head_that_is_not_known_is_named(encoder_file: Path, tmp_path: Path) -> None:
    content = encoder_file.read_bytes()
    path = tmp_path / "file.safetensors"
    path.write_bytes(content.replace(b'\\"pooled\\"', b'\\"paged!\\"'))
    with pytest.raises(EncoderFileError, match=r"head 'paged!': expected one of pooled, mean"):
        read_encoder_header(path)


def test_outside_of_spark_it_runs_on_the_cpu() -> None:
    assert device_of_task("auto") == device_of_task("cpu") == "cpu"
    assert device_of_task("cuda") == "cuda:0"
    assert pickle.loads(pickle.dumps(EXACT)) == EXACT


def test_an_encoder_is_loaded_once_for_all_tasks_of_a_worker(encoder_file: Path) -> None:
    """Each task unpickles a scorer of its own."""
    artifact = ArtifactFile("own", "local", encoder_file.name, "")
    sent = pickle.dumps(quality_bert_scorer(artifact, PLAIN))
    one, other = pickle.loads(sent).load, pickle.loads(sent).load
    assert one is not other
    assert (one, hash(one)) == (other, hash(other))
    assert one(encoder_file).settings == PLAIN
