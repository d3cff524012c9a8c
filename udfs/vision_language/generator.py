"""A generative model of transformers: questions in, answers out, in batches, greedily."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

from udfs.base.array_types import Int64Array, UInt8Array
from udfs.encoder.batches import token_batches
from udfs.encoder.model import fastest_dtype
from udfs.vision_language.inputs import Asked, ModelInputs, load_inputs
from udfs.vision_language.pictures import Picture, Undecodable
from udfs.vision_language.questions import (
    EMPTY_ANSWER,
    TOO_LONG,
    UNDECODABLE,
    UNPROCESSABLE,
    Answer,
    AnswerSettings,
    Query,
)

Pixels = UInt8Array | Undecodable | None
"""An image, shape (height, width, 3), or why it is none; None for a question without one."""

BUDGET = {"cpu": 4096, "cuda": 65536}
"""Tokens of a batch, questions and answers."""
_MAX_WASTE = 0.25
"""Largest share of padding in a batch: it is read once, and then a token of every row is written at
each step, which takes as long for few rows as for many."""

_TIE = {torch.float32: 1e-3, torch.bfloat16: 0.0, torch.float16: 0.0}
"""How near the two likeliest tokens may be, as a share of the greater logit, before the answer is
written again in a batch of one. Rounding moves logits of float32 by less, whatever the batch; in
half precision so many tokens are that near that most answers would be."""
_PADDING = {torch.float32: 1e-4, torch.bfloat16: 0.05, torch.float16: 0.02}
"""How far padding may move a logit of a model that ignores it, likewise."""


class Generator:
    """A model with its processor on a device.

    Batch: questions sorted by length, padded on the left. In float32 an answer is the one of a
    batch of one, whatever else is in the batch: an answer that hangs on a near tie of two tokens
    is written again alone. In half precision two tokens of nearly equal probability may change
    places from batch to batch.
    """

    def __init__(self, folder: Path, settings: AnswerSettings, device: str) -> None:
        """Load a folder that transformers saved.

        Raises:
            OSError, ValueError: transformers refuses the folder.
        """
        self.settings = settings
        self.device = torch.device(device)
        wanted = settings.dtype
        self.dtype = fastest_dtype(self.device) if wanted == "auto" else getattr(torch, wanted)
        self.model = load_network(folder, settings.reads_images).to(self.device, self.dtype).eval()
        self.inputs = load_inputs(folder, settings)
        self.context = context_of(self.model.config)
        self.budget = settings.batch_tokens or BUDGET[self.device.type]
        self.asked_again = 0
        """Answers so far that were written again alone."""
        greedy = _greedy(self.model, self.inputs, settings.max_tokens)
        for part in self.model.modules():  # of some models a part writes
            if getattr(part, "generation_config", None) is not None:
                part.generation_config = greedy
        ends = greedy.eos_token_id
        self._ends: list[int] = ends if isinstance(ends, list) else [] if ends is None else [ends]
        self.pads = self._padding_is_harmless()
        """Whether questions of several lengths share a batch."""

    def answers(self, questions: Sequence[Query]) -> list[Answer]:
        """Return the answer to each question, in their order.

        When the device is out of memory, the budget becomes half of the batch that failed.

        Raises:
            torch.OutOfMemoryError: a single question does not fit.
        """
        if not questions:
            return []
        prompts = [self.inputs.prompt(question) for question in questions]
        lengths = self.inputs.lengths(prompts, [q.image for q in questions])
        lengths += self.settings.max_tokens
        found: dict[int, Answer] = {}
        if self.context is not None:
            found = {int(n): Answer(None, TOO_LONG) for n in np.flatnonzero(lengths > self.context)}
        while len(found) < len(questions):
            left = np.array([n for n in range(len(questions)) if n not in found])
            batches = [left[batch].tolist() for batch in self._batches(lengths[left])]
            pictures = [[questions[n].image for n in batch] for batch in batches]
            for batch, images in zip(batches, self._decoded(pictures), strict=True):
                answers = self._batch([prompts[n] for n in batch], images)
                if answers is None:
                    break
                found |= dict(zip(batch, answers, strict=True))
        return [found[n] for n in range(len(questions))]

    def _batches(self, lengths: Int64Array) -> Iterator[Int64Array]:
        """Yield the numbers of the questions of each batch."""
        for batch in token_batches(lengths, self.budget, waste=_MAX_WASTE):
            if self.pads:
                yield batch
                continue
            for length in np.unique(lengths[batch])[::-1]:
                yield batch[lengths[batch] == length]

    def _decoded(self, batches: Sequence[Sequence[Picture | None]]) -> Iterator[list[Pixels]]:
        """Yield the images of each batch; those of the next are decoded while this one runs."""
        with ThreadPoolExecutor(1) as decoder:
            ahead = decoder.submit(self._pixels, batches[0])
            for following in batches[1:]:
                images = ahead.result()
                ahead = decoder.submit(self._pixels, following)
                yield images
            yield ahead.result()

    def _pixels(self, pictures: Sequence[Picture | None]) -> list[Pixels]:
        found: list[Pixels] = []
        for picture in pictures:
            try:
                limit = self.settings.max_pixels
                found.append(None if picture is None else picture.decoded(limit))
            except Undecodable as error:
                found.append(error)
        return found

    def _batch(self, prompts: Sequence[str], images: Sequence[Pixels]) -> list[Answer] | None:
        """Answers to prompts with their images; None when the device ran out of memory, after
        lowering the budget."""
        asked = [
            (prompt, image)
            for prompt, image in zip(prompts, images, strict=True)
            if not isinstance(image, Undecodable)
        ]
        answers = self._asked(asked) if asked else []
        if answers is None:
            return None
        rest = iter(answers)
        return [
            Answer(None, UNDECODABLE) if isinstance(image, Undecodable) else next(rest)
            for image in images
        ]

    def _asked(self, asked: Sequence[Asked]) -> list[Answer] | None:
        """As `_batch`, of images that were decoded."""
        is_alone = len(asked) == 1
        try:
            inputs = self.inputs.tensors(asked)
        except ValueError:  # of a processor that refuses one of the images
            return [Answer(None, UNPROCESSABLE)] if is_alone else self._one_by_one(asked)
        longest = int(self.inputs.widths(inputs).max()) + self.settings.max_tokens
        if self.context is not None and longest > self.context:
            return [Answer(None, TOO_LONG)] if is_alone else self._one_by_one(asked)
        try:
            texts, margins, _ = self._generated(inputs)
        except torch.OutOfMemoryError:
            if is_alone:
                raise
            texts = None  # memory of the failed call is freed when this block ends
        if texts is None:
            self._halve(len(asked) * longest)
            return None
        answers = [Answer(text) if text else Answer(None, EMPTY_ANSWER) for text in texts]
        for n in [] if is_alone else np.flatnonzero(margins < _TIE[self.dtype]).tolist():
            self.asked_again += 1
            answers[n] = self._alone(asked[n])
        return answers

    def _one_by_one(self, asked: Sequence[Asked]) -> list[Answer]:
        return [self._alone(one) for one in asked]

    def _alone(self, asked: Asked) -> Answer:
        answers = self._asked([asked])
        assert answers is not None  # a single question that does not fit raises
        return answers[0]

    def _generated(self, inputs: Any) -> tuple[list[str], Any, torch.Tensor]:
        """The answers, the least margin of each between its likeliest tokens (rows,), and the
        logits of the first tokens (rows, vocabulary)."""
        watch = _Margins()
        with torch.inference_mode():
            found = self.model.generate(
                **{name: self._moved(tensor) for name, tensor in inputs.items()},
                logits_processor=LogitsProcessorList([watch]),
            )
        # Some models return the question before the answer, others do not.
        written = found[:, -len(watch.margins) :]
        margins = torch.stack(watch.margins, dim=1)
        margins = margins.masked_fill(_is_past_end(written, self._ends), torch.inf)
        return self.inputs.texts(written), margins.amin(dim=1).cpu().numpy(), watch.first

    def _moved(self, tensor: torch.Tensor) -> torch.Tensor:
        """A tensor on the device: pixels in the model's dtype, numbers of tokens as they are."""
        return tensor.to(self.device, self.dtype if tensor.is_floating_point() else None)

    def _padding_is_harmless(self) -> bool:
        """Whether a question has the same answer with padding before it, within rounding."""
        if not self.inputs.has_prompt:
            return True
        picture = Picture(b"") if self.settings.reads_images else None
        image = None if picture is None else np.full((64, 64, 3), 127, np.uint8)
        short, long = (
            (self.inputs.prompt(Query(text, picture)), image) for text in ("一", "一二三四五")
        )
        alone = self._generated(self.inputs.tensors([short]))[2][0]
        padded = self._generated(self.inputs.tensors([short, long]))[2][0]
        moved = float((alone - padded).abs().max() / alone.abs().max().clamp(min=1e-6))
        return moved < _PADDING[self.dtype]

    def _halve(self, tokens: int) -> None:
        """Set the budget to half of the tokens that did not fit."""
        self.budget = tokens // 2
        torch.cuda.empty_cache()  # does nothing where there is no GPU
        print(
            f"{self.device} is out of memory with {tokens:,} tokens: from now on batches have "
            f"{self.budget:,}",
            file=sys.stderr,
        )


class _Margins(LogitsProcessor):  # type: ignore[misc]
    """Records how far the likeliest token is before the second, as a share of its logit."""

    def __init__(self) -> None:
        self.margins: list[torch.Tensor] = []
        """Of each step, (rows,)."""
        self.first = torch.empty(0)
        """Logits of the first step."""

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if not self.margins:
            self.first = scores.float()
        best, second = scores.float().topk(2, dim=-1).values.unbind(dim=-1)
        self.margins.append((best - second) / best.abs().clamp(min=1.0))
        return scores


def load_network(folder: Path, reads_images: bool) -> Any:
    """The model of a folder; safetensors only, no code of the folder runs.

    Raises:
        OSError, ValueError: transformers refuses the folder.
    """
    if not reads_images:
        kind: Any = transformers.AutoModelForCausalLM
    elif transformers.AutoConfig.from_pretrained(folder, local_files_only=True).model_type == (
        "vision-encoder-decoder"
    ):
        kind = transformers.VisionEncoderDecoderModel
    else:
        kind = transformers.AutoModelForImageTextToText
    return kind.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, trust_remote_code=False
    )


def context_of(config: Any) -> int | None:
    """The most tokens of question and answer together; None where the configuration has none."""
    own = config.decoder if config.model_type == "vision-encoder-decoder" else None
    text = own or (config.get_text_config() if hasattr(config, "get_text_config") else config)
    found = getattr(text, "max_position_embeddings", None)
    return None if found is None else int(found)


def _greedy(model: Any, inputs: ModelInputs, max_tokens: int) -> GenerationConfig:
    """The folder's special tokens, and nothing else of how it would write: no sampling, no beams,
    no penalties."""
    own = model.generation_config
    end = own.eos_token_id if own.eos_token_id is not None else inputs.tokenizer.eos_token_id
    pad = own.pad_token_id if own.pad_token_id is not None else inputs.tokenizer.pad_token_id
    if pad is None:
        pad = end[0] if isinstance(end, list) else end
    return GenerationConfig(
        do_sample=False,
        num_beams=1,
        max_new_tokens=max_tokens,
        bos_token_id=own.bos_token_id,
        decoder_start_token_id=own.decoder_start_token_id,
        eos_token_id=end,
        pad_token_id=pad,
    )


def _is_past_end(written: torch.Tensor, ends: Sequence[int]) -> torch.Tensor:
    """Whether each token (rows, steps) lies behind the first one that ends its answer."""
    is_end = torch.isin(written, torch.tensor(ends, device=written.device, dtype=written.dtype))
    return (is_end.cumsum(dim=1) - is_end.long()) > 0
