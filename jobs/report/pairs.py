"""The page of images and image-text pairs: report/pairs.html, beside the page of the documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.report.facts import pair_commits
from jobs.report.page import render
from jobs.report.pair_samples import SampledPair, sampled_pairs
from jobs.report.samples import OFFENSIVE
from jobs.report.sections import Contact, PageBlock, Section, folded, grid, legend, table
from jobs.report.selections import pair_selection_section, pair_selections
from jobs.report.tables import Column, Table, counted, funnel, part, share, stacked
from jobs.run.ledger import totals_of
from jobs.run.request import SELECT_PAIRS, Run
from jobs.run.store import Commit, at_once
from jobs.tables import SELECTED_PAIRS

PAGE = "pairs.html"

Rows = Sequence[Mapping[str, Any]]


def write_pairs_page(spark: SparkSession, run: Run) -> None:
    """Write the page, where pairs were selected."""
    commits = pair_commits(run)
    if SELECT_PAIRS not in commits:
        return
    selected = run.store.read(spark, SELECTED_PAIRS)
    counts, samples = at_once(_counts(selected).collect, lambda: sampled_pairs(spark, run))
    rows = [row.asDict() for row in counts]
    view = pairs_view(commits, rows, samples, pair_selections(run))
    view["language"] = run.config.language.tag
    run.store.write_bytes(render("report.html.jinja", view).encode(), "report", PAGE)


def _counts(selected: DataFrame) -> DataFrame:
    """Count selected pairs by some of their columns, in one pass: (name, value, rows, bytes).

    Rows: a few for each column, whatever the data.
    """
    side = F.least("image.width", "image.height")
    by = {
        "text_source": F.col("text_source"),
        "attribute": F.col("attribute"),
        "format": F.col("image.format"),
        "side": F.when(side.isNotNull(), _side_class(side)),
    }
    values = F.array(
        *(
            F.struct(F.lit(name).alias("name"), value.cast("string").alias("value"))
            for name, value in by.items()
        )
    )
    return (
        selected.select(F.col("image.bytes").alias("size"), F.inline(values))
        .groupBy("name", "value")
        .agg(F.count("*").alias("rows"), F.sum("size").alias("bytes"))
        .orderBy(F.desc("rows"), "value")
    )


def _side_class(side: Any) -> Any:
    """Name the class of an image's shorter side, in pixels."""
    steps = (100, 200, 400, 800, 1600)
    column = F.lit(f"{steps[-1]} and more")
    for before, step in reversed(list(zip((0, *steps), steps, strict=False))):
        column = F.when(side < step, f"{before} to {step - 1}").otherwise(column)
    return column


def pairs_view(
    commits: Mapping[str, Mapping[int, Commit]],
    counts: Rows,
    samples: Sequence[SampledPair],
    selections: Rows = (),
) -> dict[str, Any]:
    """Return what the template shows.

    Args:
        selections: Of `jobs.report.selections.pair_selections`.
    """
    totals = [totals_of(name, list(of.values())) for name, of in commits.items()]
    chosen = next(of for of in totals if of["stage"] == SELECT_PAIRS)
    with_body = sum(row["rows"] for row in counts if row["name"] == "format" and row["value"])
    reasons = [
        {"stage": name, "reason": reason, "outcome": outcome, "records": records}
        for name, of in commits.items()
        for outcome in ("rejected", "failed")
        for reason, records in _summed(of.values(), outcome).items()
    ]
    sections = [
        _funnel(totals),
        _reasons(reasons, {of["stage"]: of["seen"] for of in totals}),
        pair_selection_section(selections),
        Section("selected", "Selected pairs", *_selected(counts, chosen["kept"], with_body)),
        Section("samples", "Samples", "Pairs to look at", list(_contacts(samples))),
    ]
    return {
        "head": f"taojin run: {chosen['kept']:,} pairs",
        "kicker": "taojin run report · images and texts",
        "title": f"{chosen['kept']:,} of {chosen['seen']:,} image places became pairs",
        "lead": "An image place is a place of a page that names an image. The page of the "
        "documents is index.html.",
        "tiles": [
            ("pairs", f"{chosen['kept']:,}"),
            ("with their image", f"{with_body:,}"),
            ("image places", f"{totals[0]['seen']:,}"),
        ],
        "sections": [section for section in sections if section.blocks],
        "foot": "taojin",
    }


def _summed(commits: Any, outcome: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for commit in commits:
        counts.update(getattr(commit, outcome))
    return counts


def _funnel(totals: Rows) -> Section:
    worst = max(totals, key=lambda of: part(of["seen"] - of["kept"], of["seen"]))
    lost = worst["seen"] - worst["kept"]
    finding = f"{worst['stage']} kept {share(part(worst['kept'], worst['seen']))} of what it saw"
    key = legend(("kept", "kept"), ("rejected", "rejected"), ("failed", "failed"))
    note = (
        "The balance closes at every stage. extract_pairs, measure_pairs and select_pairs see "
        "image places, measure_images records, data: URIs and samples, interleave_documents "
        "documents."
    )
    blocks = [key, table(funnel(totals), note=note)]
    return Section("funnel", "Funnel", finding if lost else "Everything was kept", blocks)


def _reasons(reasons: Rows, seen: Mapping[str, int]) -> Section:
    ranked = sorted(reasons, key=lambda row: (-row["records"], row["stage"], row["reason"]))
    most = max((row["records"] for row in ranked), default=0)
    rows = [
        (
            row["reason"],
            stacked([(row["outcome"], row["records"])], most),
            row["records"],
            row["stage"],
            part(row["records"], seen[row["stage"]]),
        )
        for row in ranked
    ]
    columns = (
        Column("reason", "code"),
        Column("", "bar"),
        Column("records", "int"),
        Column("stage", "code"),
        Column("of the stage", "share"),
    )
    if not rows:
        return Section("reasons", "Reasons", "Nothing was removed", [])
    finding = f"Most frequent reason: {ranked[0]['reason']} in {ranked[0]['stage']}"
    note = "A place counts under its first reason; rejected_pairs has all of them."
    key = legend(("rejected", "rejected"), ("failed", "failed: no usable image"))
    return Section("reasons", "Reasons", finding, [key, table(Table(columns, rows), note=note)])


def _selected(counts: Rows, pairs: int, with_body: int) -> tuple[str, list[PageBlock]]:
    titles = {
        "text_source": "Where the text is from",
        "attribute": "Where the address is from",
        "format": "Formats of images",
        "side": "Shorter side in pixels",
    }
    parts = [
        table(
            counted(
                [row for row in counts if row["name"] == name],
                "value",
                name,
                further=[("bytes", "image bytes")],
            ),
            title,
        )
        for name, title in titles.items()
    ]
    finding = f"{share(part(with_body, pairs))} of {pairs:,} pairs have the bytes of their image"
    return finding, [grid(*parts)] if counts else []


def _contacts(samples: Sequence[SampledPair]) -> Iterator[PageBlock]:
    """Yield a contact sheet of the kept pairs, and one of each reason."""
    for (kind, reason), of in groupby(samples, key=lambda one: (one.kind, one.reason)):
        contacts = [_contact(one) for one in of]
        summary = f"{'Kept' if kind == 'kept' else f'Removed: {reason}'} ({len(contacts):,})"
        sheet = PageBlock("contacts", contacts=contacts)
        yield folded(summary, sheet, is_open=kind == "kept")


def _contact(one: SampledPair) -> Contact:
    facts = [one.text_source or "no text", one.format or "no image"]
    if one.size is not None:
        facts.append(f"{one.size[0]:,} x {one.size[1]:,}")
    return Contact(
        one.thumbnail,
        one.text or "",
        one.page_url or "no page",
        facts,
        is_hidden=one.is_toxic or one.is_nsfw or any(word in one.reason for word in OFFENSIVE),
    )
