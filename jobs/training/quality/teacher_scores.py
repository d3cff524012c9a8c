"""Teacher scores: a sample of the texts that a slow scorer scored in a run, from the run's tables.

The tables are read with pyarrow, not Spark: a sample is as large as training can use.
"""

from __future__ import annotations

from dataclasses import dataclass

from jobs.config.scorers import declared
from jobs.run.request import FIND_DUPLICATES, score_stage
from jobs.run.store import Store
from jobs.tables import scores
from jobs.training.common.run_sample import digest_of_id, texts_of_wave
from jobs.training.common.task import TrainingError
from jobs.training.quality.distillation import ScoredText

SCORER = "quality_bert"
"""The teacher where no other is named."""


class TeacherScoresError(TrainingError):
    """An output has no scores of one teacher; the message names it."""


@dataclass(frozen=True)
class TeacherScores:
    """Texts with the scores of one teacher."""

    texts: list[ScoredText]
    teacher: str
    """The model as rows name it: ``quality_bert@1+6eb8aaaf2ec9``."""


def read_teacher_scores(output: str, most: int, scorer: str = SCORER) -> TeacherScores:
    """Read scored texts of a run, as they were when they were scored.

    Args:
        output: The run's output, local or in an object store; uncommitted waves are skipped.
        most: Texts at most: those whose doc_ids have the lowest digests, a sample that does not
            depend on the other texts.
        scorer: One with a score from 0 to 1 (`jobs.config.scorers.quality_scorers`).
    Returns:
        Texts ordered by doc_id.
    Raises:
        TeacherScoresError: no scores, or scores of several models.
    """
    store = Store.at(output)
    commits = store.commits(score_stage(scorer))
    column = str(declared()[scorer].score)
    found: list[tuple[bytes, int, str, float]] = []
    teachers = set()
    for row in store.rows(scores(scorer), ["doc_id", column, "artifact"], sorted(commits)):
        if row[column] is not None:
            teachers.add(row["artifact"])
            found.append((digest_of_id(row["doc_id"]), row["wave"], row["doc_id"], row[column]))
    if not found:
        raise TeacherScoresError(
            f"{output}: no scores of {scorer} found: run python -m jobs.score_documents "
            f"--scorer {scorer} on this output first"
        )
    if len(teachers) > 1:
        raise TeacherScoresError(
            f"{output}: scores of several models: {', '.join(sorted(teachers))}: score the output "
            "with one model"
        )
    chosen = sorted(found)[:most]
    texts: list[ScoredText] = []
    for wave in sorted({wave for _, wave, _, _ in chosen}):
        score_of = {doc_id: score for _, its, doc_id, score in chosen if its == wave}
        # Without the duplicate paragraphs only if they were found before the texts were scored.
        is_cut = commits[wave].sources.get(FIND_DUPLICATES) is not None
        texts += [
            ScoredText(t.doc_id, t.site, t.text, score_of[t.doc_id])
            for t in texts_of_wave(store, wave, list(score_of), is_cut)
        ]
    return TeacherScores(sorted(texts, key=lambda text: text.doc_id), teachers.pop())
