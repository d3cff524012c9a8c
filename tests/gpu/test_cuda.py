"""The encoder on a real GPU: every test here needs one, and says so where there is none.

Encoders are small and of random weights: tests compare the answers of GPU and CPU, not their
speed.
"""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

torch = pytest.importorskip("torch", reason='not installed: pip install "taojin[bert]"')

from jobs import score_documents  # noqa: E402
from jobs.training.encoder import two_stage_fit  # noqa: E402
from jobs.training.encoder.recipe import EncoderRecipe  # noqa: E402
from jobs.training.encoder.start import start_of  # noqa: E402
from jobs.training.encoder.two_stage_fit import TrainingText, fit_encoder  # noqa: E402
from tests.builders.encoders import CHARS, save_encoder  # noqa: E402
from tests.jobs.conftest import LOCAL_CONFIG, ROOT  # noqa: E402
from udfs.encoder.inputs import InputMaker  # noqa: E402
from udfs.encoder.quality_bert import DocumentScorer, QualityBertSettings  # noqa: E402
from udfs.encoder.quality_bert import score_documents as scored  # noqa: E402

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch sees no GPU here")

ON_CPU = QualityBertSettings(device="cpu", dtype="float32")
NEAR = 2e-2


def made_text(number: int, chars: int) -> str:
    return "".join(random.Random(number).choices(CHARS + "，。\n a1", k=chars))


TEXTS = [made_text(n, chars) for n, chars in enumerate((30, 250, 700, 2500, 511, 1300, 90, 5000))]


@pytest.fixture(scope="module")
def encoder_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_encoder(tmp_path_factory.mktemp("encoder"))


def scores_of(encoder_file: Path, rules: QualityBertSettings) -> list[float]:
    """The score of every segment of all texts."""
    records = scored(TEXTS, DocumentScorer(encoder_file, rules))
    return [segment["score"] for record in records for segment in record["segments"] or []]


@pytest.mark.parametrize("segments", ["fixed", "casia-exact"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "auto"])
def test_a_gpu_scores_as_the_cpu_does(encoder_file: Path, dtype: str, segments: str) -> None:
    if dtype == "bfloat16" and not torch.cuda.is_bf16_supported(False):
        pytest.skip("this GPU does not multiply bfloat16")
    on_cpu = dataclasses.replace(ON_CPU, segments=segments)  # type: ignore[arg-type]
    on_gpu = dataclasses.replace(on_cpu, device="cuda", dtype=dtype)  # type: ignore[arg-type]
    exact, found = (np.array(scores_of(encoder_file, rules)) for rules in (on_cpu, on_gpu))
    assert exact.std() > NEAR  # else anything would be near
    assert np.abs(found - exact).max() < (1e-3 if dtype == "float32" else NEAR)
    for threshold in np.linspace(0, 1, 21):
        differ = (found >= threshold) != (exact >= threshold)
        assert (np.abs(exact - threshold)[differ] < NEAR).all()


@pytest.mark.parametrize("rows", [1, 8, 64, 512])
def test_scores_do_not_follow_from_the_batch(encoder_file: Path, rows: int) -> None:
    rules = QualityBertSettings(device="cuda", dtype="float32", batch_tokens=512 * rows)
    assert scores_of(encoder_file, rules) == pytest.approx(
        scores_of(encoder_file, ON_CPU), abs=1e-3
    )


def test_out_of_memory_makes_batches_smaller_and_goes_on(
    encoder_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Memory that really runs out: the process may have 64 MiB more than it has."""
    runner = DocumentScorer(
        encoder_file, QualityBertSettings(device="cuda", dtype="float32")
    ).runner()
    draw = np.random.default_rng(4)
    segments = [draw.integers(5, 40, 500).tolist() for _ in range(1500)]
    expected = runner.scores(segments)
    runner.budget = 1_000_000
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    allowed = torch.cuda.memory_reserved() + (64 << 20)
    torch.cuda.set_per_process_memory_fraction(allowed / total)
    try:
        found = runner.scores(segments)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert runner.budget < 1_000_000
    assert "is out of memory with" in capsys.readouterr().err
    assert found == pytest.approx(expected, abs=1e-3)


def test_the_job_scores_on_the_gpu(spark: SparkSession, encoder_file: Path, tmp_path: Path) -> None:
    """A task that must use the GPU fails where it cannot."""
    rows = tmp_path / "rows.jsonl"
    lines = (json.dumps({"id": str(n), "text": text}) for n, text in enumerate(TEXTS))
    rows.write_text("\n".join(lines), encoding="utf-8")
    status = score_documents.main([
        *("--config", str(LOCAL_CONFIG), "--input", str(rows), "--input-format", "jsonl"),
        *("--output", str(tmp_path / "out"), "--scorer", "quality_bert", "--set"),
        *("extract.languages=[]", "quality_bert.device=cuda", "quality_bert.dtype=float32"),
        f"quality_bert.artifact={encoder_file}",
    ])  # fmt: skip
    assert status == 0
    table = spark.read.parquet(str(tmp_path / "out" / "scores" / "quality_bert")).collect()
    expected = scored(TEXTS, DocumentScorer(encoder_file, ON_CPU))
    assert {int(row.doc_id): row.score for row in table} == pytest.approx(
        {number: record["score"] for number, record in enumerate(expected)}, abs=1e-3
    )


@pytest.mark.parametrize("head", ["published", "multi-scale"])
def test_an_encoder_is_trained_on_the_gpu(encoder_file: Path, tmp_path: Path, head: str) -> None:
    frozen = 1 if head == "published" else 2
    recipe = EncoderRecipe(
        start=str(encoder_file), layers=(0, 1), frozen_layers=frozen, head=head, width=16,
        epochs=4, rate=2e-3, head_rate=1e-2, batch_texts=8, validation_part=4, patience=9, rounds=1,
        chosen_segments=12,
    )  # fmt: skip
    maker = InputMaker(start_of(recipe.start, recipe.layers, recipe.max_tokens).header)
    draw = random.Random(1)
    texts = [
        "".join(draw.choices(CHARS[24:] if number % 2 else CHARS[:24], k=300))
        for number in range(48)
    ]
    examples = [
        TrainingText(tuple(own), float(number % 2 == 0), 1.0, f"site {number // 2}")
        for number, (_, own) in enumerate(maker.of_texts(texts))
    ]
    segments = [segment for example in examples for segment in example.segments]
    two_stage_fit.frozen_layers.cache_clear()
    path = tmp_path / "trained.safetensors"
    found = fit_encoder(examples, segments, segments[:1], path, recipe)
    assert found["device"] == "cuda"
    assert max(found["held_out_areas"]) > 0.9
    rules = QualityBertSettings(device="cuda")
    scores = [record["score"] for record in scored(texts, DocumentScorer(path, rules))]
    assert np.mean(scores[::2]) > np.mean(scores[1::2]) + 0.1


@pytest.mark.skipif(shutil.which("nvidia-smi") is None, reason="there is no nvidia-smi here")
def test_spark_is_told_of_every_gpu() -> None:
    done = subprocess.run(
        ["sh", str(ROOT / "docker" / "find_gpus.sh")], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert found["name"] == "gpu"
    assert "0" in found["addresses"]
