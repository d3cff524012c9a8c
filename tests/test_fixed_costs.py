"""The profile of a run, cut from logs of which every number is known."""

from __future__ import annotations

import json
from typing import Any

from tests.bench.fixed_costs import Part, parts_of, profile_table, with_queries

SQL = "org.apache.spark.sql.execution.ui.SparkListenerSQLExecution"


def done(stage: str, second: int, seconds: float) -> str:
    facts = {"event": "wave_done", "stage": stage, "seconds": seconds}
    return json.dumps({"time": f"1970-01-01T00:00:{second:02d}.000Z", **facts})


LINES = [
    "WARN: no JSON",
    done("extract_documents", 9, 3.0),
    done("measure_documents", 10, 1.0),
    done("apply_rules", 12, 2.5),
    done("score_quality", 15, 2.0),
    done("score_domain", 16, 3.0),
    json.dumps({"event": "progress", "time": "1970-01-01T00:00:15.000Z"}),
]


def query(number: int, first: int, last: int) -> list[dict[str, Any]]:
    return [
        {"Event": f"{SQL}Start", "executionId": number, "time": first},
        {"Event": f"{SQL}End", "executionId": number, "time": last},
    ]


EVENTS = [
    {"Event": "SparkListenerApplicationStart", "Timestamp": 4000},
    *query(0, 5000, 5500),
    *query(1, 6100, 8000),
    {"Event": "SparkListenerJobStart", "Submission Time": 6200},
    {"Event": "SparkListenerTaskEnd", "Task Info": {"Launch Time": 6300}},
    {"Event": "SparkListenerTaskEnd", "Task Info": {"Launch Time": 6300}},
    *query(2, 8100, 8600),
    *query(3, 8200, 8400),  # beside the one before
]


def test_a_run_is_cut_where_its_stages_end() -> None:
    parts = parts_of(1000, 20000, LINES, EVENTS)
    assert [(part.name, part.seconds) for part in parts] == [
        ("Python, the request, start of Java", 3),
        ("session, conditions of the rules", 2),
        ("extract_documents", 3),
        ("apply_rules", 3),
        ("score_documents", 4),
        ("report_run, end of Spark", 4),
    ]


def test_queries_count_where_they_begin_and_once_where_they_run_together() -> None:
    parts = with_queries(parts_of(1000, 20000, LINES, EVENTS), EVENTS)
    counts = [(len(part.queries), part.jobs, part.tasks) for part in parts]
    assert counts == [(0, 0, 0), (1, 0, 0), (3, 1, 2), (0, 0, 0), (0, 0, 0), (0, 0, 0)]
    assert parts[2].query_seconds == 2.4


def test_the_last_row_adds_up_the_others() -> None:
    parts = [Part("a", 0, 1500, [(0, 500)], 1, 2), Part("b", 1500, 2000, [], 3, 4)]
    assert profile_table(parts).splitlines()[-1] == "| all | 2.0 | 1 | 4 | 6 | 0.5 | 1.5 |"
