"""Train an encoder in two stages: on labelled texts, then on segments that it labels itself.

All draws of an epoch depend only on the seed and the epoch's number, so that training continues
from a checkpoint as if it had not stopped.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from jobs.training.common.metrics import area_under_roc
from jobs.training.encoder.network import FrozenLayers, Replicas, published_loss
from jobs.training.encoder.recipe import EncoderRecipe, Shares
from jobs.training.encoder.self_training import choose
from jobs.training.encoder.start import start_of
from udfs.encoder.batches import Segment
from udfs.encoder.weights import in_int8, save_encoder


@dataclass(frozen=True)
class TrainingText:
    """A training text."""

    segments: tuple[Segment, ...]
    target: float
    """Target of its score, the mean of its segments' scores weighted by their tokens."""
    weight: float
    unit: str
    is_judged: bool = True
    """Whether early stopping is decided on it if its unit is held out."""


@dataclass
class Progress:
    """Progress of a training, as a checkpoint stores it."""

    epoch: int = 0
    """The next epoch; those of stage 2 are numbered after all of stage 1."""
    best_area: float = -1.0
    best_epoch: int = -1
    best_weights: dict[str, Any] = field(default_factory=dict)
    areas: list[float] = field(default_factory=list)
    """Area under the ROC curve on the held-out units, by epoch of stage 1."""


@lru_cache(maxsize=1)
def frozen_layers(recipe: EncoderRecipe, devices: tuple[str, ...] = ()) -> FrozenLayers:
    """Return the frozen layers of a recipe; all folds share one cache.

    Args:
        devices: As PyTorch names them; empty for this machine's GPU, or its CPU without one.
    """
    start = start_of(recipe.start, recipe.layers, recipe.max_tokens, recipe.head, recipe.width)
    own = devices or ("cuda" if torch.cuda.is_available() else "cpu",)
    return FrozenLayers(start, recipe.frozen_layers, own)


def fit_encoder(
    examples: Sequence[TrainingText],
    unlabelled: Sequence[Segment],
    exemplars: Sequence[Segment],
    path: Path,
    recipe: EncoderRecipe,
    checkpoints: Path | None = None,
    devices: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Train an encoder and write it with its matrices in eight bits.

    Args:
        unlabelled: Segments that stage 2 labels.
        exemplars: Segments with a target of 1, for stage 2.
        checkpoints: Folder with a checkpoint for each recipe and examples: training continues from
            it and writes it after every epoch. What a head sees of segments behind layers that are
            all frozen is kept there too. None for no folder.
        devices: As for `frozen_layers`.
    Returns:
        Numbers of examples, the device, and the areas of early stopping.
    """
    if checkpoints is not None:
        frozen_layers(recipe, devices).keep_in(checkpoints)
    training = Training(examples, recipe, devices)
    file = None
    if checkpoints is not None:
        file = checkpoints / f"{_digest(examples, unlabelled, exemplars, recipe)}.pt"
        training.load(file)
    while training.is_in_stage_1():
        training.supervised_epoch()
        training.save(file)
    rounds = recipe.rounds if unlabelled else 0
    while training.progress.epoch < recipe.epochs + rounds:
        training.own_epoch(unlabelled, exemplars)
        training.save(file)
    weights = in_int8(training.upper.whole_weights())
    save_encoder(training.frozen.start.header, weights, path)
    progress = training.progress
    return {
        "examples": len(examples),
        "unlabelled_segments": len(unlabelled),
        "device": training.frozen.device.type,
        "computed_in": str(training.frozen.dtype).removeprefix("torch."),
        "held_out_areas": [round(area, 4) for area in progress.areas],
        "best_epoch": progress.best_epoch + 1 if progress.areas else recipe.epochs,
    }


class Training:
    """One encoder in training."""

    def __init__(
        self,
        examples: Sequence[TrainingText],
        recipe: EncoderRecipe,
        devices: tuple[str, ...] = (),
    ) -> None:
        self.recipe = recipe
        self.frozen = frozen_layers(recipe, devices)
        self._replicas = Replicas(self.frozen, recipe.dropout, recipe.seed)
        self.upper = self._replicas.upper
        self.progress = Progress()
        held = _held_units(examples, recipe.validation_part)
        self._examples = [e for e in examples if e.unit not in held]
        self._held = [e for e in examples if e.unit in held and e.is_judged]
        if not self.upper.is_pooled:
            self.upper.standardise([s for e in self._examples for s in e.segments])
        self._optimizer = self._new_optimizer()

    def is_in_stage_1(self) -> bool:
        """Tell whether stage 1 has epochs left."""
        progress, recipe = self.progress, self.recipe
        is_stale = bool(self._held) and progress.epoch - 1 - progress.best_epoch >= recipe.patience
        return progress.epoch < recipe.epochs and not (progress.epoch and is_stale)

    def supervised_epoch(self) -> None:
        """Run one epoch of stage 1."""
        recipe, progress = self.recipe, self.progress
        rng = np.random.default_rng([recipe.seed, progress.epoch])
        examples = [_drawn(e, recipe.drawn_segments, rng) for e in self._examples]
        rates = (recipe.rate, recipe.head_rate)
        self._learn(examples, rng, recipe.loss_shares, rates, progress.epoch, recipe.epochs)
        if self._held:
            area = self._held_area()
            progress.areas.append(area)
            if area > progress.best_area:
                progress.best_area, progress.best_epoch = area, progress.epoch
                progress.best_weights = _copied(self.upper.state_dict())
        progress.epoch += 1
        if not self.is_in_stage_1():
            self._end_stage_1()

    def own_epoch(self, unlabelled: Sequence[Segment], exemplars: Sequence[Segment]) -> None:
        """Run one round of stage 2: choose segments by passes with dropout, and learn them."""
        recipe, progress = self.recipe, self.progress
        rng = np.random.default_rng([recipe.seed, progress.epoch])
        torch.manual_seed(int(rng.integers(2**31)))
        self.upper.train()
        passes = np.stack([self.upper.chances(unlabelled) for _ in range(recipe.passes)], axis=1)
        chosen = choose(
            passes,
            recipe.positive_share,
            recipe.negative_share,
            recipe.chosen_segments,
            rng,
            recipe.by_ease,
        )
        segments = [unlabelled[row] for row in chosen.rows]
        for place in np.flatnonzero(chosen.labels == 1.0):
            if len(exemplars) and rng.random() < recipe.exemplars:
                segments[place] = exemplars[int(rng.integers(len(exemplars)))]
        examples = [
            TrainingText((segment,), label, weight, "")
            for segment, label, weight in zip(
                segments, chosen.labels.tolist(), chosen.weights.tolist(), strict=True
            )
        ]
        ratio = recipe.own_rate / recipe.rate
        rates = (recipe.own_rate, recipe.head_rate * ratio)
        number = progress.epoch - recipe.epochs
        self._learn(examples, rng, recipe.own_loss_shares, rates, number, recipe.rounds)
        progress.epoch += 1

    def load(self, file: Path) -> None:
        """Continue from a checkpoint if it exists."""
        if not file.exists():
            return
        found = torch.load(file, map_location="cpu", weights_only=True)
        self.upper.load_state_dict(found["weights"])
        self._optimizer.load_state_dict(found["optimizer"])
        self.progress = Progress(**found["progress"])

    def save(self, file: Path | None) -> None:
        """Write a checkpoint atomically."""
        if file is None:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "weights": self.upper.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "progress": vars(self.progress),
        }
        torch.save(state, file.with_suffix(".new"))
        os.replace(file.with_suffix(".new"), file)

    def _end_stage_1(self) -> None:
        if self.progress.best_weights:
            self.upper.load_state_dict(self.progress.best_weights)
        self.progress.best_weights = {}
        self.progress.epoch = self.recipe.epochs
        self._optimizer = self._new_optimizer()

    def _new_optimizer(self) -> torch.optim.Optimizer:
        upper, recipe = self.upper, self.recipe
        layers = list(upper.layers.parameters())
        head = [*(upper.pooler if upper.is_pooled else upper.hidden).parameters()]
        groups = [{"params": layers}, {"params": [*head, *upper.head.parameters()]}]
        return torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)

    def _learn(
        self,
        examples: Sequence[TrainingText],
        rng: np.random.Generator,
        shares: Shares,
        rates: tuple[float, float],
        epoch: int,
        epochs: int,
    ) -> None:
        """Learn examples once, in batches of texts."""
        torch.manual_seed(int(rng.integers(2**31)))
        self.upper.train()
        batches = list(_batches(examples, self.recipe.batch_texts, rng))
        for number, batch in enumerate(batches):
            done = (epoch + (number + 1) / len(batches)) / epochs
            for group, rate in zip(self._optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * min(10 * done, 1 - done + 1e-3)
            loss = published_loss(*self._scored(batch), shares)
            self._optimizer.zero_grad()
            loss.backward()
            self._replicas.gather_gradients()
            torch.nn.utils.clip_grad_norm_(self.upper.parameters(), 1.0)
            self._optimizer.step()

    def _scored(self, batch: Sequence[TrainingText]) -> tuple[Any, Any, Any]:
        """Scores, targets and weights of texts."""
        device = self.frozen.device
        segments = [segment for example in batch for segment in example.segments]
        owners = [text for text, example in enumerate(batch) for _ in example.segments]
        chances = self._replicas.scores(segments)
        tokens = torch.zeros(len(batch), len(segments))
        tokens[owners, range(len(segments))] = torch.tensor([float(len(s)) for s in segments])
        scores = (tokens / tokens.sum(dim=1, keepdim=True)).to(device) @ chances
        targets = torch.tensor([example.target for example in batch], device=device)
        weights = torch.tensor([example.weight for example in batch], device=device)
        return scores, targets, weights

    def _held_area(self) -> float:
        self.upper.eval()
        segments = [segment for example in self._held for segment in example.segments]
        chances = iter(self.upper.chances(segments).tolist())
        scores = [
            np.average([next(chances) for _ in e.segments], weights=[len(s) for s in e.segments])
            for e in self._held
        ]
        truth = np.array([example.target > 0.5 for example in self._held])
        area = area_under_roc(truth, np.array(scores))
        return -1.0 if np.isnan(area) else area


def _batches(
    examples: Sequence[TrainingText], size: int, rng: np.random.Generator
) -> Iterator[list[TrainingText]]:
    order = rng.permutation(len(examples))
    for start in range(0, len(order), size):
        yield [examples[number] for number in order[start : start + size]]


def _drawn(example: TrainingText, count: int, rng: np.random.Generator) -> TrainingText:
    """The example with at most `count` of its segments."""
    if len(example.segments) <= count:
        return example
    places = np.sort(rng.choice(len(example.segments), count, replace=False))
    return dataclasses.replace(example, segments=tuple(example.segments[p] for p in places))


def _held_units(examples: Sequence[TrainingText], part: int | None) -> set[str]:
    """The units that early stopping is decided on, of those with judged examples.

    One in `part` is taken of the units with a text worth keeping and of the others, by size.
    """
    if part is None:
        return set()
    sizes: dict[tuple[bool, str], int] = {}
    good = {e.unit for e in examples if e.is_judged and e.target > 0.5}
    for example in examples:
        if example.is_judged:
            key = (example.unit in good, example.unit)
            sizes[key] = sizes.get(key, 0) + 1
    held = set()
    for is_good in (True, False):
        units = sorted((-n, unit) for (its, unit), n in sizes.items() if its is is_good)
        held |= {unit for _, unit in units[part // 2 :: part]}
    return held


def _copied(weights: dict[str, Any]) -> dict[str, Any]:
    return {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}


def _digest(
    examples: Sequence[TrainingText],
    unlabelled: Sequence[Segment],
    exemplars: Sequence[Segment],
    recipe: EncoderRecipe,
) -> str:
    """The key of a checkpoint: its recipe, examples and segments."""
    content = [
        dataclasses.asdict(recipe),
        [dataclasses.astuple(example) for example in examples],
        [list(segment) for segment in (*unlabelled, *exemplars)],
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
