"""The sections of a run's report, each with its finding, from the facts of the run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jobs.config.scorers import report_counts, report_shares
from jobs.report.distributions import curve_blocks, score_blocks
from jobs.report.published import REMOVED
from jobs.report.samples import sample_blocks
from jobs.report.sections import PageBlock, Section, folded, grid, legend, matrix, table
from jobs.report.selections import selection_section
from jobs.report.tables import Column, Table, counted, funnel, part, share, stacked
from jobs.run.request import score_stage

SCORE = score_stage("")

Facts = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]


def report_view(facts: Facts, audit: Rows) -> dict[str, Any]:
    """Return what the template shows of a run."""
    corpus, stages = facts["corpus"], facts["stages"]
    seen = stages[0]["seen"] if stages else 0
    counts = ", ".join(
        f"{corpus[count.name]:,} {count.label}" for count in report_counts() if count.name in corpus
    )
    files = facts["input"]["splits"]
    return {
        "language": facts["config"]["language"]["tag"],
        "head": f"taojin run: {corpus['rows']:,} documents",
        "kicker": f"taojin run report · {facts['finished'][:16].replace('T', ' ')} UTC",
        "title": f"{corpus['rows']:,} of {seen:,} records became documents of the corpus",
        "lead": f"They represent {corpus['documents_stood_for']:,} documents with their "
        f"duplicates. Among them: {counts}.",
        "tiles": [
            ("documents", f"{corpus['rows']:,}"),
            ("characters", f"{corpus['characters']:,}"),
            ("records read", f"{seen:,}"),
            ("kept of the records", share(part(corpus["rows"], seen))),
            ("input files", f"{files:,}"),
            ("input bytes", _bytes(facts["input"]["bytes"])),
            ("time of the stages", _time(_seconds(stages))),
        ],
        "sections": [section for section in _sections(facts, audit) if section.blocks],
        "foot": f"taojin {facts['versions'].get('taojin', '')} · lock {facts['lock_id']}"
        + (" · images and texts: pairs.html" if facts.get("pair_stages") else ""),
    }


def _sections(facts: Facts, audit: Rows) -> Iterator[Section]:
    yield _funnel(facts["stages"])
    yield _reasons(facts)
    yield selection_section(facts)
    yield Section("scores", "Scores and lengths", *score_blocks(facts))
    yield Section("thresholds", "Other thresholds", *curve_blocks(facts))
    for shares in report_shares():
        if facts["corpus"]["rows"] and not facts[shares.name]:
            continue  # its scorer did not run
        yield _shares(facts, shares.name, shares.value, shares.title)
    yield _documents(facts)
    yield _hosts(facts["hosts"])
    yield _duplicates(facts)
    yield _throughput(facts)
    yield _samples(facts, audit)
    yield _settings(facts)
    yield _artifacts(facts)


def _funnel(stages: Rows) -> Section:
    most = max((row["seen"] for row in stages), default=0)
    worst = max(stages, key=lambda row: row["seen"] - row["kept"], default=None)
    finding = "No stage has seen a record"
    if worst is not None and worst["seen"]:
        lost = worst["seen"] - worst["kept"]
        finding = (
            f"{worst['stage']} removed most: {lost:,} of {worst['seen']:,} "
            f"({share(part(lost, worst['seen']))})"
        )
        finding = finding if lost else "Every record was kept"
    key = legend(("kept", "kept"), ("rejected", "rejected"), ("failed", "failed"))
    note = "The balance closes: seen = kept + rejected + failed at every stage."
    return Section("funnel", "Funnel", finding, [key, table(funnel(stages, most), note=note)])


def _reasons(facts: Facts) -> Section:
    seen = {row["stage"]: row["seen"] for row in facts["stages"]}
    measured = facts["measured_characters"]
    most = max((row["records"] for row in facts["reasons"]), default=0)
    ranked = sorted(facts["reasons"], key=lambda row: (-row["records"], row["stage"]))
    rows = []
    for row in ranked:
        published, _ = REMOVED.get((row["stage"], row["reason"]), (None, ""))
        chars = row["characters"]
        rows.append(
            (
                row["reason"],
                stacked([(row["outcome"], row["records"])], most),
                row["records"],
                row["stage"],
                part(row["records"], seen.get(row["stage"], 0)),
                None if chars is None else part(chars, measured),
                published,
            )
        )
    columns = (
        Column("reason", "code"),
        Column("", "bar"),
        Column("records", "int"),
        Column("stage", "code"),
        Column("of the stage", "share"),
        Column("of all characters", "share"),
        Column("published, of bytes", "share"),
    )
    finding = "Nothing was removed"
    if ranked:
        first = ranked[0]
        finding = (
            f"Most frequent reason: {first['reason']} in {first['stage']}, "
            f"{first['records']:,} records ({share(part(first['records'], seen[first['stage']]))} "
            "of what it saw)"
        )
    sources = dict.fromkeys(source for _, source in REMOVED.values())
    note = (
        "A record counts under its first reason. Shares of characters are of all extracted "
        f"documents. Published: {'; '.join(sources)}."
    )
    key = legend(("rejected", "rejected"), ("failed", "failed: could not be read"))
    return Section("reasons", "Reasons", finding, [key, table(Table(columns, rows), note=note)])


def _shares(facts: Facts, name: str, value: str, title: str) -> Section:
    """Rows of the corpus by a label, and which labels occur together."""
    rows = facts[name]
    whole = sum(row["rows"] for row in rows)
    if not rows:
        return Section(name, title, "No row has a label", [])
    first, last = rows[0], rows[-1]
    finding = f"All {whole:,} rows are {first[value] or '–'}"
    if len(rows) > 1:
        finding = (
            f"{first[value] or '–'} is the largest of {len(rows):,} with "
            f"{share(part(first['rows'], whole))} of the rows, {last[value] or '–'} the smallest "
            f"with {share(part(last['rows'], whole))}"
        )
    counts = {tuple(pair["values"]): pair["rows"] for pair in facts["pairs"] if pair["of"] == value}
    blocks = [table(counted(rows, value, value, further=[("characters", "characters")]))]
    names = [row[value] for row in rows if (row[value], row[value]) in counts]
    if len(names) > 1:
        note = (
            "Rows that have both labels; on the diagonal all rows with a label. Shades are shares "
            "of the smaller of the two."
        )
        blocks.append(folded("Labels that occur together", matrix(counts, names, note)))
    return Section(name, title, finding, blocks)


def _documents(facts: Facts) -> Section:
    parts = [
        table(counted(facts[name], value, value, of_kept=True), title)
        for name, value, title in (
            ("languages", "language", "Languages"),
            ("scripts", "script", "Scripts"),
            ("charsets", "charset", "Character sets"),
        )
    ]
    charsets, documents = facts["charsets"], sum(row["rows"] for row in facts["charsets"])
    finding = "No document was extracted"
    if charsets:
        finding = (
            f"{share(part(charsets[0]['rows'], documents))} of {documents:,} extracted documents "
            f"were {charsets[0]['charset'] or 'of no known charset'}"
        )
    key = legend(("kept", "in the corpus"), ("rejected", "removed later"))
    edits = table(_places(facts["edits"], "edit"), "Edits of corpus texts")
    pii = table(_places(facts["pii"], "pii"), "Personal data", "Masked where the edits say so.")
    return Section(
        "documents", "Documents", finding, [key, grid(*parts), grid(edits, pii)] if charsets else []
    )


def _places(rows: Rows, name: str) -> Table:
    return Table(
        (Column(name, "code"), Column("rows", "int"), Column("places", "int")),
        [(row[name], row["rows"], row["places"]) for row in rows],
    )


def _hosts(hosts: Mapping[str, Rows]) -> Section:
    tables = []
    for place, title in (("kept", "Most documents kept"), ("lost", "Most documents lost")):
        most = max((row["documents"] for row in hosts[place]), default=0)
        rows = [
            (
                row["host"],
                stacked(
                    [("kept", row["kept"]), ("rejected", row["documents"] - row["kept"])], most
                ),
                row["documents"],
                row["kept"],
                part(row["kept"], row["documents"]),
            )
            for row in hosts[place]
        ]
        columns = (
            Column("host"),
            Column("", "bar"),
            Column("documents", "int"),
            Column("kept", "int"),
            Column("of them", "share"),
        )
        tables.append(table(Table(columns, rows), title))
    finding = "No document has a host"
    if hosts["kept"]:
        first = hosts["kept"][0]
        finding = f"{first['host']} gives most: {first['kept']:,} documents of the corpus"
    elif hosts["lost"]:
        first = hosts["lost"][0]
        finding = f"{first['host']} lost most: {first['documents'] - first['kept']:,} documents"
    shown = [block for block in tables if block.table]
    return Section("hosts", "Hosts", finding, [grid(*shown)] if shown else [])


def _duplicates(facts: Facts) -> Section:
    clusters = facts["clusters"]
    whole = sum(row["documents"] for row in clusters)
    rows = sum(row["rows"] for row in clusters)
    most = max((row["rows"] for row in clusters), default=0)
    sizes = Table(
        (
            Column("documents of a row"),
            Column("", "bar"),
            Column("rows", "int"),
            Column("documents", "int"),
        ),
        [
            (
                _doubling(row["bin"]),
                stacked([("accent", row["rows"])], most),
                row["rows"],
                row["documents"],
            )
            for row in clusters
        ],
    )
    search = Table(
        (Column("count", "code"), Column("number", "int")),
        [tuple(item) for item in facts["duplicates"].items()],
    )
    finding = f"{rows:,} rows stand for {whole:,} documents with their duplicates"
    blocks = [
        grid(
            table(sizes, "Corpus rows by the documents that they represent"),
            table(search, "Search for duplicates"),
        )
    ]
    return Section("duplicates", "Duplicates", finding, blocks if clusters else [])


def _throughput(facts: Facts) -> Section:
    stages, price = facts["stages"], facts.get("price")
    whole = _seconds(stages)
    longest = max((row["seconds"] for row in stages), default=0.0)
    second = 0.0 if price is None else price["core_hour"] * facts["cores"] / 3600
    rows = [
        (
            row["stage"],
            stacked([("accent", row["seconds"])], longest),
            row["seconds"],
            part(row["seconds"], whole),
            row["per_second"],
            *([] if price is None else [row["seconds"] * second]),
        )
        for row in stages
    ]
    columns = (
        Column("stage", "code"),
        Column("", "bar"),
        Column("seconds", "number"),
        Column("of all", "share"),
        Column("records a second", "number"),
        *([] if price is None else [Column(f"cost, {price['currency']}", "cost")]),
    )
    slowest = max(stages, key=lambda row: row["seconds"], default=None)
    finding = "No stage has run"
    if slowest is not None:
        finding = (
            f"{slowest['stage']} took {share(part(slowest['seconds'], whole))} of the time, "
            f"{_time(slowest['seconds'])}"
        )
    note = (
        "Wall clock of the stages' waves. Scorers that share a pass over the texts share its time, "
        "which counts once."
    )
    if price is not None:
        note += (
            f" Cost: {facts['cores']:,} cores at the price of a core of {price['machine']} in "
            f"{price['region']}, on demand, of {price['date']}."
        )
    return Section("throughput", "Throughput", finding, [table(Table(columns, rows), note=note)])


def _samples(facts: Facts, audit: Rows) -> Section:
    columns = (
        Column("stage", "code"),
        Column("reason", "code"),
        Column("url"),
        Column("doc_id", "code"),
        Column("warc_path"),
        Column("offset", "int"),
    )
    keys = ("stage", "reason", "url", "doc_id", "warc_path", "warc_offset")
    rows = [tuple(row[key] for key in keys) for row in facts["samples"]]
    blocks = sample_blocks(audit)
    if rows:
        blocks.append(folded("A removed document for every reason", table(Table(columns, rows))))
    finding = f"{len(audit) or len(rows):,} documents to look at, the same ones every time"
    return Section("samples", "Samples", finding, blocks)


def _settings(facts: Facts) -> Section:
    changed = facts["changed_settings"]
    columns = (Column("setting", "code"), Column("value", "code"), Column("default", "code"))
    rows = [(row["key"], _value(row["value"]), _value(row["default"])) for row in changed]
    everything = "\n\n".join(
        "\n".join([f"[{section}]", *(f"{key} = {_value(value)}" for key, value in values.items())])
        for section, values in facts["config"].items()
    )
    number = sum(len(values) for values in facts["config"].values())
    finding = (
        f"{len(changed):,} of {number:,} settings differ from the defaults"
        if changed
        else f"All {number:,} settings have their defaults"
    )
    blocks = [table(Table(columns, rows))] if rows else []
    blocks.append(folded("The whole configuration", PageBlock("code", text=everything)))
    return Section("settings", "Settings", finding, blocks)


def _artifacts(facts: Facts) -> Section:
    used = set(facts["used_artifacts"])
    columns = (
        Column("artifact", "code"),
        Column("version", "code"),
        Column("licence", "long"),
        Column("sha256", "code"),
    )

    def rows(is_used: bool) -> list[tuple[Any, ...]]:
        return [
            (of["name"], of["version"], of["licence"], of["sha256"][:16])
            for of in facts["artifacts"].values()
            if (of["name"] in used) == is_used
        ]

    others = rows(False)
    versions = Table(
        (Column("program", "code"), Column("version", "code")), list(facts["versions"].items())
    )
    blocks = [table(Table(columns, rows(True)))]
    if others:
        blocks.append(folded("Locked and not named by a setting", table(Table(columns, others))))
    blocks.append(folded("Versions of the programs", table(versions)))
    finding = f"{len(used):,} artifacts made these tables"
    return Section("artifacts", "Artifacts", finding, blocks)


def _seconds(stages: Rows) -> float:
    """Wall clock of all stages; of scorers, which share a pass, that of the longest."""
    scoring = [row["seconds"] for row in stages if row["stage"].startswith(SCORE)]
    others = [row["seconds"] for row in stages if not row["stage"].startswith(SCORE)]
    return float(sum(others) + max(scoring, default=0.0))


def _value(value: object) -> str:
    return "off" if value is None else json.dumps(value, ensure_ascii=False)


def _doubling(size: int) -> str:
    """Name a bin of cluster sizes.

    >>> _doubling(0), _doubling(1), _doubling(3)
    ('1', '2 to 3', '8 to 15')
    """
    return "1" if size == 0 else f"{2**size:,} to {2 ** (size + 1) - 1:,}"


def _bytes(size: float) -> str:
    """Return a size in binary units.

    >>> _bytes(512), _bytes(123_456_789)
    ('512 B', '118 MiB')
    """
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:,.1f} TiB"


def _time(seconds: float) -> str:
    """Return a duration.

    >>> _time(3.21), _time(125), _time(9000)
    ('3.2 s', '2 min 5 s', '2 h 30 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    return f"{int(seconds // 3600):,} h {int(seconds % 3600 // 60)} min"
