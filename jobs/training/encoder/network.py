"""An encoder in training: frozen lower layers that run once a segment, the rest, and its loss.

Source:
    ChineseWebText 1.0, which freezes 11 of 12 layers. Hidden states of frozen layers are cached
    here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from torch.nn.functional import gelu

from jobs.training.encoder.start import Start
from udfs.base.array_types import Float64Array
from udfs.encoder.batches import Segment, token_batches
from udfs.encoder.model import Encoder, fastest_dtype, mean_of_tokens, pooled

_BATCH_TOKENS = 2048

Key = tuple[int, ...]


class FrozenLayers:
    """The embedding and the lower layers, with a cache of their hidden states."""

    def __init__(self, start: Start, count: int, device: str, dtype: Any = None) -> None:
        """Take the frozen layers of an encoder.

        Args:
            count: Number of layers.
            dtype: None for the fastest one of the device.
        Raises:
            ValueError: the encoder's model_type is not bert.
        """
        if start.header.config.get("model_type") != "bert":
            raise ValueError(f"model_type {start.header.config.get('model_type')}: expected bert")
        self.start = start
        self.count = count
        self.device = torch.device(device)
        self.dtype = dtype or fastest_dtype(self.device)
        self._base = _encoder(start).base.to(self.device, self.dtype)
        self._states: dict[Key, Any] = {}
        self._means: dict[Key, Any] = {}

    def states(self, segments: Sequence[Segment]) -> list[Any]:
        """Return the hidden states of each segment, (its tokens, size), on the CPU.

        Each segment is computed alone: in a batch the last bits would depend on the other segments,
        and so on what is cached already.
        """
        keys = [tuple(segment) for segment in segments]
        for key in keys:
            if key not in self._states:
                self._states[key] = self._computed(key)
        return [self._states[key] for key in keys]

    def means(self, segments: Sequence[Segment]) -> list[Any]:
        """Return the mean of each segment's states, (size,), float32; only means are cached."""
        keys = [tuple(segment) for segment in segments]
        for key in keys:
            if key not in self._means:
                self._means[key] = self._computed(key).float().mean(dim=0)
        return [self._means[key] for key in keys]

    def _computed(self, key: Key) -> Any:
        mask = _mask([len(key)]).to(self.device)
        with torch.no_grad():
            hidden = self._base.embeddings(input_ids=torch.tensor([key], device=self.device))
            hidden = _run(self._base.encoder.layer[: self.count], hidden, mask)
        return hidden[0].cpu()


class Upper(torch.nn.Module):  # type: ignore[misc]
    """The layers that are trained: those above the frozen ones, if any, and the head."""

    def __init__(self, frozen: FrozenLayers, dropout: float, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)  # for the weights that the start lacks
        network = _encoder(frozen.start).network
        self.layers = network["encoder"].encoder.layer[frozen.count :]
        self.is_mean = frozen.start.header.settings.head == "mean"
        if self.is_mean:
            self.hidden = network["hidden"]
            size = self.hidden.in_features
            self.register_buffer("center", torch.zeros(size))
            self.register_buffer("spread", torch.ones(size))
        else:
            self.pooler = network["encoder"].pooler
        self.head = network["head"]
        self.dropout = torch.nn.Dropout(dropout)
        self._frozen = [frozen]  # in a list, so that its weights are not registered here
        self.to(frozen.device)

    def forward(self, segments: Sequence[Segment]) -> Any:
        """Compute logits of segments, (segments,), float32."""
        if self.is_mean:
            features = gelu(self.hidden((self._means(segments) - self.center) / self.spread))
        else:
            states, mask = self._states(segments)
            features = pooled(states, self.pooler(states), mask)
        return self.head(self.dropout(features))[:, 0]

    def standardise(self, segments: Sequence[Segment]) -> None:
        """Scale the hidden layer's input to mean 0 and deviation 1 over segments."""
        with torch.no_grad():
            means = torch.cat([self._means([segment]) for segment in segments])
            self.center.copy_(means.mean(dim=0))
            self.spread.copy_(means.std(dim=0) + 1e-6)

    def _means(self, segments: Sequence[Segment]) -> Any:
        frozen = self._frozen[0]
        if not len(self.layers):
            return torch.stack(frozen.means(segments)).to(frozen.device)
        return mean_of_tokens(*self._states(segments))

    def _states(self, segments: Sequence[Segment]) -> tuple[Any, Any]:
        """Hidden states after all layers, (segments, tokens, size), float32; and their mask."""
        frozen = self._frozen[0]
        states = frozen.states(segments)
        mask = _mask([len(state) for state in states]).to(frozen.device)
        padded = torch.nn.utils.rnn.pad_sequence(states, batch_first=True).to(frozen.device)
        with autocast(frozen.device, frozen.dtype):
            return _run(self.layers, padded, mask).float(), mask

    def chances(self, segments: Sequence[Segment]) -> Float64Array:
        """Return scores of segments, (segments,), without gradients and in the current mode."""
        found = np.zeros(len(segments))
        lengths = np.array([len(segment) for segment in segments], np.int64)
        with torch.no_grad():
            for batch in token_batches(lengths, 4 * _BATCH_TOKENS):
                logits = self([segments[number] for number in batch])
                found[batch] = logits.sigmoid().cpu().numpy()
        return found

    def whole_weights(self) -> dict[str, Any]:
        """Return the weights of the whole encoder, named as in `Encoder`'s network, on the CPU."""
        frozen = self._frozen[0]
        encoder = _encoder(frozen.start)
        base = encoder.network["encoder"]
        base.encoder.layer[frozen.count :].load_state_dict(self.layers.state_dict())
        if self.is_mean:
            weight = self.hidden.weight / self.spread
            bias = self.hidden.bias - weight @ self.center
            encoder.network["hidden"].load_state_dict({"weight": weight, "bias": bias})
        else:
            base.pooler.load_state_dict(self.pooler.state_dict())
        encoder.network["head"].load_state_dict(self.head.state_dict())
        found: dict[str, Any] = encoder.network.state_dict()
        return found


def autocast(device: torch.device, dtype: torch.dtype) -> Any:
    """Return the autocast context of a dtype; it does nothing for float32."""
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


def _encoder(start: Start) -> Encoder:
    encoder = Encoder(start.header)
    own = encoder.network.state_dict()
    encoder.load({name: start.weights.get(name, drawn) for name, drawn in own.items()})
    return encoder


def _mask(lengths: Sequence[int]) -> Any:
    return torch.arange(max(lengths))[None, :] < torch.tensor(lengths)[:, None]


def _run(layers: Any, hidden: Any, mask: Any) -> Any:
    """Hidden states after some layers; padding is masked."""
    unseen = torch.zeros(mask.shape, dtype=hidden.dtype, device=hidden.device)
    unseen = unseen.masked_fill(~mask, torch.finfo(hidden.dtype).min)[:, None, None, :]
    for layer in layers:
        found = layer(hidden, unseen)
        hidden = found[0] if isinstance(found, tuple) else found  # transformers 4, and 5
    return hidden


def published_loss(
    scores: Any, targets: Any, weights: Any, shares: tuple[float, float, float]
) -> Any:
    """Compute the published loss: squared error, wrongly ordered pairs and the angle, in shares.

    Batch:
        Scores, targets and weights, float32 (texts,); a scalar. The pairs take (texts, texts).
    Source:
        ChineseWebText 1.0 (BERTEval), after Wang et al. 2022 (NAACL, 2022.naacl-main.249), whose
        ranking loss this is: a pair with different targets costs the difference of its scores in
        the wrong direction, a pair with equal targets the difference of its scores. The published
        script takes the order of a pair from the scores, so that its ranking loss is always 0.
    """
    of_errors, of_pairs, of_angle = shares
    error = (weights * (scores - targets) ** 2).mean()
    apart = scores[:, None] - scores[None, :]
    order = torch.sign(targets[:, None] - targets[None, :])
    order = torch.where(order == 0, -torch.sign(apart), order)
    pair_weights = (weights[:, None] + weights[None, :]) / 2
    ranking = torch.relu(-order * apart * pair_weights).mean()
    root = weights.sqrt()
    angle = 1 - functional.cosine_similarity(scores * root, targets * root, dim=0)
    return of_errors * error + of_pairs * ranking + of_angle * angle
