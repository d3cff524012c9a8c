"""Tokenize texts into an encoder's inputs: segments of token numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from tokenizers import Tokenizer

from udfs.encoder.encoder_file import EncoderHeader
from udfs.encoder.segments import Span, token_segments

if TYPE_CHECKING:
    from udfs.encoder.batches import Segment


class InputMaker:
    """An encoder's tokenizer with the length of its inputs."""

    def __init__(self, header: EncoderHeader) -> None:
        self.tokenizer = Tokenizer.from_str(header.tokenizer)
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        special = self.tokenizer.encode("一")
        marks = special.special_tokens_mask
        first = marks.index(0)
        self._prefix = special.ids[:first]
        self._suffix = [
            i for i, mark in zip(special.ids[first:], marks[first:], strict=True) if mark
        ]
        self._room = header.settings.max_tokens - len(self._prefix) - len(self._suffix)

    def of_parts(self, text_spans: Sequence[tuple[str, Span]]) -> Iterator[Segment]:
        """Yield the input of each part of a text; every part is tokenized by itself."""
        parts = [text[start:stop] for text, (start, stop) in text_spans]
        for encoding in self.tokenizer.encode_batch(parts, add_special_tokens=False):
            yield self._input(encoding.ids[: self._room])

    def of_texts(self, texts: Sequence[str]) -> Iterator[tuple[list[Span], list[Segment]]]:
        """Yield the spans of each text's segments and their inputs; a text is tokenized once."""
        encodings = self.tokenizer.encode_batch(texts, add_special_tokens=False)
        for text, encoding in zip(texts, encodings, strict=True):
            ids, offsets = encoding.ids, encoding.offsets
            ranges = token_segments(text, offsets, self._room)
            bounds = [0, *(offsets[start][0] for start, _ in ranges[1:]), len(text)]
            yield (
                list(pairwise(bounds)) if ranges else [],
                [self._input(ids[start:stop]) for start, stop in ranges],
            )

    def _input(self, ids: Sequence[int]) -> Segment:
        return [*self._prefix, *ids, *self._suffix]
