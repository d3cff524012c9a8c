"""An Airflow DAG: a snapshot is extracted on CPU machines, then scored on its own, on EMR.

Beside this file, in a folder named taojin_requests, lie the requests as the project prints them:

    make -s submit CLOUD=emr LAUNCH=ec2-extract VALUES=my.toml DRY_RUN=1 > ec2-extract.json
    make -s submit CLOUD=emr LAUNCH=ec2-score   VALUES=my.toml DRY_RUN=1 > ec2-score.json

Airflow needs apache-airflow-providers-amazon, and nothing of this project. Values may hold
Airflow's templates: output = "s3://bucket/corpus/{{ ds }}" gives every run a separate output.

A task that fails is tried again, and goes on where it ended: what is committed is not done again. A
second run on the same output would be refused while the first one lives, so there is one at a time.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

from airflow.providers.amazon.aws.operators.emr import EmrCreateJobFlowOperator
from airflow.sdk import DAG

REQUESTS = Path(__file__).parent / "taojin_requests"
STEPS = ("ec2-extract", "ec2-score")

with DAG(
    "taojin_monthly",
    schedule="0 2 1 * *",
    start_date=datetime(2024, 6, 1),
    catchup=False,
    max_active_runs=1,
    default_args={
        "retries": 3,
        "retry_delay": timedelta(minutes=10),  # longer than run.lease_s, which a dead run leaves
        "retry_exponential_backoff": True,
    },
    tags=["taojin"],
) as dag:
    before = None
    for step in STEPS:
        task = EmrCreateJobFlowOperator(
            task_id=step,
            job_flow_overrides=json.loads((REQUESTS / f"{step}.json").read_text(encoding="utf-8")),
            emr_conn_id=None,  # the request is complete: no defaults of a connection under it
            wait_for_completion=True,
            deferrable=True,  # a day of waiting holds no worker
            waiter_delay=60,
            waiter_max_attempts=3 * 24 * 60,
        )
        if before is not None:
            before >> task
        before = task
