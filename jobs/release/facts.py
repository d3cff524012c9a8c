"""What is known of a release: counts, thresholds, the funnel, artifacts; run.json and card say it.

The size of the facts does not grow with the data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.config.release_settings import ReleaseConfig
from jobs.publishing.excluded import EXCLUDED
from jobs.publishing.origins import origins_of, versions
from jobs.release.rows import BAND, BUCKET, BYTES, GROUP, LABEL, LABELS, ORDER
from jobs.run.commits import fingerprint_of
from jobs.run.request import (
    APPLY_RULES,
    EXTRACT_DOCUMENTS,
    FIND_DUPLICATES,
    Run,
    score_stage,
)
from jobs.run.store import WHOLE, Commit
from jobs.tables import scores
from udfs.files.uris import filesystem

Counts = dict[str, int]
"""rows, chars, bytes, toxic_rows; tokens and repeats where the corpus has them."""

_AMOUNTS = ("tokens", "repeats")
"""Columns of a corpus that are added up where there are any."""
_SHOWN_SETTINGS = ("rules.", "dedup.", "select.", "extract.languages", "extract.min_language_score")


def row_counts(labelled: DataFrame, *, has_chars: bool = True) -> list[dict[str, Any]]:
    """Count the rows of a corpus by what they are labelled with.

    Needs: labelled, of `jobs.release.rows.with_labels`.
    Args:
        has_chars: Whether to count code points; False leaves them to `with_chars`.
    Rows: one for each kind of exclusion, folder, band, label and bucket, as a dictionary with the
        labels and Counts. Shuffles: a few counts.
    """
    amounts = [
        F.count("*").alias("rows"),
        *([F.coalesce(F.sum(F.char_length("text")), F.lit(0)).alias("chars")] if has_chars else []),
        F.coalesce(F.sum(BYTES), F.lit(0)).alias("bytes"),
        F.coalesce(F.sum(F.col("toxicity.label")), F.lit(0)).alias("toxic_rows"),
        *(
            F.coalesce(F.sum(name), F.lit(0)).alias(name)
            for name in _AMOUNTS
            if name in labelled.columns
        ),
    ]
    labels = (EXCLUDED, *LABELS)
    return [row.asDict() for row in labelled.groupBy(*labels).agg(*amounts).collect()]


def measured_rows(labelled: DataFrame) -> DataFrame:
    """Store what counts and an order need of labelled rows, so that texts are measured once.

    Needs: rows of `jobs.release.rows.with_labels`. Rows: all kept. Shuffles: none.
    """
    amounts = [name for name in _AMOUNTS if name in labelled.columns]
    names = ("doc_id", "toxicity", *amounts, EXCLUDED, *LABELS, ORDER, BYTES)
    return labelled.select(*names).persist(StorageLevel.DISK_ONLY)


def with_chars(
    rows: Iterable[Mapping[str, Any]], files: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Add code points to rows of `row_counts`: those that the files of a format have.

    Args:
        files: Rows of `jobs.publishing.files.FILES`, counted by LABELS.
    """
    chars: Counter[tuple[str | None, ...]] = Counter()
    for of in files:
        for one in of["chars"]:
            chars[tuple(one["labels"])] += one["chars"]
    return [
        {
            **row,
            "chars": chars[tuple(row[label] for label in LABELS)] if row[EXCLUDED] is None else 0,
        }
        for row in rows
    ]


def summed(rows: Iterable[Mapping[str, Any]]) -> Counts:
    """Add up rows of `row_counts`."""
    total: Counter[str] = Counter(rows=0, chars=0, bytes=0, toxic_rows=0)
    for row in rows:
        total.update({key: int(n) for key, n in row.items() if not key.startswith("_")})
    return dict(total)


def counts_by(rows: Iterable[Mapping[str, Any]], label: str) -> dict[str, Counts]:
    """Add up rows of `row_counts` by a label, most rows first; null labels are left out."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row[label] is not None:
            found.setdefault(row[label], []).append(row)
    counts = {name: summed(of) for name, of in found.items()}
    return dict(sorted(counts.items(), key=lambda item: (-item[1]["rows"], item[0])))


@dataclass(frozen=True)
class Source:
    """The corpus that a release is made of."""

    run: Run
    stage: str
    """Name of the commit of its selection."""
    table: str

    @property
    def commit(self) -> Commit | None:
        """The commit of its selection; None where there is none."""
        return self.run.store.commits(self.stage).get(WHOLE)

    @property
    def has_copies(self) -> bool:
        """Whether documents may have several equal rows."""
        commit = self.commit
        return commit is not None and commit.settings.get("select.repeat") == "rows"


def corpus_facts_of(source: Source, commit: Commit) -> dict[str, Any]:
    """Return what the commits of a run say of a corpus: where it comes from, and by which choices.

    Args:
        commit: That of its selection.
    """
    store = source.run.store
    scorers = [name for name in source.run.config.scorers if score_stage(name) in commit.sources]
    stages = [EXTRACT_DOCUMENTS, APPLY_RULES, FIND_DUPLICATES, *map(score_stage, scorers)]
    commits = {name: list(store.commits(name).values()) for name in stages}
    commits[source.stage] = [commit]
    return {
        "fingerprint": commit.fingerprint,
        "language": source.run.config.language.tag,
        **origins_of(commits, _SHOWN_SETTINGS),
        "scores": [_origin(source.run, name) for name in scorers],
        "artifacts": _artifacts(source.run, scorers),
        "versions": versions(),
    }


def basis_of(source: Source) -> str:
    """Return a digest of the commits that a release says something of."""
    store = source.run.store
    names = [EXTRACT_DOCUMENTS, APPLY_RULES, FIND_DUPLICATES, source.stage]
    return fingerprint_of(
        {
            name: {wave: commit.fingerprint for wave, commit in store.commits(name).items()}
            for name in names
        }
    )


def _origin(run: Run, scorer: str) -> dict[str, str]:
    """Return the model and the part of the lock that a scorer's rows follow from.

    All rows of a corpus have the same: the selection has checked it.
    """
    files, root = filesystem(run.store.root)
    for wave in run.waves:
        for name in run.store.list_names(scores(scorer), f"wave={wave:05d}"):
            if not name.endswith(".parquet"):
                continue
            path = f"{root}/{scores(scorer)}/wave={wave:05d}/{name}"
            found = _constants(pq.read_metadata(path, filesystem=files), ("artifact", "lock_id"))
            if found is not None:
                return {"scorer": scorer, **found}
    return {"scorer": scorer, "artifact": "none", "lock_id": "none"}


def _constants(metadata: Any, columns: Sequence[str]) -> dict[str, str] | None:
    """Return columns of one value of a Parquet file, from its statistics; None without rows."""
    paths = {metadata.schema.column(n).path: n for n in range(len(metadata.schema))}
    for group in range(metadata.num_row_groups):
        of = {name: metadata.row_group(group).column(paths[name]).statistics for name in columns}
        if all(one is not None and one.has_min_max for one in of.values()):
            return {name: str(one.min) for name, one in of.items()}
    return None


def _artifacts(run: Run, scorers: Sequence[str]) -> list[dict[str, Any]]:
    """List the artifacts of the scorers and what they need, and the lists of the rules."""
    rules = run.config.rules
    left = [rules.lexicon, *rules.host_block, *rules.host_allow]
    left.append(run.config.extract.language_artifact)
    for name in scorers:
        left += [
            value for value in vars(run.config.scorers[name]).values() if isinstance(value, str)
        ]
    found: dict[str, dict[str, Any]] = {}
    while left:
        artifact = run.lock.artifacts.get(left.pop())
        if artifact is not None and artifact.name not in found:
            found[artifact.name] = {
                "name": artifact.name,
                "version": artifact.version,
                "kind": artifact.kind,
                "sha256": artifact.sha256,
                "licence": artifact.licence,
            }
            left += artifact.needs
    return [found[name] for name in sorted(found)]


def release_facts(
    source: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    settings: ReleaseConfig,
    perplexities: tuple[float, float] | None,
) -> dict[str, Any]:
    """Return what is known of a release but its files.

    Args:
        source: Of `corpus_facts_of`.
        rows: Of `row_counts`.
    """
    kept = [row for row in rows if row[EXCLUDED] is None]
    excluded = counts_by(rows, EXCLUDED)
    total = summed(rows)
    return {
        **source,
        "ledger": {
            "seen": total["rows"],
            "released": summed(kept)["rows"],
            "excluded": [{"kind": kind, "rows": n["rows"]} for kind, n in excluded.items()],
        },
        "counts": summed(kept),
        "quality_bands": [
            {"band": band, "from": least, **counts_by(kept, BAND).get(band, summed([]))}
            for band, least in settings.bands().items()
        ],
        "domains": [{"label": label, **n} for label, n in counts_by(kept, LABEL).items()],
        "buckets": [{"bucket": bucket, **n} for bucket, n in counts_by(kept, BUCKET).items()],
        "folders": [
            {"folder": folder, **n} for folder, n in sorted(counts_by(kept, GROUP).items())
        ],
        "perplexities": None
        if perplexities is None
        else {"head_below": perplexities[0], "tail_from": perplexities[1]},
    }
