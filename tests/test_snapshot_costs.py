"""The costs of a snapshot: the arithmetic, and the machines as Amazon describes them."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.bench import snapshot_costs
from tests.bench.snapshot_costs import GPU_MACHINES, MACHINES, Machine, costs, with_settings

CONSTANTS = json.loads(snapshot_costs.CONSTANTS.read_text(encoding="utf-8"))


def test_work_grows_with_bytes_and_documents() -> None:
    once = costs(CONSTANTS)
    captures = CONSTANTS["snapshot"]["captures"]
    longer = costs(with_settings(CONSTANTS, ["snapshot.bytes=160e12"]))
    more = costs(with_settings(CONSTANTS, [f"snapshot.captures={2 * captures}"]))
    assert longer.core_hours["extract_documents"] == 2 * once.core_hours["extract_documents"]
    assert longer.later_hours == once.later_hours
    assert more.core_hours["extract_documents"] == once.core_hours["extract_documents"]
    assert (more.documents, more.shuffle) == (2 * once.documents, 2 * once.shuffle)


def test_a_round_number_is_what_it_is_said_to_be() -> None:
    settings = [
        *("snapshot.captures=3600e6", "snapshot.bytes=3600e9"),
        *("extraction.bytes_per_page=1000", "extraction.us_per_page=1000"),
    ]
    found = costs(with_settings(CONSTANTS, settings))
    assert found.core_hours["extract_documents"] == pytest.approx(1_000)


def test_an_unknown_constant_is_named() -> None:
    with pytest.raises(SystemExit, match=r"snapshot\.nothing=1"):
        with_settings(CONSTANTS, ["snapshot.nothing=1"])


def test_the_report_says_whether_a_gpu_was_measured() -> None:
    assert "no GPU was measured" in snapshot_costs.report(
        with_settings(CONSTANTS, ["quality_bert.tokens_per_gpu_s=null"])
    )
    measured = with_settings(CONSTANTS, ["quality_bert.tokens_per_gpu_s=50000"])
    assert "50,000 tokens/s of a GPU (as measured)" in snapshot_costs.report(measured)


@pytest.mark.parametrize(
    "machine", [m for m in (*MACHINES, *GPU_MACHINES) if "." in m.name], ids=lambda m: m.name
)
def test_amazon_describes_the_machine_so(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client = boto3.client("ec2", region_name="us-east-1")
        (kind,) = client.describe_instance_types(InstanceTypes=[machine.name])["InstanceTypes"]
    facts: dict[str, Any] = {
        "cpus": kind["VCpuInfo"]["DefaultVCpus"],
        "memory_gib": kind["MemoryInfo"]["SizeInMiB"] // 1024,
        "disk_gb": kind.get("InstanceStorageInfo", {}).get("TotalSizeInGB", 0),
        "gpu": "".join(gpu["Name"] for gpu in kind.get("GpuInfo", {}).get("Gpus", [])),
    }
    assert {name: getattr(machine, name) for name in facts} == facts
    assert kind["NetworkInfo"]["NetworkPerformance"] == f"Up to {machine.network_gbit:g} Gigabit"
