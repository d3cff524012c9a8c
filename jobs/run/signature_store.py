"""The signature store: what a run leaves behind for the runs of later snapshots.

    STORE/settings.json              what its signatures depend on; never changed
    STORE/snapshots/NAME.json        a snapshot's place, and whether its tables are whole
    STORE/keys/snapshot=NAME/        Parquet: keys, bands and signatures (transforms/
                                     earlier_snapshots.py)
    STORE/texts/snapshot=NAME/       Parquet: texts, to compare with; where dedup.verify is exact

A snapshot takes its place, the next free one, when it is committed, and keeps it: a rerun writes
its own part anew and sees the snapshots of lower places only, so it gives what it gave. While one
is written anew, or when what it was matched against has changed, later ones are refused.
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
from jobs.tables import SCHEMAS, SNAPSHOT_KEYS, SNAPSHOT_TEXTS, check_schema
from jobs.transforms.earlier_snapshots import EarlierSnapshots
from jobs.transforms.ranks import MAX_SNAPSHOTS, key_of, snapshot_prefix
from udfs.dedup.normalise import NORMALISATION_VERSION, SIGNATURE_VERSION

_SETTINGS = "settings.json"
_SNAPSHOTS = "snapshots"
_LAYOUT_VERSION = 1


@dataclass(frozen=True)
class Snapshot:
    """What the store knows of a snapshot."""

    name: str
    place: int  # in the order of snapshots, from 0
    fingerprint: str | None  # of all that its tables depend on; None while they are written anew
    earlier: Mapping[str, str]  # snapshots that it was matched against -> their fingerprints
    documents: int  # that it left in the store
    output: str  # of the run that wrote it


@dataclass(frozen=True)
class Session:
    """A run's view of the store: fixed before its work begins."""

    store: Store
    name: str
    place: int
    earlier: tuple[Snapshot, ...]
    keeps_texts: bool

    def fingerprints(self) -> dict[str, str]:
        """Names of the earlier snapshots with their fingerprints."""
        return {snapshot.name: snapshot.fingerprint or "" for snapshot in self.earlier}

    def is_committed(self, fingerprint: str) -> bool:
        """Whether the store holds what this run, with this fingerprint, leaves in it."""
        own = _snapshots(self.store).get(self.name)
        return own is not None and own.fingerprint == fingerprint

    def read(self, spark: SparkSession) -> EarlierSnapshots:
        """The earlier snapshots' rows. No row is read before it is asked for."""
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
        """Write this snapshot's part over what it was, and commit it last.

        Args:
            keys: Rows of `transforms.earlier_snapshots.snapshot_keys`.
            documents: doc_id and the text that was compared.
        Raises:
            StageIncomplete: another run has taken the place meanwhile.
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
                    f"while {self.name!r} was being made: run it again"
                )
        commit(
            self.store,
            Snapshot(self.name, self.place, fingerprint, self.fingerprints(), count, output),
        )

    def _revoke(self) -> None:
        """Say that the tables are not whole; the place stays taken."""
        own = _snapshots(self.store).get(self.name)
        if own is not None:
            commit(self.store, Snapshot(self.name, own.place, None, {}, 0, own.output))


def open_store(config: DedupConfig, store: Store | None = None) -> Session | None:
    """The store that the settings name, with the snapshots that this run comes after.

    Args:
        store: The store, where it was opened already.
    Raises:
        ConfigError: the store was made with other settings, or is full.
        StageIncomplete: an earlier snapshot is being written, or was matched against others than
            there are now.
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
            f"dedup.signature_store = {config.signature_store!r}: has {MAX_SNAPSHOTS} snapshots"
        )
    earlier = sorted(
        (snapshot for snapshot in known.values() if snapshot.place < place),
        key=lambda snapshot: snapshot.place,
    )
    for number, snapshot in enumerate(earlier):
        before = {one.name: one.fingerprint for one in earlier[:number]}
        if snapshot.fingerprint is None:
            raise StageIncomplete(
                f"signature store {store.root}: snapshot {snapshot.name!r} is not whole: "
                "run it again first"
            )
        if dict(snapshot.earlier) != before:
            raise StageIncomplete(
                f"signature store {store.root}: snapshot {snapshot.name!r} was matched against "
                "others than there are now: run it again first"
            )
    return Session(store, config.snapshot, place, tuple(earlier), config.verify == "exact")


def check_settings(config: DedupConfig) -> None:
    """Raise ConfigError where the store that the settings name was made with others."""
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
    """All that makes two runs' keys and signatures comparable."""
    return {
        "layout_version": _LAYOUT_VERSION,
        "normalisation_version": NORMALISATION_VERSION,
        "signature_version": SIGNATURE_VERSION,
        "levels": [level for level in ("url", "exact", "near") if level in config.levels],
        "shingle_chars": config.shingle_chars,
        "bands": config.bands,
        "rows": config.rows,
        "min_similarity": config.min_similarity,
        "verify": config.verify,
    }


def write_settings(store: Store, config: DedupConfig) -> None:
    """Record what the store's keys depend on."""
    store.write_bytes(json.dumps(_settings(config), indent=1).encode(), _SETTINGS)


def _snapshots(store: Store) -> dict[str, Snapshot]:
    names = [name for name in store.list_names(_SNAPSHOTS) if name.endswith(".json")]
    found = (Snapshot(**json.loads(store.read_bytes(_SNAPSHOTS, name))) for name in names)
    return {snapshot.name: snapshot for snapshot in found}


def commit(store: Store, snapshot: Snapshot) -> None:
    """Write what the store is to know of a snapshot."""
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
    schema = SCHEMAS[table]
    if not names:
        return spark.createDataFrame([], schema)
    frame = spark.read.parquet(*(_part(store, table, name) for name in names))
    check_schema(frame.schema, table)
    return frame
