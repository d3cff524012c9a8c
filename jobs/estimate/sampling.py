"""A sample of the input files of a request, and a place for a run over it.

A unit is an input file; of a request for ranges, a file with all of its ranges. The sample is drawn
by a hash of the file's name, as ``--crawl --sample`` draws it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from jobs.config import ConfigError
from jobs.estimate.options import DryRun
from jobs.run.crawl_request import at_root, drawn
from jobs.run.request import Run
from jobs.run.splits import Split, Waves
from jobs.run.store import Store
from udfs.files.uris import provenance_path, redact, scheme_of

_FIRST_PART = 4
"""One of so many files of a sample is in its first wave."""


@dataclass(frozen=True)
class Sample:
    """The files of a request, and those of them that are run."""

    sizes: Mapping[str, int | None]
    """`Split.warc_path` of every file -> its bytes; None where the store was not asked."""
    names: tuple[str, ...]
    """Sampled files, in the order in which they were drawn."""
    waves: int
    """Waves of the whole request."""
    first: tuple[str, ...] = ()
    """Files of the first wave of the sample; none where waves share files."""

    @property
    def has_sizes(self) -> bool:
        """Whether the size of every file is known, and none is empty."""
        return all(self.sizes.values())

    @property
    def weights(self) -> list[float]:
        """Size of each sampled file; 1 where sizes are not known."""
        if not self.has_sizes:
            return [1.0] * len(self.names)
        return [float(self.sizes[name] or 0) for name in self.names]

    @property
    def all_weights(self) -> float:
        """Sum of the sizes of all files; their number where sizes are not known."""
        if not self.has_sizes:
            return float(len(self.sizes))
        return float(sum(size or 0 for size in self.sizes.values()))


def file_sample(run: Run, options: DryRun) -> tuple[Sample, Waves]:
    """Draw a sample of the files of a request.

    Returns:
        The sample, and its waves: a quarter of the files, then the others.
    Raises:
        ConfigError: the output holds ranges, whose files are not known by size.
    """
    splits: dict[str, Split] = {}
    for of_wave in run.waves.values():
        for split in of_wave:
            if split.is_ranged:
                raise ConfigError(
                    f"--dry-run: {redact(run.store.root)} holds ranges of files that were planned "
                    "before; give another --output"
                )
            splits[split.warc_path] = _with_size(split)
    names = drawn(splits, options.files, options.seed)
    sizes = {name: split.size_bytes for name, split in splits.items()}
    first = max(1, len(names) // _FIRST_PART)
    parts = [names[:first], names[first:]]
    waves = {wave: tuple(splits[name] for name in part) for wave, part in enumerate(parts) if part}
    return Sample(sizes, tuple(names), len(run.waves), tuple(names[:first])), waves


class RangeSample:
    """Draws the sample of a request for ranges, whose files Spark finds."""

    def __init__(self, run: Run, options: DryRun) -> None:
        if run.waves or len(run.requests) > 1:
            raise ConfigError("--dry-run: give files, an index and lists of ranges one at a time")
        self._root = run.config.input.crawl_root
        self._options = options
        self._sizes: dict[str, int] = {}
        self._names: list[str] = []

    def choose(self, sizes: Mapping[str, int]) -> set[str]:
        """Draw files, of name -> bytes of their ranges."""
        paths = {provenance_path(at_root(self._root, name), self._root): name for name in sizes}
        self._sizes = {path: sizes[name] for path, name in paths.items()}
        self._names = drawn(paths, self._options.files, self._options.seed)
        return {paths[path] for path in self._names}

    def sample(self, run: Run) -> Sample:
        """Return the sample, after the choice."""
        splits = -(-sum(self._sizes.values()) // run.config.input.split_bytes)
        waves = -(-splits // run.config.run.wave_splits)
        return Sample(self._sizes, tuple(self._names), waves)


@contextmanager
def sample_store(root: str, keep: str | None) -> Iterator[Store]:
    """Yield an empty output; it is removed when the block ends, unless it is kept.

    It lies beside the output, where the run itself would write: every executor reaches it.

    Args:
        root: The output.
        keep: Where it is kept; None: nowhere.
    Raises:
        ConfigError: the folder to keep it in is not empty, or nothing can lie beside the output.
    """
    if keep is not None:
        store = Store.at(keep)
        if store.list_names():
            raise ConfigError(f"--keep-sample {redact(keep)}: the folder is not empty")
        yield store
        return
    if scheme_of(root) and root.count("/") < 3:
        raise ConfigError(f"{redact(root)}: give --keep-sample: nothing can lie beside a bucket")
    store = Store.at(f"{root}.dry-run-{secrets.token_hex(4)}")
    is_local = not scheme_of(store.root)
    absent = [path for path in Path(store.root).parents if is_local and not path.exists()]
    try:
        yield store
    finally:
        store.delete()
        for path in absent:
            with suppress(OSError):  # somebody else uses it now
                path.rmdir()


def as_whole(run: Run, store: Store, waves: Waves) -> Run:
    """Return the run over a sample, planned and joined as the run over all files would be."""
    config = run.config
    if not run.is_small:
        config = replace(config, spark=replace(config.spark, small_properties=None))
    return replace(run, config=config, store=store, waves=waves, added={}, requests=())


def passes_of(waves: Sequence[int]) -> list[list[int]]:
    """Return the waves of each pass: a part of the sample, and all of it where it has parts."""
    first = len(waves) - len(waves) // 2
    return [list(waves[:first]), list(waves)] if first < len(waves) else [list(waves)]


def _with_size(split: Split) -> Split:
    """Return a split with the size of its file, where that is local."""
    if split.size_bytes is not None or scheme_of(split.uri):
        return split
    with suppress(OSError):  # counted as a failure when it is read
        return replace(split, size_bytes=Path(split.uri).stat().st_size)
    return split
