"""The Airflow example, loaded by Airflow itself, and its tasks run against a server like EMR's.

make test SUITE=airflow runs them in another environment: Airflow pins what this project does not.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).resolve().parents[2]
DAG_ID = "taojin_monthly"


@pytest.fixture(scope="module")
def emr() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of DAGs as the example's docstring says to make it."""
    folder = tmp_path_factory.mktemp("dags")
    shutil.copy(ROOT / "conf" / "airflow" / f"{DAG_ID}.py", folder)
    (folder / "taojin_requests").mkdir()
    values = [
        "code=s3://bucket/taojin",
        "logs=s3://bucket/logs/",
        "output=s3://bucket/corpus/{{ ds }}",
        "service_role=arn:aws:iam::123456789012:role/emr",
    ]
    for step in ("ec2-extract", "ec2-score"):
        printed = subprocess.run(
            [
                os.environ["TAOJIN_PYTHON"],
                *("-m", "jobs.submit_run", f"conf/emr/{step}.json", "--dry-run"),
                *("--values", "conf/emr/values.toml", "--set", *values),
            ],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
        (folder / "taojin_requests" / f"{step}.json").write_bytes(printed.stdout)
    return folder


@pytest.fixture(scope="module")
def airflow(folder: Path, emr: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an Airflow with its own database."""
    home = tmp_path_factory.mktemp("airflow")
    settings = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(
            {
                "conn_type": "aws",
                "login": "any",
                "password": "any",
                "extra": {"region_name": "us-east-1", "endpoint_url": emr},
            }
        ),
    }
    command(settings, "db", "migrate")
    return settings


def command(settings: dict[str, str], *arguments: str) -> str:
    result = subprocess.run(
        [sys.executable, "-m", "airflow", *arguments],
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return result.stdout


def test_airflow_loads_it_without_a_complaint(airflow: dict[str, str]) -> None:
    errors = command(airflow, "dags", "list-import-errors", "--local")
    assert "No data found" in errors
    found = command(airflow, "tasks", "list", DAG_ID)
    assert {"ec2-extract", "ec2-score"} <= set(found.split())


def test_a_task_starts_the_cluster_that_was_asked_for(
    airflow: dict[str, str], emr: str, folder: Path
) -> None:
    # moto's clusters never end by themselves, so the task is not waited for.
    source = folder / f"{DAG_ID}.py"
    waiting = source.read_text(encoding="utf-8")
    source.write_text(
        waiting.replace("wait_for_completion=True", "wait_for_completion=False").replace(
            "deferrable=True", "deferrable=False"
        ),
        encoding="utf-8",
    )
    command(airflow, "tasks", "test", DAG_ID, "ec2-extract", "2024-06-01")
    client = boto3.client(
        "emr",
        endpoint_url=emr,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    (cluster,) = client.list_clusters()["Clusters"]
    asked = json.loads((folder / "taojin_requests" / "ec2-extract.json").read_text("utf-8"))
    assert cluster["Name"] == asked["Name"]
    # moto lists the last step first, as EMR does.
    steps = client.list_steps(ClusterId=cluster["Id"])["Steps"][::-1]
    found = [step["Config"]["Args"] for step in steps]
    expected = [step["HadoopJarStep"]["Args"] for step in asked["Steps"]]
    assert found == [[a.replace("{{ ds }}", "2024-06-01") for a in step] for step in expected]
    assert all("s3://bucket/corpus/2024-06-01" in step for step in found)
