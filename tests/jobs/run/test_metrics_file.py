"""The metrics file: the commits of an output in Prometheus' text format."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from jobs.run.commits import Balance, Basis, commit_of
from jobs.run.metrics_file import MetricsFile, prometheus_text
from jobs.run.store import WHOLE, Store


def samples(text: str) -> dict[tuple[str, ...], float]:
    return {
        (
            sample.name,
            *(value for key, value in sorted(sample.labels.items()) if key != "output"),
        ): (sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_metrics_file_adds_up_the_waves_of_an_output(tmp_path: Path) -> None:
    store = Store.at(str(tmp_path / "out"))
    metrics = tmp_path / "metrics" / "taojin.prom"
    told = Store(store.root, after_commit=MetricsFile(str(metrics), store))
    for wave, rejected in enumerate(({"length": 3}, {"length": 1, "character": 2})):
        balance = Balance(10, 10 - sum(rejected.values()), rejected)
        told.commit(commit_of("apply_rules", wave, Basis(), 1.5, balance))
    told.commit(commit_of("select_corpus", WHOLE, Basis(), 2.0, Balance(14, 14)))
    found = samples(metrics.read_text(encoding="utf-8"))
    assert found.pop(("taojin_last_wave_timestamp_seconds",)) > 1_700_000_000
    assert found == {
        ("taojin_records", "kept", "", "apply_rules"): 14,
        ("taojin_records", "rejected", "character", "apply_rules"): 2,
        ("taojin_records", "rejected", "length", "apply_rules"): 4,
        ("taojin_records", "kept", "", "select_corpus"): 14,
        ("taojin_stage_seconds", "apply_rules"): 3.0,
        ("taojin_stage_seconds", "select_corpus"): 2.0,
        ("taojin_waves_done", "apply_rules"): 2,
        ("taojin_waves_done", "select_corpus"): 1,
    }
    assert [path.name for path in metrics.parent.iterdir()] == ["taojin.prom"]


def test_an_odd_address_stays_one_label() -> None:
    odd = 's3://bucket/"quoted"\\path'
    (sample,) = (
        sample
        for family in text_string_to_metric_families(prometheus_text(odd, {}, 1.0))
        for sample in family.samples
    )
    assert sample.labels == {"output": odd}
