"""The settings of [images] and [release_pairs]: image bodies, and files of a release of pairs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from udfs.base.settings import Bounds, ConfigError, Count, PositiveAmount, PositiveCount

WEBDATASET, LINKS, INTERLEAVED_FORMAT = "webdataset", "links", "interleaved"
PAIR_FORMATS = (WEBDATASET, LINKS, INTERLEAVED_FORMAT)
"""Formats of a release of pairs, and their folders."""


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
    """How `release_pairs` writes pairs and interleaved documents as files to publish and to train
    on, and what its card says."""

    to: str | None = None
    """Where run_pipeline writes a release of pairs at its end; ``--release-pairs`` sets it. Off: no
    release."""
    formats: tuple[str, ...] = ()
    """``webdataset`` (shards of images and texts, as img2dataset writes them), ``links`` (addresses
    and texts, Parquet), ``interleaved`` (documents in the columns of OBELICS, Parquet). Empty: all
    that the output has."""
    without_image: Literal["left_out", "rows"] = "left_out"
    """Pairs without an image, in ``webdataset``: left out and counted, or a row of the shard's
    Parquet file with status ``failed_to_download`` and no members of the tar file."""
    shard_samples: Annotated[int, Bounds(least=1, most=10_000)] = 10_000
    """Samples of a shard; keys have four digits for them."""
    link_rows: PositiveCount = 1_000_000
    """Rows of a file of ``links``, about."""
    interleaved_rows: PositiveCount = 100_000
    """Documents of a file of ``interleaved``, about."""
    row_group_bytes: PositiveCount = 32 * 2**20
    """Bytes of strings in a row group of these Parquet files: what a loader holds at once."""
    split: str = "train"
    """Name of the split, with which names of Parquet files begin."""
    seed: Count = 0
    """Another number gives another shuffled order."""
    exclude: tuple[str, ...] = ()
    """Files that list what no release may have, as ``release.exclude``. A URL or host excludes the
    pairs of a page and those of an image, a SHA-256 those of an image or of a text; a document of
    ``interleaved`` is excluded with each of its images."""
    title: str = "Chinese image-text pairs"
    """Title of the card."""
    description: str | None = None
    """A paragraph under the title."""
    licence: str | None = None
    """Licence of the release, as the Hub spells it; off: the card says that none is stated."""
    contact: str | None = None
    """Address for takedown and opt-out requests; off: the card says that none is stated."""

    def __post_init__(self) -> None:
        for name in self.formats:
            if name not in PAIR_FORMATS or self.formats.count(name) > 1:
                raise ConfigError(
                    f"release_pairs.formats = {list(self.formats)}: expected each once, of "
                    f"{', '.join(PAIR_FORMATS)}"
                )
        if not re.fullmatch(r"[A-Za-z0-9]+(_[A-Za-z0-9]+)*", self.split):
            raise ConfigError(
                f"release_pairs.split = {self.split!r}: expected letters, digits and '_'"
            )
