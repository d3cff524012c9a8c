"""Images: splits, pairs, shards -> images, shard_images.

Every body that a file holds is a row: of records that are or claim to be images, of data: URIs
(one of equal ones in a wave), and of the shards that images.shards names. A usable one has its
bytes and measures, any other its reason. Whether a place of a page names it plays no part: an image
that none names costs its bytes, and a page extracted later finds it.

Images of shards are a table of their own with waves of their own: shards belong to no input file,
and others may be named at any time. `stored_images` reads both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from pyspark.sql import DataFrame, SparkSession

from jobs.config import Config, ConfigError
from jobs.run.commits import Basis, due, fingerprint_of, finished, in_wave, settings_of, wave_of
from jobs.run.console import StageProgress, show_progress
from jobs.run.current_documents import Sources
from jobs.run.request import EXTRACT_PAIRS, MEASURE_IMAGES, MEASURE_SHARDS, Run
from jobs.tables import IMAGES, SHARD_IMAGES
from udfs.files.uris import InputFile, InputNotFound, expand_inputs

_MEASURING = ("max_bytes", "max_pixels", "max_frames", "timeout_s", "reduced")
"""Keys of [images] that a measured body follows from."""
_OF_WAVES = ("records", "data_uris", *_MEASURING)


def stored_images(spark: SparkSession, run: Run) -> DataFrame:
    """Read the images of an output, of all sources: rows of `udfs.images.schema.IMAGE_TYPE`.

    image_id is unique. Bodies are read only where the column is used. No rows where measure_images
    never ran.

    Raises:
        StageIncomplete: some are not measured, or follow from other pairs.
    """
    ran = image_sources(run)
    waves = list(run.waves) if ran[MEASURE_IMAGES] is not None else []
    shards = list(_shard_waves(run)) if ran[MEASURE_SHARDS] is not None else []
    images = run.store.read(spark, IMAGES, waves)
    return images.unionByName(run.store.read(spark, SHARD_IMAGES, shards))


def image_sources(run: Run) -> Sources:
    """Return what the images of an output are, as sources of a basis.

    Raises:
        StageIncomplete: as `stored_images`.
    """
    measured = finished(run.store, MEASURE_IMAGES, _reads(run))
    shards = finished(run.store, MEASURE_SHARDS, dict.fromkeys(_shard_waves(run), ""))
    return {
        stage: None if of_waves is None else fingerprint_of(sorted(of_waves.items()))
        for stage, of_waves in ((MEASURE_IMAGES, measured), (MEASURE_SHARDS, shards))
    }


def check(config: Config) -> None:
    """Check that images.shards names shards.

    Raises:
        ConfigError: a folder or pattern holds none.
        InputNotFound: a file, folder or pattern without a match.
    """
    _shard_files(config.images.shards)


def ledgers(config: Config) -> tuple[str, ...]:
    """Return the names of the stage's balances."""
    return (MEASURE_IMAGES, *([MEASURE_SHARDS] if config.images.shards else []))


def preload() -> None:
    """Import what a wave needs."""
    from jobs.image_text import image_waves  # noqa: F401


def bases(run: Run) -> dict[str, dict[int, Basis]]:
    """Return the basis of each wave, and of each wave of shards."""
    images = run.config.images
    settings = settings_of("images", images, _OF_WAVES)
    reads = _reads(run)
    measured = {
        wave: Basis(settings, _wave_sources(run, wave, reads[wave]), reads=reads[wave])
        for wave in run.waves
    }
    settings = settings_of("images", images, _MEASURING)
    shards = {
        wave: Basis(settings, {"images.shards": fingerprint_of(_places(files))})
        for wave, files in _shard_waves(run).items()
    }
    return {MEASURE_IMAGES: measured} | ({MEASURE_SHARDS: shards} if shards else {})


def run(spark: SparkSession, run: Run) -> None:
    """Measure the images of every wave that is due, then those of shards."""
    from jobs.image_text.image_waves import measure_shards, measure_wave  # import the decoder

    waves = bases(run)
    _delete_surplus(run)
    for name, of_stage in waves.items():
        shards = _shard_waves(run)
        for wave in due(run.store, name, of_stage):
            files = len(run.waves[wave] if name == MEASURE_IMAGES else shards[wave])
            progress = StageProgress(f"{name}{in_wave(wave, len(of_stage))}", files=files)
            with (
                wave_of(run.store, name, wave, of_stage[wave], len(of_stage)) as work,
                show_progress(spark, progress),
            ):
                if name == MEASURE_IMAGES:
                    work.balance = measure_wave(spark, run, wave)
                else:
                    work.balance = measure_shards(spark, run, wave, shards[wave])


def deletes(run: Run) -> dict[str, str]:
    """Return the table that holds images of shards which are not named any more, with the
    reason."""
    return {SHARD_IMAGES: "images.shards names fewer shards"} if _surplus(run) else {}


def _reads(run: Run) -> dict[int, str]:
    """Return what the images of each wave follow from among tables: data: URIs are in pairs."""
    if not run.config.images.data_uris:
        return dict.fromkeys(run.waves, "")
    return finished(run.store, EXTRACT_PAIRS, dict.fromkeys(run.waves, "")) or dict.fromkeys(
        run.waves, ""
    )


def _wave_sources(run: Run, wave: int, pairs: str) -> dict[str, str | None]:
    sources: dict[str, str | None] = {"input": fingerprint_of(run.waves[wave])}
    return sources | ({EXTRACT_PAIRS: pairs} if run.config.images.data_uris else {})


def _shard_waves(run: Run) -> Mapping[int, Sequence[InputFile]]:
    """Return the waves of shards: as many shards a wave as files of the input."""
    files, size = _shard_files(run.config.images.shards), run.config.run.wave_splits
    return {
        wave: files[first : first + size] for wave, first in enumerate(range(0, len(files), size))
    }


@lru_cache(maxsize=4)
def _shard_files(named: tuple[str, ...]) -> tuple[InputFile, ...]:
    """Find the shards, once a command: img2dataset writes other files beside them.

    Raises:
        ConfigError, InputNotFound: as `check`.
    """
    if not named:
        return ()
    try:
        files = tuple(file for file in expand_inputs(named) if file.uri.endswith(".tar"))
    except InputNotFound as error:
        raise ConfigError(f"images.shards: {error}") from error
    if not files:
        raise ConfigError(f"images.shards = {list(named)}: names no .tar file")
    return files


def _places(files: Sequence[InputFile]) -> list[tuple[str, int | None]]:
    return [(file.uri, file.size) for file in files]


def _surplus(run: Run) -> list[int]:
    """Return the waves of shards beyond those that are named."""
    named = _shard_waves(run)
    return [wave for wave in run.store.commits(MEASURE_SHARDS) if wave not in named]


def _delete_surplus(run: Run) -> None:
    for wave in _surplus(run):
        run.store.revoke(MEASURE_SHARDS, wave)
        run.store.delete(SHARD_IMAGES, f"wave={wave:05d}")
