"""Training of an encoder: its loss, what it labels itself, and that a stop changes nothing."""

from __future__ import annotations

import dataclasses
import random
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='not installed: pip install "taojin[bert]"')
pytest.importorskip("transformers", reason='not installed: pip install "taojin[bert]"')

from safetensors.torch import load_file  # noqa: E402

from jobs import import_encoder  # noqa: E402
from jobs.training.encoder import two_stage_fit  # noqa: E402
from jobs.training.encoder.network import (  # noqa: E402
    FrozenLayers,
    Replicas,
    Upper,
    published_loss,
)
from jobs.training.encoder.pretrained import PretrainedError, read_pretrained  # noqa: E402
from jobs.training.encoder.recipe import HEADS, EncoderRecipe  # noqa: E402
from jobs.training.encoder.self_training import bald, choose, pseudo_labels  # noqa: E402
from jobs.training.encoder.start import cut_encoder, start_of  # noqa: E402
from jobs.training.encoder.two_stage_fit import TrainingText, fit_encoder  # noqa: E402
from tests.builders.encoders import CHARS, save_checkpoint  # noqa: E402
from udfs.encoder.e5_file import kept_pieces, read_e5  # noqa: E402
from udfs.encoder.encoder_file import EncoderSettings, read_encoder_header  # noqa: E402
from udfs.encoder.inputs import InputMaker  # noqa: E402
from udfs.encoder.model import Encoder, load_encoder  # noqa: E402
from udfs.encoder.quality_bert import DocumentScorer, QualityBertSettings, score_documents  # noqa: E402
from udfs.encoder.weights import SCALE, in_float32, in_int8, save_encoder  # noqa: E402

pytestmark = pytest.mark.bert


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    """Several threads on a busy machine wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module", params=["published", "multi-scale"])
def recipe(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> EncoderRecipe:
    """A small encoder of random weights: one layer and the published head learn, or a head with a
    hidden layer alone."""
    checkpoint = save_checkpoint(tmp_path_factory.mktemp("start"))
    start = checkpoint.parent / "start.safetensors"
    arguments = ["--model", str(checkpoint.parent), "--checkpoint", str(checkpoint)]
    assert import_encoder.main([*arguments, "--output", str(start)]) == 0
    return EncoderRecipe(
        start=str(start), layers=(0, 1), frozen_layers=1 if request.param == "published" else 2,
        head=request.param, width=16, epochs=4, rate=2e-3, head_rate=1e-2,
        batch_texts=8, validation_part=4, patience=9, rounds=2, chosen_segments=12, own_rate=5e-4,
    )  # fmt: skip


def made_text(rng: random.Random, is_clean: bool) -> str:
    """Sentences of the first characters are clean, of the last ones junk."""
    chars = CHARS[:24] if is_clean else CHARS[24:]
    return "".join(rng.choices(chars, k=rng.randint(150, 700))) + "。"


def made_examples(recipe: EncoderRecipe, count: int = 48) -> list[TrainingText]:
    rng = random.Random(1)
    maker = InputMaker(start_of(recipe.start, recipe.layers, recipe.max_tokens).header)
    texts = [made_text(rng, number % 2 == 0) for number in range(count)]
    return [
        TrainingText(
            tuple(segments), float(number % 2 == 0), 1.0 + number % 3, f"site {number // 2}"
        )
        for number, (_, segments) in enumerate(maker.of_texts(texts))
    ]


def plain_loss(
    scores: Sequence[float], targets: Sequence[float], weights: Sequence[float]
) -> list[float]:
    """The three parts, a pair at a time."""
    rows = list(zip(scores, targets, weights, strict=True))
    error = sum(w * (s - t) ** 2 for s, t, w in rows) / len(rows)
    ranking = 0.0
    for s, t, w in rows:
        for other, its_target, its_weight in rows:
            if t == its_target:
                cost = abs(s - other)
            else:
                cost = max(0.0, (other - s) if t > its_target else (s - other))
            ranking += cost * (w + its_weight) / 2
    dot = sum(w * s * t for s, t, w in rows)
    norms = [sum(w * v**2 for v, w in zip(vs, weights, strict=True)) for vs in (scores, targets)]
    return [error, ranking / len(rows) ** 2, 1 - dot / (norms[0] * norms[1]) ** 0.5]


def test_the_loss_is_that_of_a_plain_loop() -> None:
    rng = np.random.default_rng(2)
    scores = rng.random(17)
    targets = rng.choice([0.0, 0.5, 1.0], 17)
    scores[3] = scores[5]
    weights = rng.random(17) + 0.2
    expected = plain_loss(scores.tolist(), targets.tolist(), weights.tolist())
    tensors = [torch.tensor(values) for values in (scores, targets, weights)]
    for place in range(3):
        shares = tuple(float(number == place) for number in range(3))
        assert float(published_loss(*tensors, shares)) == pytest.approx(expected[place])
    whole = float(published_loss(*tensors, (0.6, 0.2, 0.2)))
    assert whole == pytest.approx(np.dot(expected, (0.6, 0.2, 0.2)))


def test_a_wrong_order_costs_more_than_a_right_one() -> None:
    targets, weights = torch.tensor([0.0, 1.0]), torch.ones(2)
    right, wrong = (
        published_loss(torch.tensor(scores), targets, weights, (0.0, 1.0, 0.0))
        for scores in ([0.2, 0.7], [0.7, 0.2])
    )
    assert float(right) == 0.0
    assert float(wrong) == pytest.approx(0.25)  # two pairs of four, 0.5 each


def test_bald_is_that_of_its_definition() -> None:
    passes = np.array([[0.9, 0.9, 0.9], [0.0, 1.0, 0.5], [0.2, 0.3, 0.1]])

    def entropy(p: float) -> float:
        return -sum(q * np.log(q) for q in (p, 1 - p) if q > 0)

    expected = [entropy(np.mean(row)) - np.mean([entropy(p) for p in row]) for row in passes]
    assert bald(passes) == pytest.approx(expected, abs=1e-8)
    assert bald(np.array([[0.0, 1.0]])) == pytest.approx([np.log(2)])


def test_labels_are_given_where_most_passes_agree() -> None:
    passes = np.array([[0.9, 0.8, 0.2], [0.85, 0.1, 0.1], [0.05, 0.02, 0.04], [0.3, 0.4, 0.5]])
    rows, labels = pseudo_labels(passes, 0.3, 0.5)
    assert rows.tolist() == [0, 1, 2]
    assert labels.tolist() == [1.0, 0.0, 0.0]


def test_both_labels_are_drawn_alike_and_sure_rows_count_more() -> None:
    rng = np.random.default_rng(4)
    middle = rng.random(400)
    passes = np.clip(middle[:, None] + rng.normal(0, 0.1, (400, 3)), 0.01, 0.99)
    chosen = choose(passes, 0.2, 0.5, 60, rng)
    assert chosen.labels.tolist() == [1.0] * 30 + [0.0] * 30
    assert len(set(chosen.rows.tolist())) == 60
    assert middle[chosen.rows[:30]].min() > middle[chosen.rows[30:]].max()
    order = np.argsort(passes[chosen.rows].var(axis=1))
    assert (np.diff(chosen.weights[order]) <= 0).all()
    assert chosen.weights.mean() == pytest.approx(1.0)
    few = choose(passes[:4], 0.2, 0.5, 60, rng)
    assert 0 < len(few.rows) <= 4


def test_rows_that_passes_agree_on_are_drawn_more_often() -> None:
    rng = np.random.default_rng(5)
    unsure, sure = np.array([0.98, 0.52, 0.98]), np.full(3, 0.97)
    passes = np.stack([*[unsure, sure] * 40, *[np.full(3, 0.01 + n / 1e4) for n in range(320)]])
    shares = [
        np.mean([
            passes[choose(passes, 0.2, 0.5, 40, rng, by_ease).rows[:20]].std(axis=1) < 0.01
            for _ in range(60)
        ])
        for by_ease in (True, False)
    ]  # fmt: skip
    assert shares[0] > 0.53
    assert shares[1] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("frozen_layers", [1, 2])
def test_upper_layers_on_stored_states_are_the_whole_encoder(
    recipe: EncoderRecipe, head: str, frozen_layers: int
) -> None:
    start = start_of(recipe.start, recipe.layers, recipe.max_tokens, head, recipe.width)
    frozen = FrozenLayers(start, frozen_layers, ("cpu", "cpu"), torch.float32)
    upper = Upper(frozen, 0.5, 3).eval()
    segments = [s for example in made_examples(recipe, 6) for s in example.segments]
    assert len({len(segment) for segment in segments}) > 1
    if not upper.is_pooled:
        upper.standardise(segments[:3])
    encoder = Encoder(start.header)
    encoder.load(upper.whole_weights())
    alone = [
        float(encoder.scores(np.array([segment]), np.array([len(segment)]))[0])
        for segment in segments
    ]
    for _ in range(2):  # computed, and remembered
        assert upper.chances(segments) == pytest.approx(alone, abs=1e-5)
    together = np.zeros((len(segments), max(map(len, segments))), np.int64)
    for row, segment in zip(together, segments, strict=True):
        row[: len(segment)] = segment
    lengths = np.array([len(segment) for segment in segments])
    assert encoder.scores(together, lengths).tolist() == pytest.approx(alone, abs=1e-5)


def test_devices_share_a_batch_and_learn_the_same(recipe: EncoderRecipe) -> None:
    start = start_of(recipe.start, recipe.layers, recipe.max_tokens, recipe.head, recipe.width)
    segments = [s for example in made_examples(recipe, 7) for s in example.segments]
    found = []
    for devices in (("cpu",), ("cpu", "cpu", "cpu")):
        replicas = Replicas(FrozenLayers(start, 1, devices, torch.float32), 0.5, 3)
        replicas.upper.eval()  # without dropout, whose draws depend on the number of devices
        for _ in range(2):  # the second time with other weights
            scores = replicas.scores(segments)
            replicas.upper.zero_grad()
            (scores * torch.linspace(-1, 2, len(segments))).sum().backward()
            replicas.gather_gradients()
            with torch.no_grad():
                for parameter in replicas.upper.parameters():
                    parameter -= 0.1 * parameter.grad
        weights = [parameter.detach().numpy() for parameter in replicas.upper.parameters()]
        found.append((scores.detach().numpy(), weights))
    (one, its_weights), (other, other_weights) = found
    assert one == pytest.approx(other, abs=1e-5)
    for its, others in zip(its_weights, other_weights, strict=True):
        assert its == pytest.approx(others, abs=1e-4)


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A training that was not stopped."""

    examples: list[TrainingText]
    segments: list[Any]
    path: Path
    found: dict[str, Any]


@pytest.fixture(scope="module")
def fitted(recipe: EncoderRecipe, tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    path = tmp_path_factory.mktemp("fitted") / "encoder.safetensors"
    examples = made_examples(recipe)
    segments = [segment for example in examples for segment in example.segments]
    found = fit_encoder(examples, segments, segments[:1], path, recipe)
    return Fitted(examples, segments, path, found)


def test_a_trained_encoder_tells_clean_from_junk(fitted: Fitted) -> None:
    assert fitted.found["examples"] == 48
    areas = fitted.found["held_out_areas"]
    assert len(areas) == 4
    assert areas[fitted.found["best_epoch"] - 1] == max(areas) > 0.9
    rng = random.Random(9)
    texts = [made_text(rng, number % 2 == 0) for number in range(20)]
    records = score_documents(texts, DocumentScorer(fitted.path, QualityBertSettings()))
    scores = [record["score"] for record in records]
    assert min(scores[::2]) > max(scores[1::2])


@pytest.mark.parametrize("epochs", [2, 4, 5])
def test_a_stopped_training_ends_as_one_that_was_not(
    recipe: EncoderRecipe,
    fitted: Fitted,
    tmp_path: Path,
    epochs: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    saved = two_stage_fit.Training.save
    left = epochs

    def save_and_stop(training: two_stage_fit.Training, file: Path | None) -> None:
        nonlocal left
        saved(training, file)
        left -= 1
        if left == 0:
            raise KeyboardInterrupt

    def fit(path: Path) -> None:
        examples, segments = fitted.examples, fitted.segments
        fit_encoder(examples, segments, segments[:1], path, recipe, tmp_path / "checkpoints")

    monkeypatch.setattr(two_stage_fit.Training, "save", save_and_stop)
    path = tmp_path / "encoder.safetensors"
    with pytest.raises(KeyboardInterrupt):
        fit(path)
    assert not path.exists()
    two_stage_fit.frozen_layers.cache_clear()
    fit(path)
    assert left == epochs - 6  # no epoch was run twice
    assert path.read_bytes() == fitted.path.read_bytes()


def test_another_seed_gives_another_encoder(
    recipe: EncoderRecipe, fitted: Fitted, tmp_path: Path
) -> None:
    path = tmp_path / "encoder.safetensors"
    other = dataclasses.replace(recipe, seed=5, epochs=1, rounds=0)
    fit_encoder(fitted.examples, [], [], path, other)
    assert path.read_bytes() != fitted.path.read_bytes()


def test_training_stops_where_it_no_longer_gets_better(
    recipe: EncoderRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    areas = iter([0.6, 0.8, 0.7, 0.75, 0.9])
    monkeypatch.setattr(two_stage_fit.Training, "_held_area", lambda training: next(areas))
    patient = dataclasses.replace(recipe, epochs=9, patience=2, rounds=0)
    found = fit_encoder(made_examples(recipe), [], [], tmp_path / "stopped.safetensors", patient)
    assert found["held_out_areas"] == [0.6, 0.8, 0.7, 0.75]
    assert found["best_epoch"] == 2


def test_eight_bits_keep_scores_and_a_second_rounding_changes_nothing(
    recipe: EncoderRecipe, tmp_path: Path
) -> None:
    whole = load_file(recipe.start)
    small = in_int8(whole)
    assert {str(t.dtype) for t in small.values()} == {"torch.int8", "torch.float16"}
    back = in_float32(small)
    assert back.keys() == whole.keys()
    for name, tensor in whole.items():
        step = tensor.abs().amax(dim=-1, keepdim=True) / 127
        assert ((back[name] - tensor).abs() <= 0.52 * step + 1e-3 * tensor.abs()).all(), name
    again = in_int8(back)
    assert all(torch.equal(again[name], small[name]) for name in small if not name.endswith(SCALE))
    path = tmp_path / "small.safetensors"
    save_encoder(read_encoder_header(Path(recipe.start)), small, path)
    ids = np.array([[2, *range(5, 40), 3]])
    scores = [
        float(load_encoder(p, "cpu", "float32").scores(ids, np.array([37]))[0])
        for p in (path, Path(recipe.start))
    ]
    assert scores[0] == pytest.approx(scores[1], abs=2e-2)


SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
PIECES = (*SPECIAL, "▁", "中", "中国", "▁新", "a", "▁the", "the", "ça", "か中", "。")


def test_a_chinese_vocabulary_is_cut_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from udfs.encoder import e5_file

    monkeypatch.setattr(e5_file, "_OTHER_PIECES", 1)
    scores = [0.0] * 4 + [-1.0, -5.0, -6.0, -7.0, -2.0, -3.0, -4.0, -2.0, -9.0, -4.0]
    kept = [PIECES[number] for number in kept_pieces(PIECES, scores)]
    assert kept == [*SPECIAL, "▁", "中", "中国", "▁新", "a", "▁the", "。"]


def four_bits(values: Any) -> bytes:
    """Blocks of 32 whole numbers from -8 to 7, their scale 0.5."""
    blocks = np.asarray(values).reshape(-1, 32) + 8
    packed = (blocks[:, :16] | blocks[:, 16:] << 4).astype(np.uint8)
    return b"".join(np.float16(0.5).tobytes() + row.tobytes() for row in packed)


def pretrained_file(path: Path) -> dict[str, Any]:
    """A file as the package has one, of a small encoder with two layers; its matrices by name."""
    hidden, layers, inner, positions = 32, 2, 64, 16
    rng = np.random.default_rng(6)
    shapes = {"emb.word": (len(PIECES) + 2, hidden)}
    for layer in range(layers):
        shapes |= {f"l{layer}.{name}.w": (hidden, hidden) for name in ("q", "k", "v", "ao")}
        shapes |= {f"l{layer}.fi.w": (inner, hidden), f"l{layer}.fo.w": (hidden, inner)}
    plain = {"emb.pos": (positions, hidden), "emb.type": (2, hidden)}
    plain |= {f"emb.ln.{part}": (hidden,) for part in "wb"}
    for layer in range(layers):
        plain |= {f"l{layer}.{n}.{p}": (hidden,) for n in ("aln", "oln") for p in "wb"}
        plain |= {f"l{layer}.{n}.b": (hidden,) for n in ("q", "k", "v", "ao", "fo")}
        plain[f"l{layer}.fi.b"] = (inner,)
    whole = {name: rng.integers(-8, 8, shape) for name, shape in shapes.items()}
    floats = {name: rng.random(shape).astype("<f4") for name, shape in plain.items()}
    blob = "".join(PIECES).encode()
    bounds = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)]).astype("<u4")
    head = b"E5S1" + struct.pack(
        "<8ifi5iQ", 1, hidden, layers, 2, inner, len(PIECES) + 2, positions, 2, 1e-12, 32,
        len(PIECES), 0, 2, 1, 3, len(blob),
    )  # fmt: skip
    head += bounds.tobytes() + np.linspace(-1, -9, len(PIECES)).astype("<f4").tobytes() + blob
    head += struct.pack("<iI", 0, 3) + b"map"
    contents = {name: four_bits(values) for name, values in whole.items()}
    contents |= {name: values.tobytes() for name, values in floats.items()}
    directory = sum(2 + len(name) + 21 for name in contents)
    place = len(head) + 4 + directory
    head += struct.pack("<i", len(contents))
    for name, content in contents.items():
        count = (whole.get(name, floats.get(name))).size
        head += struct.pack("<H", len(name)) + name.encode()
        head += struct.pack("<BIQQ", 0, count, place, len(content))
        place += len(content)
    path.write_bytes(head + b"".join(contents.values()))
    return {name: values * 0.5 for name, values in whole.items()} | floats


def test_the_pretrained_file_is_read_and_cut(tmp_path: Path) -> None:
    path = tmp_path / "encoder.bin"
    expected = pretrained_file(path)
    whole = read_pretrained(path)
    assert whole.pieces == PIECES
    layer = "encoder.layer.1."
    for name, own in {
        "embeddings.word_embeddings.weight": "emb.word",
        "embeddings.position_embeddings.weight": "emb.pos",
        layer + "attention.self.key.weight": "l1.k.w",
        layer + "intermediate.dense.bias": "l1.fi.b",
        layer + "output.dense.weight": "l1.fo.w",
        layer + "attention.output.LayerNorm.weight": "l1.aln.w",
    }.items():
        assert np.array_equal(whole.weights[name], expected[own]), name
    of_pieces = read_e5(path, keep=lambda pieces, scores: [0, 1, 2, 3, 6])
    assert of_pieces.pieces == (*SPECIAL, "中国")
    embeddings = of_pieces.weights["embeddings.word_embeddings.weight"]
    assert np.array_equal(embeddings, expected["emb.word"][[0, 1, 2, 3, 6]])
    start = cut_encoder(whole, (1,), EncoderSettings("pooled", "sigmoid", 0, 16))
    kept = kept_pieces(whole.pieces, whole.scores.tolist())
    assert "ça" not in [PIECES[number] for number in kept]
    embedding = start.weights["encoder.embeddings.word_embeddings.weight"].numpy()
    assert embedding == pytest.approx(expected["emb.word"][kept], abs=0.02)
    key = start.weights["encoder.encoder.layer.0.attention.self.key.weight"].numpy()
    assert key == pytest.approx(expected["l1.k.w"], abs=0.02)
    tokenizer = InputMaker(start.header).tokenizer
    assert tokenizer.encode("中国\n新。").tokens == ["<s>", "▁", "中国", "▁新", "。", "</s>"]
    upper = Upper(FrozenLayers(start, 0, "cpu"), 0.1, 1).eval()
    assert np.isfinite(upper.chances([tokenizer.encode("中国").ids])).all()


@pytest.mark.parametrize("content", [b"", b"E5S1", b"nothing of it" * 9])
def test_another_file_is_no_pretrained_encoder(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.bin"
    path.write_bytes(content)
    with pytest.raises(PretrainedError, match=r"other\.bin"):
        read_pretrained(path)
