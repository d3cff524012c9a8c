"""The settings of [images] and [release_pairs]: image bodies, and files of a release of pairs."""

from __future__ import annotations

from dataclasses import dataclass


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


@dataclass(frozen=True)
class ReleasePairsConfig:
    """What a release of pairs is written as."""
