"""Images and texts a second of scorer alignment, beside plain loops of transformers.

    python -m tests.bench.alignment_rates [--device cuda] [--pairs 64] [--rounds 3] [--model DIR]

The plain loops are those of transformers' documentation: decode with Pillow, the model's processor
and tokenizer, the model, one pair at a time or 64 padded to the longest text. All begin with the
bytes of JPEG files of 640 x 480 pixels and texts of 4 to 40 characters, and run in turns. Without
--model it is a ChineseCLIP with random weights of the size of ViT-B/16 (--layers 12).

Printed are rates and ratios (medians of rounds; on a CPU of one core's own seconds), the largest
difference of cosines in float32 and in the device's fastest type, and on a GPU the share of the
card's matrix rate: the operations of both towers over those of a product of two square matrices of
8,192 in the same type.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import ChineseCLIPConfig, ChineseCLIPModel
from transformers.models.chinese_clip.image_processing_pil_chinese_clip import (
    ChineseCLIPImageProcessorPil,
)

from tests.bench.timing import medians, pin_to_one_core, table
from tests.builders.dual_encoders import CHARACTERS, tokenizer_of
from tests.builders.images import encoded, picture
from udfs.alignment.alignment import AlignmentModel, AlignmentSettings, score_alignment
from udfs.alignment.dual_encoder import DualEncoder
from udfs.encoder.model import fastest_dtype
from udfs.pair_scorers.scorer import Pairs

BATCH = 64
_SIDE = 8192


def made_folder(folder: Path, layers: int, width: int) -> Path:
    """A ChineseCLIP with random weights."""
    torch.manual_seed(1)
    tower = {"hidden_size": width, "intermediate_size": 4 * width, "num_hidden_layers": layers}
    tower["num_attention_heads"] = width // 64
    tokenizer = tokenizer_of("chinese_clip")
    tokenizer.model_max_length = 52
    text = {**tower, "vocab_size": 21128, "max_position_embeddings": 512}
    vision = {**tower, "image_size": 224, "patch_size": 16}
    config = ChineseCLIPConfig(text_config=text, vision_config=vision, projection_dim=512)
    ChineseCLIPModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    size = {"height": 224, "width": 224}
    ChineseCLIPImageProcessorPil(size=size, do_center_crop=False).save_pretrained(folder)
    return folder


def made_pairs(count: int) -> tuple[list[str], list[bytes]]:
    dice = random.Random(5)
    texts = ["".join(dice.choices(CHARACTERS, k=dice.randint(4, 40))) for _ in range(count)]
    return texts, [encoded(picture(640, 480, number=n), "jpeg") for n in range(count)]


class PlainLoop:
    """What transformers' documentation does."""

    def __init__(self, folder: Path, device: str) -> None:
        from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

        self.model = AutoModel.from_pretrained(folder).eval().to(device)
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.processor = AutoImageProcessor.from_pretrained(folder)
        self.device = device

    def cosines(self, texts: Sequence[str], bodies: Sequence[bytes], batch: int) -> Any:
        found = []
        for first in range(0, len(texts), batch):
            part = slice(first, first + batch)
            images = [Image.open(io.BytesIO(body)).convert("RGB") for body in bodies[part]]
            given = self.processor(images=images, return_tensors="pt").to(self.device)
            words = self.tokenizer(
                list(texts[part]), padding=True, truncation=True, return_tensors="pt"
            ).to(self.device)
            with torch.no_grad():
                image = self.model.get_image_features(**given).pooler_output
                text = self.model.get_text_features(
                    input_ids=words["input_ids"], attention_mask=words["attention_mask"]
                ).pooler_output
            found.append(torch.nn.functional.cosine_similarity(image, text).cpu().numpy())
        return np.concatenate(found)


def own_loop(folder: Path, device: str, dtype: Any) -> Callable[..., Any]:
    """Scorer alignment, without Spark."""
    settings = AlignmentSettings(artifact="x", device="cuda" if device != "cpu" else "cpu")
    model = AlignmentModel({}, settings)
    model.encoders[device if device == "cpu" else "cuda:0"] = DualEncoder(
        folder, device, dtype, None
    )

    def cosines(texts: Sequence[str], bodies: Sequence[bytes]) -> Any:
        records = score_alignment(Pairs(["0"] * len(texts), texts, bodies), model)
        return np.array([record["similarity"] for record in records])

    return cosines


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    found = work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started, found


def matrix_rate(device: str, dtype: Any) -> float:
    """Operations a second of a product of two matrices."""
    one = torch.randn(_SIDE, _SIDE, device=device, dtype=dtype)
    for _ in range(3):
        one @ one
    seconds, _ = timed(lambda: [one @ one for _ in range(10)])
    return 10 * 2 * _SIDE**3 / seconds


def operations(folder: Path, texts: Sequence[str], encoder: DualEncoder) -> float:
    """Operations of both towers: two a weight and token, without those of attention."""
    model = encoder.model
    towers = (model.vision_model, model.text_model)
    weights = [
        sum(p.numel() for p in of.parameters() if p.ndim == 2 and p.shape[0] < 20_000)
        for of in towers
    ]
    patches = (encoder.processor.size or (224, 224))[0] ** 2 // 16**2 + 1
    tokens = sum(len(text) + 2 for text in texts)
    return 2.0 * (weights[0] * patches * len(texts) + weights[1] * tokens)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="alignment_rates", description=__doc__)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--pairs", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--model", type=Path)
    options = parser.parse_args(argv)
    if options.device == "cpu":
        pin_to_one_core()
        torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.model or made_folder(Path(scratch), options.layers, options.width)
        texts, bodies = made_pairs(options.pairs)
        plain = PlainLoop(folder, options.device)
        fastest = fastest_dtype(torch.device(options.device))
        own = own_loop(folder, options.device, "float32")
        fast = own_loop(folder, options.device, str(fastest).removeprefix("torch."))
        loops: dict[str, Callable[[], Any]] = {
            "transformers, 1": lambda: plain.cosines(texts, bodies, 1),
            f"transformers, {BATCH}": lambda: plain.cosines(texts, bodies, BATCH),
            "alignment, float32": lambda: own(texts, bodies),
            f"alignment, {str(fastest).removeprefix('torch.')}": lambda: fast(texts, bodies),
        }
        found = {name: loop() for name, loop in loops.items()}  # warms up
        if options.device == "cpu":
            seconds = medians(loops, options.rounds)
        else:
            taken: dict[str, list[float]] = {name: [] for name in loops}
            for _ in range(options.rounds):
                for name, loop in loops.items():
                    taken[name].append(timed(loop)[0])
            seconds = {name: float(np.median(of)) for name, of in taken.items()}
        first, second = list(loops)[:2]
        rows = [
            [
                name,
                f"{options.pairs / took:.1f}",
                f"{seconds[first] / took:.2f}",
                f"{seconds[second] / took:.2f}",
                f"{np.abs(found[name] - found[first]).max():.1e}",
            ]
            for name, took in seconds.items()
        ]
        print(table(["loop", "pairs/s", "x of 1", f"x of {BATCH}", "difference"], rows))
        if options.device == "cuda":
            rate = options.pairs / list(seconds.values())[-1]
            encoder = DualEncoder(folder, "cuda", str(fastest).removeprefix("torch."), None)
            done = operations(folder, texts, encoder) / options.pairs * rate
            print(f"share of the card's matrix rate: {done / matrix_rate('cuda', fastest):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
