"""The signature store: signatures of earlier snapshots, for deduplication across runs.

    STORE/settings.json              settings that its signatures depend on; never changed
    STORE/snapshots/NAME.json        a snapshot's place, and whether its tables are complete
    STORE/keys/snapshot=NAME/        Parquet: keys, bands and signatures (transforms/
                                     earlier_snapshots.py)
    STORE/texts/snapshot=NAME/       Parquet: texts to compare with, if dedup.verify is "exact"

A snapshot gets the next free place when it is committed, and keeps it. A rerun writes its own part
again and sees only the snapshots of lower places, so it gives the same result. Later snapshots are
refused while an earlier one is being written, and after the earlier ones it was matched against
have changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config import ConfigError, DedupConfig
from jobs.run.commits import StageIncomplete
from jobs.run.store import Store
from jobs.tables import SNAPSHOT_KEYS, SNAPSHOT_TEXTS, check_schema, schema_of
from jobs.transforms.earlier_snapshots import EarlierSnapshots
from jobs.transforms.ranks import MAX_SNAPSHOTS, key_of, snapshot_prefix
from udfs.dedup.normalise import NORMALISATION_VERSION, SIGNATURE_VERSION

_SETTINGS = "settings.json"
_SNAPSHOTS = "snapshots"
_LAYOUT_VERSION = 1


@dataclass(frozen=True)
class Snapshot:
    """The record of a snapshot."""

    name: str
    place: int
    """Number in the order of snapshots, from 0."""
    fingerprint: str | None
    """Digest of everything its tables depend on; None while they are written again."""
    earlier: Mapping[str, str]
    """Snapshots that it was matched against -> their fingerprints."""
    documents: int
    """Documents that it has in the store."""
    output: str
    """Output of the run that wrote it."""


@dataclass(frozen=True)
class StoreView:
    """A run's view of the store, fixed before the run changes anything."""

    store: Store
    name: str
    place: int
    earlier: tuple[Snapshot, ...]
    keeps_texts: bool

    def fingerprints(self) -> dict[str, str]:
        """Return the fingerprints of the earlier snapshots, by name."""
        return {snapshot.name: snapshot.fingerprint or "" for snapshot in self.earlier}

    def is_committed(self, fingerprint: str) -> bool:
        """Whether the store holds this snapshot with this fingerprint."""
        own = _snapshots(self.store).get(self.name)
        return own is not None and own.fingerprint == fingerprint

    def read(self, spark: SparkSession) -> EarlierSnapshots:
        """Return the rows of the earlier snapshots, not yet evaluated."""
        names = [snapshot.name for snapshot in self.earlier]
        keys = _read(spark, self.store, SNAPSHOT_KEYS, names)
        if self.keeps_texts:
            texts = _read(spark, self.store, SNAPSHOT_TEXTS, names)
            payloads = texts.select("key", F.col("text").alias("payload"))
        else:
            payloads = keys.filter(F.col("signature").isNotNull()).select(
                key_of(F.col("rank")).alias("key"), F.col("signature").alias("payload")
            )
        prefixes = {snapshot_prefix(snapshot.place): snapshot.name for snapshot in self.earlier}
        return EarlierSnapshots(self.place, prefixes, keys, payloads)

    def write(
        self,
        keys: DataFrame,
        documents: DataFrame,
        fingerprint: str,
        config: DedupConfig,
        output: str,
    ) -> None:
        """Write this snapshot's tables over earlier ones, then commit it.

        Args:
            keys: Rows of `transforms.earlier_snapshots.snapshot_keys`.
            documents: doc_id and the compared text.
        Raises:
            StageIncomplete: another run has committed a snapshot at this place meanwhile.
        """
        self._revoke()
        write_settings(self.store, config)
        _write(self.store, keys, SNAPSHOT_KEYS, self.name)
        if self.keeps_texts:
            prefix = F.lit(snapshot_prefix(self.place))
            texts = documents.select(F.concat(prefix, "doc_id").alias("key"), "text")
            _write(self.store, texts, SNAPSHOT_TEXTS, self.name)
        spark = keys.sparkSession
        count = _read(spark, self.store, SNAPSHOT_KEYS, [self.name]).count()
        for other in _snapshots(self.store).values():
            if other.place == self.place and other.name != self.name:
                raise StageIncomplete(
                    f"signature store {self.store.root}: snapshot {other.name!r} was committed "
                    f"while {self.name!r} was being written: run {self.name!r} again"
                )
        commit(
            self.store,
            Snapshot(self.name, self.place, fingerprint, self.fingerprints(), count, output),
        )

    def _revoke(self) -> None:
        """Mark the tables as incomplete; the snapshot keeps its place."""
        own = _snapshots(self.store).get(self.name)
        if own is not None:
            commit(self.store, Snapshot(self.name, own.place, None, {}, 0, own.output))


def open_store(config: DedupConfig, store: Store | None = None) -> StoreView | None:
    """Open the store that the settings name, with the snapshots before this run's.

    Args:
        store: The store, if it is open already.
    Raises:
        ConfigError: the store was made with other settings, or is full.
        StageIncomplete: an earlier snapshot is incomplete, or those it was matched against have
            changed since.
    """
    if config.signature_store is None or config.snapshot is None:
        return None
    store = store or Store.at(config.signature_store)
    check_settings(config)
    known = _snapshots(store)
    own = known.pop(config.snapshot, None)
    place = max((snapshot.place + 1 for snapshot in known.values()), default=0)
    if own is not None:
        place = own.place
    if place >= MAX_SNAPSHOTS:
        raise ConfigError(
            f"dedup.signature_store = {config.signature_store!r}: is full "
            f"({MAX_SNAPSHOTS} snapshots); use another one"
        )
    earlier = sorted(
        (snapshot for snapshot in known.values() if snapshot.place < place),
        key=lambda snapshot: snapshot.place,
    )
    for number, snapshot in enumerate(earlier):
        before = {one.name: one.fingerprint for one in earlier[:number]}
        if snapshot.fingerprint is None:
            raise StageIncomplete(
                f"signature store {store.root}: snapshot {snapshot.name!r} is incomplete: "
                "run it again first"
            )
        if dict(snapshot.earlier) != before:
            raise StageIncomplete(
                f"signature store {store.root}: snapshots have changed since "
                f"{snapshot.name!r} was matched against them: run it again first"
            )
    return StoreView(store, config.snapshot, place, tuple(earlier), config.verify == "exact")


def check_settings(config: DedupConfig) -> None:
    """Raise ConfigError if the store that the settings name was made with other settings."""
    if config.signature_store is None:
        return
    try:
        written = json.loads(Store.at(config.signature_store).read_bytes(_SETTINGS))
    except FileNotFoundError:
        return
    for key, value in _settings(config).items():
        if written.get(key) != value:
            raise ConfigError(
                f"dedup.signature_store = {config.signature_store!r}: was made with "
                f"{key} = {written.get(key)!r}, this run has {value!r}"
            )


def _settings(config: DedupConfig) -> dict[str, object]:
    """Return the settings that keys and signatures of two runs must share to be comparable."""
    return {
        "layout_version": _LAYOUT_VERSION,
        "normalisation_version": NORMALISATION_VERSION,
        "signature_version": SIGNATURE_VERSION,
        "levels": [level for level in ("url", "exact", "near") if level in config.levels],
        **(
            {"shingle_chars": config.shingle_chars}
            if config.shingle_words is None
            else {"shingle_words": config.shingle_words}
        ),
        "bands": config.bands,
        "rows": config.rows,
        "min_similarity": config.min_similarity,
        "verify": config.verify,
    }


def write_settings(store: Store, config: DedupConfig) -> None:
    """Write the settings that the store's keys depend on."""
    store.write_bytes(json.dumps(_settings(config), indent=1).encode(), _SETTINGS)


def _snapshots(store: Store) -> dict[str, Snapshot]:
    names = [name for name in store.list_names(_SNAPSHOTS) if name.endswith(".json")]
    found = (Snapshot(**json.loads(store.read_bytes(_SNAPSHOTS, name))) for name in names)
    return {snapshot.name: snapshot for snapshot in found}


def commit(store: Store, snapshot: Snapshot) -> None:
    """Write the record of a snapshot."""
    if store.before_commit is not None:
        store.before_commit()
    data = json.dumps(asdict(snapshot), indent=1).encode()
    store.write_bytes(data, _SNAPSHOTS, f"{snapshot.name}.json")


def _part(store: Store, table: str, name: str) -> str:
    return store.path(table, f"snapshot={name}")


def _write(store: Store, frame: DataFrame, table: str, name: str) -> None:
    check_schema(frame.schema, table)
    store.write_parquet(frame, _part(store, table, name))


def _read(spark: SparkSession, store: Store, table: str, names: list[str]) -> DataFrame:
    schema = schema_of(table)
    if not names:
        return spark.createDataFrame([], schema)
    frame = spark.read.parquet(*(_part(store, table, name) for name in names))
    check_schema(frame.schema, table)
    return frame
