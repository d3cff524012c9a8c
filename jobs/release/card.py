"""The dataset card: README.md of a release, as the Hugging Face Hub reads it.

Everything in it comes from `jobs.release.facts`, so that the same release has the same card.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from jobs.config.release_settings import ReleaseConfig
from jobs.publishing.card_text import (
    columns_table,
    front_matter,
    funnel_tables,
    settings_table,
    size_category,
    table,
)
from jobs.publishing.files import FileFormat, Layout
from jobs.publishing.schema import features

_SUBSETS = ("quality", "domain", "perplexity")
_PAPERS = """\
Corpus and method follow two papers of the Institute of Automation, CAS: ChineseWebText
(arXiv 2311.01149) and ChineseWebText 2.0 (arXiv 2411.19668). Cite them beside this corpus."""
_LIMITS = """\
- Pages come from the open web. Texts may be wrong, outdated, offensive or protected by copyright,
  and may hold personal data that the filters did not find.
- Scores are predictions of small models. `quality_score` prefers edited prose, `toxicity` misses
  what is said without its words, and a text may belong to more domains than `multi_label` names.
- Languages are told by a model of whole texts: passages in other languages are left in.
- Deduplication removes exact and near copies within the input of the run, and of the snapshots
  that it was matched against; other copies remain.
- No benchmark was removed unless a stage of the funnel says so."""


def card(
    facts: Mapping[str, Any],
    settings: ReleaseConfig,
    schema: pa.Schema,
    formats: Sequence[FileFormat] = (),
    layout: Layout | None = None,
) -> str:
    """Return a card: of a release, or of a corpus within an output without formats and layout.

    Args:
        facts: Of `jobs.release.facts.release_facts`.
        schema: Columns of the rows.
    """
    first = formats[0] if formats else None
    folder = "" if first is None else f"{first.folder}/"
    matter = _metadata(facts, settings, first, layout, folder)
    blocks = [
        front_matter(matter),
        f"# {settings.title}",
        *([] if settings.description is None else [settings.description.strip()]),
        *_counts(facts),
        *([] if layout is None else _loading(formats, layout)),
        *_rows(schema),
        *_quality(facts),
        *_domains(facts),
        *_buckets(facts),
        *_choices(facts),
        *_funnel(facts),
        *_left_out(facts),
        *_origins(facts),
        "## Known limits\n\n" + _LIMITS,
        *_people(settings),
    ]
    return "\n\n".join(blocks) + "\n"


def format_card(
    facts: Mapping[str, Any], settings: ReleaseConfig, of: FileFormat, layout: Layout
) -> str:
    """Return the card in the folder of another format than the first, which is a dataset by itself:
    datasets reads all files of a dataset in one format."""
    matter = front_matter(_metadata(facts, settings, of, layout, folder=""))
    return (
        f"{matter}\n\n# {settings.title}\n\n"
        f"The rows of [this release](../README.md) as `{of.name}`; its card says what they are.\n"
    )


def configurations(of: FileFormat, layout: Layout, folder: str) -> list[tuple[str, str]]:
    """Return name and pattern of the files of each configuration of a format, that of all first.

    Args:
        folder: Of the format, as the card names it: with a slash at its end, or empty.
    """

    def pattern(parts: Sequence[str]) -> str:
        return folder + "/".join([*parts, f"{layout.split}-*.{of.name}"])

    depth = _depth(layout)
    found = [("default", pattern(["*"] * depth))]
    levels = [name.split("/") for name, _ in layout.folders if name]
    for level in range(depth):
        for name in sorted({parts[level] for parts in levels}):
            parts = ["*"] * depth
            parts[level] = name
            found.append((name.replace("_", "-", 1), pattern(parts)))
    return found


def _depth(layout: Layout) -> int:
    """Return how many folders lie between that of a format and its files."""
    folder = layout.folders[0][0]
    return folder.count("/") + 1 if folder else 0


def _metadata(
    facts: Mapping[str, Any],
    settings: ReleaseConfig,
    of: FileFormat | None,
    layout: Layout | None,
    folder: str,
) -> dict[str, Any]:
    """Return the front matter."""
    rows = facts["counts"]["rows"]
    found: dict[str, Any] = {"pretty_name": settings.title}
    if facts["settings"].get("extract.languages"):
        found["language"] = [facts["language"]]
    if settings.licence is not None:
        found["license"] = settings.licence
    found |= {"task_categories": ["text-generation"], "size_categories": [size_category(rows)]}
    if of is None or layout is None:
        return found
    chosen = configurations(of, layout, folder)
    found["configs"] = [
        {
            "config_name": name,
            **({"default": True} if name == "default" else {}),
            "data_files": [{"split": layout.split, "path": pattern}],
        }
        for name, pattern in chosen
    ]
    # Parquet files have their columns themselves; lines of JSON need them declared.
    found["dataset_info"] = [
        {"config_name": name, "features": features(of.schema)}
        for name, _ in chosen
        if name == "default" or of.name != "parquet"
    ]
    return found


def _counts(facts: Mapping[str, Any]) -> Iterator[str]:
    counts = facts["counts"]
    rows = [
        ("documents", counts["rows"]),
        *(
            [("documents, each as often as it counts (repeats)", counts["repeats"])]
            if counts.get("repeats", 0) not in (0, counts["rows"])
            else []
        ),
        *([("tokens", counts["tokens"])] if counts.get("tokens") else []),
        ("characters", counts["chars"]),
        ("bytes of text (UTF-8)", counts["bytes"]),
        ("documents labelled toxic", counts["toxic_rows"]),
    ]
    yield "## Counts\n\n" + table(("", "number"), rows)
    if not counts["rows"]:
        yield "**This release is empty**: no document was left by what the sections below say."


def _loading(formats: Sequence[FileFormat], layout: Layout) -> Iterator[str]:
    names = ", ".join(
        f"`{name}`" for name, _ in configurations(formats[0], layout, formats[0].folder)
    )
    others = "".join(
        f" `{of.folder}/` has the same rows as `{of.name}`, and is a dataset by itself."
        for of in formats[1:]
    )
    yield (
        "## Loading\n\n```python\nfrom datasets import load_dataset\n\n"
        f'load_dataset("FOLDER OR NAME OF THIS DATASET", split="{layout.split}")\n```\n\n'
        f"Configurations: {names}.{others} `checksums.sha256` has the digest of every file "
        "(`sha256sum -c checksums.sha256`), `run.json` the facts of this card as JSON."
    )


def _rows(schema: pa.Schema) -> Iterator[str]:
    named = [(field.name, field.type) for field in schema]
    yield "## Columns\n\n" + columns_table(named)


def _quality(facts: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        (of["band"], of["from"], of["rows"], *_amounts(facts, of)) for of in facts["quality_bands"]
    ]
    head = ("band", "quality_score from", "documents", *_amount_names(facts))
    yield "## Quality\n\n" + table(head, rows)


def _domains(facts: Mapping[str, Any]) -> Iterator[str]:
    rows = [(of["label"], of["rows"], *_amounts(facts, of)) for of in facts["domains"]]
    if rows:
        yield "## Domains\n\n" + table(("main label", "documents", *_amount_names(facts)), rows)


def _buckets(facts: Mapping[str, Any]) -> Iterator[str]:
    limits = facts["perplexities"]
    if limits is None:
        return
    rows = [(of["bucket"], of["rows"], *_amounts(facts, of)) for of in facts["buckets"]]
    yield (
        "## Perplexity\n\n"
        f"head: perplexity below {limits['head_below']:.4g}; tail: from {limits['tail_from']:.4g} "
        "on; of the language model that the column `harmful` follows from.\n\n"
        + table(("bucket", "documents", *_amount_names(facts)), rows)
    )


def _choices(facts: Mapping[str, Any]) -> Iterator[str]:
    yield "## Thresholds and choices\n\n" + settings_table(facts["settings"])


def _funnel(facts: Mapping[str, Any]) -> Iterator[str]:
    yield "## Funnel\n\n" + funnel_tables(facts)


def _left_out(facts: Mapping[str, Any]) -> Iterator[str]:
    ledger = facts["ledger"]
    excluded = {of["kind"]: of["rows"] for of in ledger["excluded"]}
    if not excluded:
        return
    rows = [
        ("rows of the corpus", ledger["seen"]),
        ("released", ledger["released"]),
        *((f"excluded by {kind}", n) for kind, n in excluded.items()),
    ]
    yield (
        "## Taken down\n\nDocuments that were left out of this release on request, by what the "
        "request names.\n\n" + table(("", "documents"), rows)
    )


def _origins(facts: Mapping[str, Any]) -> Iterator[str]:
    scored = [(of["scorer"], of["artifact"], f"`{of['lock_id']}`") for of in facts["scores"]]
    yield "## Scores\n\n" + table(("scorer", "model", "lock_id"), scored)
    artifacts = [
        (of["name"], of["version"], of["kind"], of["licence"], f"`{of['sha256']}`")
        for of in facts["artifacts"]
    ]
    head = ("artifact", "version", "kind", "licence", "sha256")
    yield "## Models and lists\n\n" + table(head, artifacts)
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    if versions:
        yield f"Made with {versions}."


def _people(settings: ReleaseConfig) -> Iterator[str]:
    licence = settings.licence or "none is stated (`release.licence`)"
    yield (
        f"## Licence\n\n{licence}. A licence covers the compilation: rights in the texts stay with "
        "those who hold them, and the pages of Common Crawl come under its terms of use."
    )
    contact = settings.contact or "none is stated (`release.contact`)"
    yield (
        f"## Takedown and opt-out\n\nContact: {contact}. Name documents by URL, host, `doc_id` or "
        "the SHA-256 of the text; the next release leaves them out, and counts them by kind."
    )
    citation = "" if settings.citation is None else f"\n\n```\n{settings.citation.strip()}\n```"
    yield f"## How to cite\n\n{_PAPERS}{citation}"


def _amount_names(facts: Mapping[str, Any]) -> list[str]:
    return ["characters", *(["tokens"] if facts["counts"].get("tokens") else [])]


def _amounts(facts: Mapping[str, Any], of: Mapping[str, Any]) -> list[int]:
    return [of["chars"], *([of.get("tokens", 0)] if facts["counts"].get("tokens") else [])]
