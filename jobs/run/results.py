"""The last words of a command: what its stages counted, its tables, and the next command.

Rows are counted from commits, and from the ends of Parquet files only where the output is local.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from jobs.run.ledger import totals_of
from jobs.run.report import funnel
from jobs.run.request import (
    APPLY_RULES,
    EXTRACT_DOCUMENTS,
    EXTRACT_PAIRS,
    EXTRACT_PRODUCTS,
    FIND_DUPLICATES,
    INTERLEAVE_DOCUMENTS,
    MATCH_IMAGES,
    MEASURE_PAIRS,
    OF_DOCUMENTS,
    OF_PAIRS,
    REASSIGN_CAPTIONS,
    REPORT_RUN,
    SCORE_DOCUMENTS,
    SELECT_CORPUS,
    SELECT_PAIRS,
    SELECTION_KINDS,
    Run,
    Stage,
    score_pairs_stage,
    score_stage,
)
from jobs.tables import (
    CORPUS,
    DOCUMENTS,
    DUPLICATES,
    FLAGGED,
    INTERLEAVED,
    MATCHED_IMAGES,
    MEASURED,
    PAIR_MEASURES,
    PAIRS,
    PRODUCTS,
    REASSIGNED_CAPTIONS,
    REJECTED,
    REJECTED_PAIRS,
    SCORED_TEXTS,
    SELECTED_PAIRS,
    pair_scores,
    scores,
)
from udfs.files.uris import redact, scheme_of

Counts = Mapping[str, Any]
"""Seen, kept, rejected and failed of a stage."""
Counted = Callable[[str], Counts | None]

_SCORES, _PAIR_SCORES = scores("SCORER"), pair_scores("SCORER")
_OF_COMMITS = {
    DOCUMENTS: (EXTRACT_DOCUMENTS, "kept"),
    MEASURED: (APPLY_RULES, "seen"),
    FLAGGED: (APPLY_RULES, "seen"),
    DUPLICATES: (FIND_DUPLICATES, "rejected"),
    PRODUCTS: (EXTRACT_PRODUCTS, "kept"),
    PAIRS: (EXTRACT_PAIRS, "kept"),
    INTERLEAVED: (INTERLEAVE_DOCUMENTS, "kept"),
    REASSIGNED_CAPTIONS: (REASSIGN_CAPTIONS, "seen"),
    MATCHED_IMAGES: (MATCH_IMAGES, "seen"),
    PAIR_MEASURES: (MEASURE_PAIRS, "kept"),
    SELECTED_PAIRS: (SELECT_PAIRS, "kept"),
    REJECTED_PAIRS: (SELECT_PAIRS, "rejected"),
    CORPUS: (SELECT_CORPUS, "kept"),
    "corpus_jsonl": (SELECT_CORPUS, "kept"),
    SCORED_TEXTS: (SCORED_TEXTS, "kept"),
}
"""Table -> the stage that writes it, and which of its counts is the number of rows."""
_LAST = (SELECT_CORPUS, SELECT_PAIRS, INTERLEAVE_DOCUMENTS, REPORT_RUN)
"""Stages whose tables are shown one by one where a command runs them all."""


def results_text(command: Stage, stages: Sequence[Stage], run: Run) -> str:
    """Describe what a command has made.

    Args:
        stages: Those that it runs, in running order.
    Returns:
        Lines of text.
    """
    counts = cache(partial(_counts, run))
    lines = [""]
    if all(stage.name != REPORT_RUN for stage in stages):  # its summary has them
        names = [
            name for stage in stages for name in stage.ledger_names(run.config, run.selections)
        ]
        rows = [of for of in map(counts, names) if of is not None]
        lines += [*funnel(rows), ""] if rows else []
    lines += _tables(command, run, counts)
    if any(stage.name == SELECT_CORPUS for stage in stages):
        lines += _budget_lines(run)
    if command.name == SCORE_DOCUMENTS and not run.config.score.with_text:
        lines.append(
            "Scores belong to texts by doc_id; --with-text writes both to one table, scored_texts."
        )
    lines += ["", *(f"next  {line}" for line in _next(command, run))]
    return "\n".join(lines)


def _budget_lines(run: Run) -> Iterator[str]:
    """Say what the budget of a selection asked and got, as selection.json has it."""
    if run.config.select.budget is None:
        return
    try:
        budget = OF_DOCUMENTS.read_facts(run.store, run.selection).get("budget")
    except FileNotFoundError:
        return
    if budget:
        unit, kept = budget["unit"], budget["kept"]
        yield f"budget: asked {budget['asked']:,} {unit}, kept {kept:,}"
        for of in budget["domains"]:
            if of["missing"]:
                yield f"  {of['domain']}: lacks {of['missing']:,} of {of['asked']:,} {unit}"


def _counts(run: Run, stage: str) -> Counts | None:
    """Return what a stage counted over all waves; None for one without a commit."""
    commits = list(run.store.commits(stage).values())
    return totals_of(stage, commits) if commits else None


def _tables(command: Stage, run: Run, counts: Counted) -> Iterator[str]:
    """Name the tables of a command, with their rows and where they are."""
    there = _there(run)
    is_whole = command not in run.stages
    shown = [stage for stage in run.stages if stage.name in _LAST] if is_whole else [command]
    names = [name for stage in shown for name in _names(stage, run) if _place(name, run) in there]
    root = redact(run.store.root)
    if names:
        width = max(20, *(len(name) + 2 for name in names))
        yield f"{'table':<{width}}{'rows':>12}  where"
        for name in names:
            rows = _rows(name, run, counts)
            yield f"{name:<{width}}{'-' if rows is None else f'{rows:,}':>12}  {root}/{name}"
    others = [name for stage in run.stages if stage not in shown for name in _names(stage, run)]
    if is_whole and (others := [name for name in others if _place(name, run) in there]):
        yield f"also in {root}: {', '.join(others)}"


def _names(stage: Stage, run: Run) -> Iterator[str]:
    """Name the tables and files of a stage, with one for each scorer."""
    folder = _folder(stage.name, run)
    for name in stage.writes:
        if name == _SCORES:
            yield from map(scores, run.config.score.scorers)
        elif name == _PAIR_SCORES:
            yield from map(pair_scores, run.config.score_pairs.scorers)
        else:
            yield "/".join((*folder, name))


def _there(run: Run) -> set[str]:
    """Name what is in an output, and in the folder of a named selection."""
    folders = [(), *(_folder(stage, run) for stage in run.selections)]
    return {"/".join((*of, name)) for of in folders for name in run.store.list_names(*of)}


def _folder(stage: str, run: Run) -> tuple[str, ...]:
    """Return the folder of a named selection that a stage makes; none for any other stage."""
    return SELECTION_KINDS[stage].path(run.selections[stage]) if stage in run.selections else ()


def _place(name: str, run: Run) -> str:
    """Return the name by which `_there` has a table or file."""
    own = _own_name(name, run)
    return own.partition("/")[0] if own == name else name


def _own_name(name: str, run: Run) -> str:
    """Return the name of a table without the folder of a named selection."""
    for stage in run.selections:
        name = name.removeprefix("/".join((*_folder(stage, run), "")))
    return name


def _rows(table: str, run: Run, counts: Counted) -> int | None:
    """Count the rows of a table; None for a file of another kind, and where it would take long."""
    own = _own_name(table, run)
    scorer, of_pairs = own.removeprefix(scores("")), own.removeprefix(pair_scores(""))
    if own == REJECTED:
        decided = map(counts, (APPLY_RULES, FIND_DUPLICATES, run.committed(SELECT_CORPUS)))
        return sum(int(of["rejected"]) for of in decided if of is not None)
    has_copies = own in (CORPUS, "corpus_jsonl") and run.config.select.repeat == "rows"
    if (own in _OF_COMMITS and not has_copies) or scorer != own or of_pairs != own:
        of_scorer = score_stage(scorer) if scorer != own else score_pairs_stage(of_pairs)
        stage, count = _OF_COMMITS.get(own, (of_scorer, "seen"))
        of_stage = counts(run.committed(stage))
        return None if of_stage is None else int(of_stage[count])
    if scheme_of(run.store.root) != "":
        return None
    files = sorted(Path(run.store.root, table).rglob("*.parquet"))
    return sum(int(pq.read_metadata(file).num_rows) for file in files) if files else None


def _next(command: Stage, run: Run) -> Iterator[str]:
    """Suggest commands: the next stage, or what is done with a corpus."""
    is_in_order = command in run.stages and not run.selections
    later = run.stages[run.stages.index(command) + 1 :] if is_in_order else ()
    if later:
        yield _command(later[0].module, run)
        return
    kind = SELECTION_KINDS.get(command.name, OF_DOCUMENTS)
    if scheme_of(run.store.root) == "":
        path = "/".join((run.store.root, *_folder(kind.stage, run), kind.table))
        yield f'python -c "import pandas; print(pandas.read_parquet({path!r}))"'
    chosen = run.selections.get(kind.stage)
    name = "" if chosen is None else f" --name {chosen}"
    if kind is OF_PAIRS:
        yield f"{_command('pairs.release_pairs', run, '--from')}{name} --output URI"
        return
    if run.config.select.quality_from is not None:
        threshold = f"--set select.min_quality={_other_quality(run)}"
        yield f"{_command(SELECT_CORPUS, run)}{name} {threshold}"


def _other_quality(run: Run) -> float:
    """Return another threshold than the one in use."""
    return 0.8 if run.config.select.min_quality == 0.9 else 0.9


def _command(module: str, run: Run, on: str = "--output") -> str:
    """Return the command of a stage on the same output, by its module's name below jobs."""
    is_submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    words = ["spark-submit", f"jobs/{module.replace('.', '/')}.py"] if is_submitted else []
    words = words or ["python", "-m", f"jobs.{module}"]
    if run.config_file is not None:
        words += ["--config", str(run.config_file)]
    return shlex.join([*words, on, redact(run.store.root)])
