"""An encoder in training: frozen lower layers that run once a segment, the rest, and its loss.

Source:
    ChineseWebText 1.0, which freezes 11 of 12 layers. Hidden states of frozen layers are cached
    here.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional
from torch.nn.functional import gelu

from jobs.training.encoder.start import Start
from udfs.base.array_types import Float64Array
from udfs.encoder.batches import Segment, token_batches
from udfs.encoder.model import POOLINGS, Encoder, fastest_dtype, pooled

_BATCH_TOKENS = 2048
_LEAST_SPREAD = 0.1
"""Least deviation of an input that is scaled to 1, of the mean of all: a weight that grows beyond
makes the others of its row coarse in eight bits, or overflows 16."""
_CACHE_BYTES = 16 << 30
"""Bytes of hidden states that are kept; those of further segments are computed whenever used."""

_KEPT_EVERY = 500
"""New summaries of segments after which the file that keeps them is written."""

Key = tuple[int, ...]


class FrozenLayers:
    """The embedding and the lower layers, with a cache of their hidden states."""

    def __init__(
        self, start: Start, count: int, device: str | Sequence[str], dtype: Any = None
    ) -> None:
        """Take the frozen layers of an encoder.

        Args:
            count: Number of layers.
            device: One device, or several that share the segments; the first one trains.
            dtype: None for the fastest one of the device.
        Raises:
            ValueError: the encoder's model_type is not bert.
        """
        if start.header.config.get("model_type") != "bert":
            raise ValueError(f"model_type {start.header.config.get('model_type')}: expected bert")
        self.start = start
        self.count = count
        self.devices = [torch.device(d) for d in ([device] if isinstance(device, str) else device)]
        self.device = self.devices[0]
        self.dtype = dtype or fastest_dtype(self.device)
        self._bases = [_encoder(start).base.to(d, self.dtype) for d in self.devices]
        self._states: dict[Key, Any] = {}
        self._room = _CACHE_BYTES
        self._features: dict[bytes, Any] = {}
        self._kept: Path | None = None

    def states(self, segments: Sequence[Segment]) -> list[Any]:
        """Return the hidden states of each segment, (its tokens, size), on the CPU.

        Each segment is computed alone: in a batch the last bits would depend on the other segments,
        and so on what is cached already.
        """
        keys = [tuple(segment) for segment in segments]
        new = self._of_new(keys, self._states, lambda states: states)
        for key, states in new.items():
            size = states.element_size() * states.nelement()
            if size <= self._room:
                self._room -= size
                self._states[key] = states
        return [self._states[key] if key in self._states else new[key] for key in keys]

    def features(self, segments: Sequence[Segment], head: str = "mean") -> list[Any]:
        """Return a head's summary of each segment's states, (parts * size,), float32.

        Only these are cached, for one head.
        """
        pool = POOLINGS[head].pool if head in POOLINGS else _best_and_first
        names = [_digest_of(segment) for segment in segments]
        new = {n: s for n, s in zip(names, segments, strict=True) if n not in self._features}
        left = iter(new.items())
        while some := list(islice(left, _KEPT_EVERY)):
            keys = [tuple(segment) for _, segment in some]
            found = self._of_new(keys, {}, lambda s: pool(s.float()[None], None)[0])
            self._features |= {name: found[key] for (name, _), key in zip(some, keys, strict=True)}
            self._keep()
        return [self._features[name] for name in names]

    def keep_in(self, folder: Path) -> None:
        """Load what a folder has of this encoder, head and dtype; write new summaries there."""
        folder.mkdir(parents=True, exist_ok=True)
        dtype = str(self.dtype).removeprefix("torch.")
        file = folder / f"features-{_digest_of_start(self.start)[:16]}-{dtype}.safetensors"
        if self._kept == file:
            return
        self._kept = file
        kept: dict[bytes, Any] = {}
        if file.exists():
            found = load_file(file)
            names = (row.tobytes() for row in found["segments"].numpy())
            kept = dict(zip(names, found["features"], strict=True))
        self._features = kept | self._features
        if len(self._features) > len(kept):
            self._keep()

    def _keep(self) -> None:
        """Write all summaries to the folder, if there is one, over the earlier ones."""
        if self._kept is None:
            return
        names = np.frombuffer(b"".join(self._features), np.uint8).reshape(len(self._features), -1)
        tensors = {
            "segments": torch.from_numpy(names.copy()),
            "features": torch.stack(list(self._features.values())),
        }
        new = self._kept.with_suffix(".new")
        save_file(tensors, new)
        os.replace(new, self._kept)

    def _of_new(
        self, keys: Sequence[Key], known: dict[Key, Any], summary: Callable[[Any], Any]
    ) -> dict[Key, Any]:
        """Summaries of the states of segments that are not known yet; all devices share them."""
        new = [key for key in dict.fromkeys(keys) if key not in known]

        def computed(number: int) -> list[Any]:
            own = new[number :: len(self.devices)]
            return [summary(self._computed(key, number)) for key in own]

        if len(self.devices) == 1:
            return dict(zip(new, computed(0), strict=True))
        found: dict[Key, Any] = {}
        with ThreadPoolExecutor(len(self.devices)) as threads:
            for number, own in enumerate(threads.map(computed, range(len(self.devices)))):
                found |= zip(new[number :: len(self.devices)], own, strict=True)
        return found

    def _computed(self, key: Key, number: int) -> Any:
        """The states of a segment, by the device of this number."""
        device, base = self.devices[number], self._bases[number]
        mask = _mask([len(key)]).to(device)
        with torch.no_grad():
            hidden = base.embeddings(input_ids=torch.tensor([key], device=device))
            hidden = _run(base.encoder.layer[: self.count], hidden, mask)
        return hidden[0].cpu()


class Upper(torch.nn.Module):  # type: ignore[misc]
    """The layers that are trained: those above the frozen ones, if any, and the head."""

    def __init__(self, frozen: FrozenLayers, dropout: float, seed: int, device: Any = None) -> None:
        """Take the upper layers of an encoder to a device: by default, the first of the frozen."""
        super().__init__()
        self.device = device or frozen.device
        torch.manual_seed(seed)  # for the weights that the start lacks
        network = _encoder(frozen.start).network
        self.layers = network["encoder"].encoder.layer[frozen.count :]
        self.kind = frozen.start.header.settings.head
        self.is_pooled = self.kind == "pooled"
        if not self.is_pooled:
            self.hidden = network["hidden"]
            size = self.hidden.in_features
            self.register_buffer("center", torch.zeros(size))
            self.register_buffer("spread", torch.ones(size))
        else:
            self.pooler = network["encoder"].pooler
        self.head = network["head"]
        self.dropout = torch.nn.Dropout(dropout)
        self._frozen = [frozen]  # in a list, so that its weights are not registered here
        self.to(self.device)

    def forward(self, segments: Sequence[Segment]) -> Any:
        """Compute logits of segments, (segments,), float32."""
        if self.is_pooled and not len(self.layers):
            seen = torch.stack(self._frozen[0].features(segments, self.kind)).to(self.device)
            best, first = seen.chunk(2, dim=1)
            features = torch.cat([best, self.pooler(first[:, None])], dim=1)
        elif self.is_pooled:
            states, mask = self._states(segments)
            features = pooled(states, self.pooler(states), mask)
        else:
            features = gelu(self.hidden((self._pooled(segments) - self.center) / self.spread))
        return self.head(self.dropout(features))[:, 0]

    def standardise(self, segments: Sequence[Segment]) -> None:
        """Scale the hidden layer's input to mean 0 and deviation 1 over segments."""
        with torch.no_grad():
            features = torch.cat([self._pooled([segment]) for segment in segments])
            self.center.copy_(features.mean(dim=0))
            spread = features.std(dim=0)
            self.spread.copy_(spread.clamp(min=_LEAST_SPREAD * float(spread.mean()) + 1e-6))

    def _pooled(self, segments: Sequence[Segment]) -> Any:
        """The hidden layer's input, (segments, parts * size), float32, before it is scaled."""
        if not len(self.layers):
            return torch.stack(self._frozen[0].features(segments, self.kind)).to(self.device)
        return POOLINGS[self.kind].pool(*self._states(segments))

    def _states(self, segments: Sequence[Segment]) -> tuple[Any, Any]:
        """Hidden states after all layers, (segments, tokens, size), float32; and their mask."""
        frozen = self._frozen[0]
        states = frozen.states(segments)
        mask = _mask([len(state) for state in states]).to(self.device)
        padded = torch.nn.utils.rnn.pad_sequence(states, batch_first=True).to(self.device)
        with autocast(self.device, frozen.dtype):
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
        if not self.is_pooled:
            weight = self.hidden.weight / self.spread
            bias = self.hidden.bias - weight @ self.center
            encoder.network["hidden"].load_state_dict({"weight": weight, "bias": bias})
        else:
            base.pooler.load_state_dict(self.pooler.state_dict())
        encoder.network["head"].load_state_dict(self.head.state_dict())
        found: dict[str, Any] = encoder.network.state_dict()
        return found


class Replicas:
    """The layers that are trained, and a copy of them on every further device.

    Each device scores a part of a batch. All run in one process, without a library for
    communication: a GPU computes while the next one is given its part, and autograd follows the
    scores back to every device. With another number of devices dropout draws differ.
    """

    def __init__(self, frozen: FrozenLayers, dropout: float, seed: int) -> None:
        self.upper = Upper(frozen, dropout, seed)
        """What the optimizer changes, on the first device."""
        self.copies = [Upper(frozen, dropout, seed, device) for device in frozen.devices[1:]]

    def scores(self, segments: Sequence[Segment]) -> Any:
        """Return the scores of segments, (segments,), float32 on the first device, with gradients.

        The copies first get the weights of `upper`.
        """
        everyone = [self.upper, *self.copies]
        weights = self.upper.state_dict()
        for own in self.copies:
            own.load_state_dict(weights)
            own.train(self.upper.training)
        found = torch.zeros(len(segments), device=self.upper.device)
        for number, own in enumerate(everyone):
            places = range(number, len(segments), len(everyone))
            if places:
                scores = own([segments[place] for place in places]).sigmoid()
                where = torch.tensor(places, device=self.upper.device)
                found = found.index_add(0, where, scores.to(self.upper.device))
        return found

    def gather_gradients(self) -> None:
        """Add the gradients of the copies to those of `upper`, and forget them."""
        for own in self.copies:
            for main, copied in zip(self.upper.parameters(), own.parameters(), strict=True):
                if copied.grad is not None:
                    added = copied.grad.to(self.upper.device)
                    main.grad = added if main.grad is None else main.grad + added
                    copied.grad = None


def autocast(device: torch.device, dtype: torch.dtype) -> Any:
    """Return the autocast context of a dtype; it does nothing for float32."""
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


def _best_and_first(states: Any, mask: Any) -> Any:
    """What the published head sees of hidden states (1, tokens, size), before its pooler."""
    return pooled(states, states[:, 0], mask)


def _digest_of(segment: Segment) -> bytes:
    return hashlib.sha256(np.array(segment, "<i4").tobytes()).digest()


def _digest_of_start(start: Start) -> str:
    """The digest of an encoder's layers, its tokenizer and the kind of its head."""
    digest = hashlib.sha256(f"{start.header.settings.head} {start.header.tokenizer}".encode())
    for name in sorted(n for n in start.weights if n.startswith("encoder.")):
        digest.update(name.encode())
        digest.update(start.weights[name].numpy().tobytes())
    return digest.hexdigest()


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
