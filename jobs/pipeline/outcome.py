"""Whether anything came out of a command: what was read, and what its last stage kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from jobs.config.exit_status import NothingCameOut
from jobs.run.request import EXTRACT_DOCUMENTS, SELECT_CORPUS, Run, Stage
from jobs.run.store import Commit

_SHOWN_REASONS = 3


def check_outcome(
    command: Stage, stages: Sequence[Stage], run: Run, earlier: Mapping[int, Commit] | None = None
) -> None:
    """Check that something came out, unless run.allow_empty says that nothing may.

    Args:
        stages: The stages that have run.
        earlier: The commits of extract_documents before; None if the stages had nothing to do.
    Raises:
        NothingCameOut: all that was read now failed; or a command's own stage kept nothing; or, of
            a command without one, the corpus is empty.
    """
    if run.config.run.allow_empty:
        return
    read = run.store.commits(EXTRACT_DOCUMENTS)
    before = read if earlier is None else earlier
    new = [commit for wave, commit in read.items() if before.get(wave) != commit]
    if new and not any(commit.kept + sum(commit.rejected.values()) for commit in new):
        seen = sum(commit.rows for commit in new)
        what = f"all {seen:,} records that were read failed" if seen else "the input has no record"
        raise NothingCameOut(f"{what}{_reasons(new)}; check the input and its format")
    kept = {
        stage.name: sum(commit.kept for commit in _commits(run, stage))
        for stage in stages
        if stage.ledger_names(run.config, run.selections)
    }
    last = command.name if command.name in kept else SELECT_CORPUS
    if kept.get(last, 1):
        return
    first = next(stage for stage in stages if kept.get(stage.name) == 0)
    commits = _commits(run, first)
    seen = sum(commit.rows for commit in commits)
    result = "the corpus is empty: " if last == SELECT_CORPUS else ""
    raise NothingCameOut(
        f"{result}{first.name} kept none of {seen:,} records{_reasons(commits)}; check the input "
        "and the settings, or set run.allow_empty=true"
    )


def _commits(run: Run, stage: Stage) -> list[Commit]:
    names = stage.ledger_names(run.config, run.selections)
    return [commit for name in names for commit in run.store.commits(name).values()]


def _reasons(commits: Iterable[Commit]) -> str:
    """Name the most frequent reasons, as the end of a clause."""
    counts: Counter[str] = Counter()
    for commit in commits:
        counts.update(commit.failed)
        counts.update(commit.rejected)
    shown = [f"{reason} {n:,}" for reason, n in counts.most_common(_SHOWN_REASONS) if n]
    return f" ({', '.join(shown)})" if shown else ""
