"""The settings of [images] and [release_pairs]: image bodies, and files of a release of pairs."""

from __future__ import annotations

from dataclasses import dataclass

from udfs.base.settings import PositiveAmount, PositiveCount


@dataclass(frozen=True)
class ImagesConfig:
    """Where the bodies of images come from, and what they may cost."""

    records: bool = True
    """Image records of the input's own WARC files, as crawls by browsers have them."""
    data_uris: bool = True
    """Images in data: URIs of pages."""
    shards: tuple[str, ...] = ()
    """Shards that img2dataset wrote: files NNNNN.tar, folders or globs. An image belongs to the
    places with the address that its JSON file states."""
    max_bytes: PositiveCount = 32 * 2**20
    """A longer body is counted (``too_many_bytes``, ``body_too_large``, ``member_too_large``) and
    not decoded."""
    max_pixels: PositiveCount = 50_000_000
    """Most pixels of an image that is decoded, width times height; a decoder takes up to 5 bytes
    for each (``too_many_pixels``)."""
    max_frames: PositiveCount = 2_000
    """Most images of an animation; the first is decoded (``too_many_frames``)."""
    timeout_s: PositiveAmount = 60.0
    """Seconds for an image in a further attempt at a task, which decodes each one in a process
    beside the worker (``too_slow``, ``decoder_crash``)."""
    reduced: bool = False
    """Decode of a JPEG file the brightness alone, at the size that its hash needs: faster, and the
    hash of one in nine differs in two bits."""


@dataclass(frozen=True)
class ReleasePairsConfig:
    """What a release of pairs is written as."""
