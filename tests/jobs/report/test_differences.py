"""Why two outputs differ, and which cause explains which move."""

from __future__ import annotations

from typing import Any

from jobs.report.comparison import comparison_text, comparison_view
from jobs.report.differences import Cause, Move, causes_of, explain, moves_of
from jobs.report.page import render
from jobs.run.store import Commit
from jobs.transforms.outcomes import ABSENT, KEPT
from tests.jobs.report.made_facts import FACTS, HOSTILE
from tests.jobs.report.test_page import ELEMENTS, Parsed

ORDER = ["extract_documents", "apply_rules", "find_duplicates", "select_corpus"]
LOW = "select_corpus/low_quality"


def commit(
    stage: str, settings: dict[str, Any], sources: dict[str, str | None]
) -> dict[int, Commit]:
    return {0: Commit(stage, 0, "", 1.0, 1, settings=settings, sources=sources)}


def commits(quality: float, model: str, shown: str = "a") -> dict[str, dict[int, Commit]]:
    return {
        "extract_documents": commit("extract_documents", {}, {"input": shown}),
        "measure_documents": commit("measure_documents", {"rules.repair": quality < 1}, {}),
        "apply_rules": commit("apply_rules", {"rules.min_chars": 200}, {"lexicon": model}),
        "select_corpus": commit(
            "select_corpus", {"select.min_quality": quality}, {"apply_rules": str(quality)}
        ),
    }


def test_causes_are_settings_artifacts_inputs_and_programs_with_their_stage() -> None:
    after = {
        **FACTS,
        "config": {**FACTS["config"], "spark": {"properties": "x"}},
        "versions": {"python": "3.12.1", "taojin": "0.1.0"},
    }
    found = causes_of(FACTS, after, commits(0.5, "a" * 64), commits(1.0, "b" * 64, "other"))
    assert found == [
        Cause("input", "input", "extract_documents", "a", "other"),
        Cause("setting", "rules.repair", "apply_rules", True, False),
        Cause("artifact", "lexicon", "apply_rules", "a" * 12, "b" * 12),
        Cause("setting", "select.min_quality", "select_corpus", 0.5, 1.0),
        Cause("setting", "spark.properties", "", None, "x"),
        Cause("program", "python", "", "3.11.7", "3.12.1"),
    ]
    assert causes_of(FACTS, FACTS, commits(0.5, "a"), commits(0.5, "a")) == []
    assert str(found[3]) == "select.min_quality is 1.0, was 0.5 (select_corpus)"


def test_a_move_is_explained_by_the_first_stage_that_decided_otherwise() -> None:
    rule = Cause("setting", "rules.min_chars", "apply_rules", 200, 300)
    limit = Cause("setting", "select.min_quality", "select_corpus", 0.5, 0.9)
    source = Cause("input", "input", "extract_documents", "a", "b")
    causes = [source, rule, limit]
    assert explain(KEPT, LOW, causes, ORDER) == (limit,)
    assert explain(LOW, "apply_rules/length", causes, ORDER) == (rule,)
    assert explain("find_duplicates/near", KEPT, causes, ORDER) == (source, rule)
    assert explain(ABSENT, KEPT, causes, ORDER) == (source,)
    assert explain(KEPT, LOW, [], ORDER) == ()
    assert explain("gone_stage/x", KEPT, causes, ORDER) == ()


def row(before: str, after: str, documents: int, doc_id: str, place: int) -> dict[str, Any]:
    return {
        "before": before,
        "after": after,
        "documents": documents,
        "doc_id": doc_id,
        "place": place,
        "url": f"http://{doc_id}/",
    }


def test_parts_of_a_move_are_added_up_and_its_samples_are_the_first_hashes() -> None:
    rows = [
        row(KEPT, KEPT, 90, "z", 1),
        row(KEPT, LOW, 3, "b", 9),
        row(KEPT, LOW, 4, "a", -5),
        row(KEPT, LOW, 1, "c", 10),
        row(ABSENT, KEPT, 2, "n", 0),
    ]
    found = moves_of(rows, [], ORDER, 2)
    assert [(move.before, move.after, move.documents) for move in found] == [
        (KEPT, KEPT, 90),
        (KEPT, LOW, 8),
        (ABSENT, KEPT, 2),
    ]
    assert [sample["doc_id"] for sample in found[1].samples] == ["a", "b"]


def test_the_page_and_the_summary_of_a_comparison() -> None:
    cause = Cause("setting", f"select.{HOSTILE}", "select_corpus", HOSTILE, 0.9)
    moves = [
        Move(KEPT, KEPT, 40, []),
        Move(KEPT, LOW, 8, [{"doc_id": "a", "url": f"http://{HOSTILE}/"}], (cause,)),
        Move("apply_rules/sensitive", KEPT, 2, [{"doc_id": "b", "url": None}]),
    ]
    texts = {
        "a": {"text": HOSTILE, "before": {"quality": 0.7}, "after": {"quality": 0.75}},
        "b": {"text": "x", "before": {"quality": 0.7}, "after": {"quality": 0.7}},
    }
    view = comparison_view(f"/o/{HOSTILE}", FACTS, FACTS, moves, [cause], texts)
    page = render("report.html.jinja", view)
    parsed = Parsed(page)
    assert {name for name, _ in parsed.elements} <= ELEMENTS
    shown = "".join(parsed.texts)
    assert "10 of 50 documents ended elsewhere (20 %)" in shown
    assert "quality 0.7 → 0.75" in shown
    assert "Most went from kept to select_corpus/low_quality: 8" in shown
    assert [of.get("class") for of in parsed.of("details")].count("hidden") == 1
    lines = comparison_text("/other", moves, [cause]).splitlines()
    assert lines[1] == "10 of 50 documents ended elsewhere (20 %), compared with /other"
    assert lines[2].split() == ["8", "kept", "->", LOW]
    assert lines[-1].startswith("differs: select.")
