"""The settings of a release: its rows, files and subsets, what is left out, what its card says."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from udfs.base.settings import ConfigError, Count, PositiveAmount, PositiveCount, Share

FORMATS = ("parquet", "jsonl.gz", "jsonl.zst")
SUBSETS = ("quality", "domain", "perplexity")
HASH_ORDER = "hash"

_NAME = re.compile(r"[A-Za-z0-9]+(_[A-Za-z0-9]+)*")
_QUALITY_BANDS = {"high": 0.9, "medium": 0.7, "low": 0.0}


@dataclass(frozen=True)
class ReleaseConfig:
    """How `release_corpus` writes a corpus as files to publish and to train on, and what its card
    says."""

    to: str | None = None
    """Where run_pipeline writes a release at its end; ``--release`` sets it. Off: no release."""
    rows: Literal["published", "full"] = "published"
    """``published`` writes exactly the four keys of ChineseWebText 2.0, ``full`` the columns of
    ``corpus``."""
    columns: tuple[str, ...] = ()
    """Columns of ``full`` rows, in this order; an empty list takes all."""
    formats: tuple[str, ...] = ("parquet",)
    """``parquet`` (zstd), ``jsonl.gz``, ``jsonl.zst``; one or more of them."""
    split: str = "train"
    """Name of the split, with which file names begin."""
    file_bytes: PositiveCount = 512 * 2**20
    """UTF-8 bytes of text in a file, about: before compression."""
    row_group_bytes: PositiveCount = 32 * 2**20
    """UTF-8 bytes of text in a row group of a Parquet file: what a loader holds at once."""
    order: str = HASH_ORDER
    """``hash`` shuffles rows by a hash of doc_id and ``seed``. A column of ``corpus`` sorts rows by
    it, a minus before its name from high to low: ``-quality_score``."""
    seed: Count = 0
    """Another number gives another shuffled order."""
    subsets: tuple[str, ...] = ()
    """``quality``, ``domain``, ``perplexity``: one folder of files and one configuration of the
    dataset for each band, main label, or bucket; several are combined."""
    quality_bands: dict[str, Share] = field(default_factory=dict)
    """Name -> least quality_score of a band. Empty: high from 0.9, medium from 0.7, low from 0."""
    head_perplexity: PositiveAmount | None = None
    """Perplexity below which a text is in the bucket ``head``; off: a share of this corpus."""
    tail_perplexity: PositiveAmount | None = None
    """Perplexity from which on a text is in the bucket ``tail``; off: a share of this corpus."""
    head_share: Share = 0.3
    """Share of the corpus in ``head``, where no perplexity is set (cc_net's)."""
    tail_share: Share = 0.4
    """Share of the corpus in ``tail``, likewise (cc_net's)."""
    exclude: tuple[str, ...] = ()
    """Files that list what no release may have, one a line: a doc_id, a URL, a host with all under
    it, or the SHA-256 of a text. ``doc_id:``, ``url:``, ``host:``, ``sha256:`` before it name the
    kind."""
    title: str = "A scored web corpus"
    """Title of the card."""
    description: str | None = None
    """A paragraph under the title."""
    licence: str | None = None
    """Licence of the release, as the Hub spells it (``odc-by``); off: the card says that none is
    stated."""
    contact: str | None = None
    """Address for takedown and opt-out requests; off: the card says that none is stated."""
    citation: str | None = None
    """How to cite, BibTeX or text; off: the methods' papers alone."""

    def __post_init__(self) -> None:
        _check_words("formats", self.formats, FORMATS)
        _check_words("subsets", self.subsets, SUBSETS)
        if not self.formats:
            raise ConfigError(f"release.formats = []: expected one of {', '.join(FORMATS)}")
        if sum(name.startswith("jsonl") for name in self.formats) > 1:
            raise ConfigError("release.formats: one of jsonl.gz and jsonl.zst, not both")
        for key, names in {"split": [self.split], "quality_bands": [*self.quality_bands]}.items():
            for name in names:
                if not _NAME.fullmatch(name):
                    raise ConfigError(f"release.{key}: {name!r}: expected letters, digits and '_'")
        if self.quality_bands and 0.0 not in self.quality_bands.values():
            raise ConfigError("release.quality_bands: one band must begin at 0")
        if len(set(self.quality_bands.values())) < len(self.quality_bands):
            raise ConfigError("release.quality_bands: two bands begin at one score")
        if self.head_share + self.tail_share > 1:
            raise ConfigError("release.head_share + release.tail_share: more than 1")
        limits = (self.head_perplexity, self.tail_perplexity)
        if None not in limits and limits[0] > limits[1]:  # type: ignore[operator]
            raise ConfigError("release.head_perplexity is above release.tail_perplexity")

    def bands(self) -> dict[str, float]:
        """Return name -> least quality_score of the bands, highest first."""
        bands = self.quality_bands or _QUALITY_BANDS
        return dict(sorted(bands.items(), key=lambda band: -band[1]))


def _check_words(key: str, words: tuple[str, ...], known: tuple[str, ...]) -> None:
    for word in words:
        if word not in known or words.count(word) > 1:
            raise ConfigError(
                f"release.{key} = {list(words)}: expected each once, of {', '.join(known)}"
            )
