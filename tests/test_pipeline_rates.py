"""The arithmetic of the pipeline bench, and its comparison of kept documents."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.bench.pipeline_inputs import ALL_CHINESE, CRAWL_MIX, Input
from tests.bench.pipeline_kept import (
    NOT_EXTRACTED,
    Kept,
    compare_kept,
    dropped_of_stats,
    plain_dropped,
    reasons_of,
)
from tests.bench.pipeline_programs import DATATROVE, JUICER, TAOJIN, Program, juicer_config
from tests.bench.pipeline_rates import (
    Bench,
    Figures,
    Run,
    cost_of,
    planned,
    ratios_to_keep,
    run_of,
    shown,
    verdicts,
)
from tests.bench.process_tree import Usage


def made_run(program: str, responses: int, cpu: float, kind: str = CRAWL_MIX) -> Run:
    return Run(program, kind, responses, Usage(0, cpu / 2, cpu, 100.0), 5)


def input_of(kind: str, responses: int) -> Input:
    return Input(kind, responses, 2, Path(f"{kind}-{responses}"))


def program_of(name: str, *, reads_texts: bool = False) -> Program:
    return Program(name, name, lambda source, output: [], lambda output: set(),
                   reads_texts=reads_texts)  # fmt: skip


def test_fixed_and_marginal_cost_are_those_of_the_line_through_both_sizes() -> None:
    cost = cost_of((1_000, 20.0), (8_000, 90.0))
    assert cost.marginal == pytest.approx(0.01)
    assert cost.fixed == pytest.approx(10.0)


def test_figures_are_medians_with_their_spread() -> None:
    figures = Figures([made_run(TAOJIN, 100, cpu) for cpu in (4.0, 9.0, 5.0)])
    assert figures.cpu == 5.0
    assert figures.rate == 20.0
    assert figures.spread(lambda run: run.usage.cpu) == "5.0 (4.0 to 9.0)"
    assert Figures(figures.runs[:1]).spread(lambda run: run.usage.cpu) == "4.0"


def names_of(plan: list[tuple[Program, Input]]) -> list[tuple[str, int]]:
    return [(program.name, source.responses) for program, source in plan]


def test_rounds_are_interleaved_and_peers_run_fewer_over_the_larger_input(tmp_path: Path) -> None:
    chosen = [program_of(TAOJIN), program_of(DATATROVE)]
    inputs = [input_of(CRAWL_MIX, 1), input_of(CRAWL_MIX, 8)]
    first = [(TAOJIN, 1), (DATATROVE, 1), (TAOJIN, 8), (DATATROVE, 8)]
    plan = planned(Bench(tmp_path), chosen, inputs, 2, 1)
    assert names_of(plan) == [*first, (TAOJIN, 1), (DATATROVE, 1), (TAOJIN, 8)]


def test_an_interrupted_bench_goes_on_with_the_runs_that_are_missing(tmp_path: Path) -> None:
    saved = made_run(TAOJIN, 1, 4.0)
    (tmp_path / "runs.jsonl").write_text(json.dumps(asdict(saved)) + "\n", encoding="utf-8")
    assert run_of(json.dumps(asdict(saved))) == saved
    bench = Bench(tmp_path, resumes=True)
    assert bench.runs == [saved]
    chosen = [program_of(TAOJIN), program_of(DATATROVE)]
    assert names_of(planned(bench, chosen, [input_of(CRAWL_MIX, 1)], 1, 1)) == [(DATATROVE, 1)]
    assert Bench(tmp_path).runs == []


def test_ratios_say_whether_they_are_reached(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.runs = [made_run(TAOJIN, 100, 10.0), made_run(DATATROVE, 100, 260.0)]
    bench.runs += [made_run(JUICER, 100, 1.0), made_run(TAOJIN, 50, 10.0, ALL_CHINESE)]
    bench.runs += [made_run(DATATROVE, 50, 70.0, ALL_CHINESE)]
    chosen = [program_of(TAOJIN), program_of(DATATROVE), program_of(JUICER, reads_texts=True)]
    lines = list(verdicts(bench, chosen, [input_of(CRAWL_MIX, 100), input_of(ALL_CHINESE, 50)]))
    assert len(lines) == 4
    assert "26.000, wanted at least 25.0: reached" in lines[0]
    assert "peak memory of taojin" in lines[1]
    assert "7.000, wanted at least 8.0: NOT reached" in lines[2]
    assert ratios_to_keep(bench, chosen, [input_of(ALL_CHINESE, 50)]) == {
        "pipeline: all Chinese, 50 responses, to datatrove": 7.0
    }


def test_kept_documents_are_compared_by_url() -> None:
    assert compare_kept(["a", "b", "c"], ["b", "c", "d", "e"]) == Kept(2, 1, 2)
    assert compare_kept([], ["d"]) == Kept(0, 0, 1)


def test_a_document_that_no_stage_removed_was_never_extracted() -> None:
    reasons = {"a": "apply_rules: character", "b": "select_corpus: low_quality"}
    expected = Counter({"apply_rules: character": 1, NOT_EXTRACTED: 2})
    assert reasons_of(["a", "x", "y"], reasons) == expected


@pytest.mark.parametrize(
    ("name", "stats", "expected"),
    [
        (
            "🔻 - FILTER: 👯 Gopher Repetition",
            {"total": 195, "forwarded": 189, "dropped": 6, "doc_len": {"total": 139_524},
             "dropped_top_2_gram": 5, "dropped_top_4_gram": {"total": 1}},
            {"Gopher Repetition: top_2_gram": 5, "Gopher Repetition: top_4_gram": 1},
        ),
        ("🔻 - FILTER: 🌍 Language ID", {"total": 20, "dropped": 5}, {"Language ID": 5}),
        ("🛢 - EXTRAC: ⛏ Trafilatura", {"total": 20, "timeout": 2}, {"Trafilatura: timeout": 2}),
    ],
)  # fmt: skip
def test_what_datatrove_dropped(name: str, stats: dict[str, Any], expected: dict[str, int]) -> None:
    assert dropped_of_stats(name, stats) == Counter(expected)


def test_what_the_plain_script_dropped_is_its_last_line(tmp_path: Path) -> None:
    log = tmp_path / "plain.log"
    log.write_text('Loading model\n{"kept": 3, "language": 9}\n', encoding="utf-8")
    assert plain_dropped(log) == Counter({"language": 9})


def test_rare_reasons_are_added_up() -> None:
    counts = Counter({f"r{number:02d}": 100 - number for number in range(14)})
    assert shown(counts).endswith(f"r11 89, others {88 + 87}")
    assert shown(Counter({"one": 1})) == "one 1"


def test_data_juicer_gets_the_published_limits() -> None:
    config = juicer_config(Path("in.jsonl"), Path("kept.jsonl"), Path("words"), 2)
    process: Any = config["process"]
    names = [name for operator in process for name in operator]
    assert names[0] == "language_id_score_filter"
    assert names[-1] == "document_minhash_deduplicator"
    last = process[-1]["document_minhash_deduplicator"]
    assert last["num_bands"] * last["num_rows_per_band"] == last["num_permutations"]
