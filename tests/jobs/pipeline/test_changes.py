"""What counts as undoing finished work: stages that are made again for another cause than input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from jobs.catalogue.lock import load_lock
from jobs.config import load_config
from jobs.pipeline.changes import NotAgreed, changes, check_consent, needs_consent
from jobs.pipeline.work_plan import WorkPlan, work_plan
from jobs.run.commits import Basis, commit_of, fingerprint_of
from jobs.run.request import EXTRACT_DOCUMENTS, FIND_DUPLICATES, SCORE_DOCUMENTS, Bases, Run, Stage
from jobs.run.splits import Split
from jobs.run.store import WHOLE, Store

SCORES = "score_quality"
AGAIN = "do finished work of {} again"


@dataclass
class Pipeline:
    """Three stages: waves are extracted, duplicates found over all, waves scored."""

    store: Store
    waves: int = 2
    languages: str = "zh"
    levels: str = "url"
    model: str = "first"
    deletes: Mapping[str, str] = field(default_factory=dict)

    def extracted(self, run: Run) -> Bases:
        basis = {"extract.languages": self.languages}
        return {
            EXTRACT_DOCUMENTS: {
                wave: Basis(basis, {"input": str(wave)}) for wave in range(self.waves)
            }
        }

    def unique(self, run: Run) -> Bases:
        done = run.store.commits(EXTRACT_DOCUMENTS)
        sources = {EXTRACT_DOCUMENTS: fingerprint_of({w: done[w].fingerprint for w in done})}
        return {FIND_DUPLICATES: {WHOLE: Basis({"dedup.levels": self.levels}, sources)}}

    def scored(self, run: Run) -> Bases:
        of = {name: run.store.commits(name) for name in (EXTRACT_DOCUMENTS, FIND_DUPLICATES)}
        return {
            SCORES: {
                wave: Basis(
                    {},
                    {
                        "quality.artifact": self.model,
                        EXTRACT_DOCUMENTS: of[EXTRACT_DOCUMENTS][wave].fingerprint,
                        FIND_DUPLICATES: of[FIND_DUPLICATES][WHOLE].fingerprint,
                    },
                )
                for wave in range(self.waves)
            }
        }

    def stages(self) -> tuple[Stage, ...]:
        def nothing(*_: Any) -> None:
            raise AssertionError

        first = Stage(EXTRACT_DOCUMENTS, "", "", (), nothing, bases=self.extracted)
        second = Stage(
            *(FIND_DUPLICATES, "", "", (), nothing),
            bases=self.unique,
            deletes=lambda _: self.deletes,
        )
        third = Stage(SCORE_DOCUMENTS, "", "", (), nothing, bases=self.scored)
        return first, second, third

    def run(self) -> Run:
        config = load_config(None)
        waves = {
            wave: (Split(f"/in/{wave}.warc.gz", f"{wave}.warc.gz", "warc", 1),)
            for wave in range(self.waves)
        }
        added = {wave: splits for wave, splits in waves.items() if wave >= 2}
        return Run(config, None, self.store, waves, load_lock(config, None), added=added)

    def found(self, *names: str) -> WorkPlan:
        stages = [stage for stage in self.stages() if not names or stage.name in names]
        return work_plan(stages, self.run())

    def finish(self) -> None:
        """Commit everything that is due."""
        for stage in self.stages():
            assert stage.bases is not None
            for name, waves in stage.bases(self.run()).items():
                for wave, basis in waves.items():
                    self.store.commit(commit_of(name, wave, basis))

    def asked(self, command: str) -> list[str]:
        """What a command asks for: one stage with those before it, or all of them."""
        stages = self.stages()
        if command == "all":
            return needs_consent(
                Stage("all", "", "", (), needs=stages), work_plan(stages, self.run())
            )
        at = [stage.name for stage in stages].index(command)
        return needs_consent(stages[at], work_plan(stages[: at + 1], self.run()))


@pytest.fixture
def finished(tmp_path: Path) -> Pipeline:
    pipeline = Pipeline(Store.at(str(tmp_path)))
    pipeline.finish()
    return pipeline


def test_new_input_asks_for_nothing(finished: Pipeline) -> None:
    more = replace(finished, waves=3)
    found = more.found()
    assert [sorted(step.again) for step in found.steps] == [[], [WHOLE], [0, 1]]
    assert not any(step.is_remade for step in found.steps)
    assert all(more.asked(command) == [] for command in ("all", SCORE_DOCUMENTS))
    assert list(changes(found, more.run())) == [
        "adding 1 file to 2 already here: /in/2.warc.gz",
        "to do: extract_documents (wave 3), score_quality (wave 3)",
        "again: find_duplicates: extract_documents changed",
        "again: score_quality, waves 1 to 2: only where find_duplicates removes other documents "
        "than before",
    ]


def test_a_setting_of_another_stage_is_asked_for(finished: Pipeline) -> None:
    other = replace(finished, languages="ja")
    assert other.asked(EXTRACT_DOCUMENTS) == []
    assert other.asked(FIND_DUPLICATES) == [AGAIN.format("extract_documents")]
    both = "extract_documents, find_duplicates"
    assert other.asked(SCORE_DOCUMENTS) == [AGAIN.format(both)]
    assert other.asked("all") == [AGAIN.format("extract_documents, score_quality")]
    assert 'again: extract_documents, waves 1 to 2: extract.languages is "ja", was "zh"' in changes(
        other.found(), other.run()
    )


def test_a_pipeline_asks_for_finished_waves_and_not_for_what_is_done_as_a_whole(
    finished: Pipeline,
) -> None:
    assert replace(finished, levels="exact").asked("all") == [AGAIN.format("score_quality")]
    assert replace(finished, levels="exact").asked(FIND_DUPLICATES) == []
    assert replace(finished, model="second").asked("all") == [AGAIN.format("score_quality")]
    assert replace(finished, model="second").asked(SCORE_DOCUMENTS) == []


def test_what_an_earlier_command_changed_is_not_asked_for_again(finished: Pipeline) -> None:
    other = replace(finished, languages="ja")
    for wave, basis in other.extracted(other.run())[EXTRACT_DOCUMENTS].items():
        other.store.commit(commit_of(EXTRACT_DOCUMENTS, wave, basis))
    found = other.found()
    assert [bool(step.wanted) for step in found.steps] == [False, True, True]
    assert other.asked(SCORE_DOCUMENTS) == other.asked("all") == []
    assert "kept as it is: extract_documents" in changes(found, other.run())


def test_a_table_that_goes_is_asked_for_where_its_stage_works(finished: Pipeline) -> None:
    idle = replace(finished, deletes={"cuts": "no level"})
    assert idle.asked("all") == []
    works = replace(idle, levels="exact")
    assert works.asked(FIND_DUPLICATES) == ["delete cuts"]
    assert "deleted: cuts: no level" in changes(works.found(), works.run())


def test_consent_is_given_by_an_argument_or_a_setting(finished: Pipeline) -> None:
    other = replace(finished, languages="ja")
    command, found = other.stages()[2], other.found()
    settings = load_config(None).run
    with pytest.raises(NotAgreed, match="again; give --yes"):
        check_consent(command, found, settings, is_agreed=False)
    check_consent(command, found, settings, is_agreed=True)
    check_consent(command, found, replace(settings, redo="always"), is_agreed=False)
    check_consent(command, finished.found(), settings, is_agreed=False)


def test_of_nothing_to_do_nothing_is_described(finished: Pipeline) -> None:
    assert finished.found().is_up_to_date
    assert list(changes(finished.found(), finished.run())) == []
