"""Machines with GPUs in the bill: hours at a stated rate, and no figure without one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jobs.config import load_config
from jobs.estimate.bill_text import gpu_lines
from jobs.estimate.gpu_costs import gpu_costs, gpu_json, gpu_scorers
from jobs.estimate.intervals import Interval
from jobs.estimate.prices import bundled_prices, read_prices
from tests.jobs.conftest import ROOT

DOCUMENTS = {"quality_bert": Interval(9e6, 8e6, 12e6)}


def test_what_no_price_file_states_is_not_measured() -> None:
    costs = gpu_costs(bundled_prices().gpu_machines, DOCUMENTS)
    assert [(one.hours, one.on_demand, one.spot) for one in costs] == [(None, None, None)]
    assert gpu_json(costs)[0]["hours"] is None
    title, line = gpu_lines(costs)
    assert title.startswith("quality_bert alone, on GPUs")
    assert re.fullmatch(
        r"g5\.xlarge us-east-1 +not measured  no documents_hour .* \(1 A10G\)", line
    )


@pytest.mark.slow
def test_hours_follow_from_a_stated_rate(tmp_path: Path) -> None:
    text = (ROOT / "conf" / "prices.toml").read_text(encoding="utf-8")
    path = tmp_path / "prices.toml"
    stated = "gpus = 1\ndocuments_hour = { quality_bert = 2000000 }\n"
    path.write_text(text.replace("gpus = 1\n", stated), encoding="utf-8")
    (one,) = gpu_costs(read_prices(path).gpu_machines, DOCUMENTS)
    assert one.hours == Interval(4.5, 4, 6)
    assert one.on_demand is not None and one.on_demand.estimate == pytest.approx(4.5 * 1.006)
    assert gpu_json([one])[0]["hours"] == {"estimate": 4.5, "low": 4, "high": 6}
    _, line = gpu_lines([one])
    assert re.sub(" +", " ", line) == (
        "g5.xlarge us-east-1 4.5 (4 to 6) 4.53 (4.02 to 6.04) 1.82 (1.61 to 2.42)"
    )


def test_scorers_that_use_gpus_are_asked_for() -> None:
    assert gpu_scorers(load_config(None, [])) == []
    with_bert = ['score.scorers=["quality", "domain", "toxicity", "quality_bert"]']
    assert gpu_scorers(load_config(None, with_bert)) == ["quality_bert"]
    assert gpu_scorers(load_config(None, [*with_bert, "quality_bert.device=cpu"])) == []
    assert list(gpu_lines([])) == []
