"""conf/prices.toml, and files of prices that are refused."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from jobs.config import ConfigError
from jobs.estimate.prices import bundled_prices, read_prices
from tests.jobs.conftest import ROOT

TEXT = (ROOT / "conf" / "prices.toml").read_text(encoding="utf-8")


def broken(tmp_path: Path, before: str, after: str) -> Path:
    assert before in TEXT
    path = tmp_path / "prices.toml"
    path.write_text(TEXT.replace(before, after, 1), encoding="utf-8")
    return path


def test_every_price_says_where_it_is_from() -> None:
    prices = bundled_prices()
    assert prices.currency == "USD"
    for machine in (*prices.machines, *prices.gpu_machines):
        assert 0 < machine.spot_hour < machine.on_demand_hour
        assert machine.vcpus and machine.memory_gib and machine.network_gbit
    for one in (*prices.machines, *prices.gpu_machines, *prices.storage):
        assert one.region and datetime.date(2024, 1, 1) < one.date
        assert "." in one.source
    for store in prices.storage:
        assert 0 < store.reads_1000 < store.writes_1000 < store.gb_month
    clouds = {one.cloud for one in prices.storage}
    assert {machine.cloud for machine in prices.machines} == clouds


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("spot_hour = 0.2534\n", "", r"\[\[machines\]\] c7i\.4xlarge: lacks spot_hour"),
        ("vcpus = 16", "vcpu = 16", "lacks vcpus"),
        ("vcpus = 16", "vcpus = 16\ncores = 8", "unknown cores; known: cloud, date"),
        ("vcpus = 16", "vcpus = 16.5", r"vcpus = 16\.5: expected a whole number"),
        ("vcpus = 16", "vcpus = true", "expected a whole number"),
        ("= 0.714", "= -1.0", r"on_demand_hour = -1\.0: expected 0 or more"),
        ("= 0.714", "= nan", "expected 0 or more"),
        ("= 0.714", '= "0.7"', "expected a number"),
        ("date = 2026-11-30", 'date = "yesterday"', "expected a date"),
        ('source = "', 'source = ""\n#', "expected a text"),
        ('"m7i.4xlarge"', '"c7i.4xlarge"', "two tables of one name in one region"),
        ("[[storage]]", "[storage]", "prices.toml"),
        ('gpu = "A10G"', "", r"\[\[gpu_machines\]\] g5\.xlarge: lacks gpu"),
        ("gpus = 1", "gpus = 1\ndocuments_hour = 7", "documents_hour: expected a table"),
        ("gpus = 1", "gpus = 1\ndocuments_hour = { bert = 7 }", "unknown bert; known: quality, "),
        ("gpus = 1", "gpus = 1\ndocuments_hour = { quality_bert = 0 }", "expected more than 0"),
        ("gpus = 1", 'gpus = 1\ndocuments_hour = { quality_bert = "7" }', "expected a number"),
        ("gb_month = 0.023", "gb_month = 0.023\nfree = true", "unknown free"),
        ("reads_1000 = 0.0004\n", "", r"\[\[storage\]\] S3 Standard: lacks reads_1000"),
        ('currency = "USD"', "", "lacks currency"),
        ('currency = "USD"', "currency = 1", "expected a word, as USD"),
        ('currency = "USD"', 'currency = "USD"\nregion = "x"', "unknown region"),
        ('currency = "USD"', "currency =", "is not valid TOML"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, before: str, after: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_prices(broken(tmp_path, before, after))


def test_a_file_without_machines_or_none_at_all_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    with pytest.raises(ConfigError, match="cannot be read"):
        read_prices(path)
    path.write_text('currency = "EUR"\nmachines = []\nstorage = []\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="expected at least one table"):
        read_prices(path)


def test_a_file_may_lack_machines_with_gpus(tmp_path: Path) -> None:
    start, end = TEXT.index("# Machines with GPUs"), TEXT.index("[[storage]]")
    path = tmp_path / "prices.toml"
    path.write_text(TEXT[:start] + TEXT[end:], encoding="utf-8")
    assert read_prices(path).gpu_machines == ()
