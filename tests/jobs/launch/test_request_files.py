"""Launch files: placeholders, and every bundled file against its service's own definition."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from jobs import submit_run
from jobs.config import ConfigError
from jobs.config.spark_properties import read_properties
from jobs.launch.request_files import Launch, load_values, render
from jobs.launch.services import check_request

CONF = Path(__file__).resolve().parents[3] / "conf"
BUNDLED = sorted(CONF.glob("*/*.json"))
ROLE = "arn:aws:iam::123456789012:role/taojin"
OWN = {
    "emr": {
        **dict.fromkeys(("service_role", "job_role", "scheduler_role"), ROLE),
        "code": "s3://bucket/taojin",
        "logs": "s3://bucket/logs/",
        "output": "s3://bucket/corpus",
        "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/taojin:1",
        "gpu_image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/taojin:1-gpu",
        "application": "00f1abcdefgh",
        "virtual_cluster": "cluster1",
    },
    "dataproc": {
        "project": "project",
        "code": "gs://bucket/taojin",
        "gpu_driver_script": "gs://bucket/install_gpu_driver.sh",
        "bucket": "bucket",
        "output": "gs://bucket/corpus",
        "service_account": "runner@project.iam.gserviceaccount.com",
        "subnetwork": "default",
        "image": "us-docker.pkg.dev/project/images/taojin:1",
    },
}


def settings_of(folder: str) -> list[str]:
    return [f"{key}={value}" for key, value in OWN[folder].items()]


def rendered(path: Path, *more: str) -> Launch:
    folder = path.parent
    return render(path, load_values(folder / "values.toml", [*settings_of(folder.name), *more]))


@pytest.fixture
def launch_file(tmp_path: Path) -> Any:
    """Writes a launch file with a request; gives its path, with properties files above it."""
    (tmp_path / "some.conf").write_text("# why\n\nspark.a   1\nspark.b  two words\n")
    (tmp_path / "more.conf").write_text("spark.a 3\n")
    folder = tmp_path / "cloud"
    folder.mkdir()

    def write(request: Any, name: str = "launch.json") -> Path:
        path = folder / name
        path.write_text(json.dumps({"service": "emr", "operation": "X", "request": request}))
        return path

    return write


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_bundled_launch_is_what_its_service_defines(path: Path) -> None:
    check_request(rendered(path))


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_unknown_parameter_is_refused(path: Path) -> None:
    launch = rendered(path)
    with pytest.raises(ConfigError, match="no_such_parameter"):
        check_request(
            Launch(launch.service, launch.operation, {**launch.request, "no_such_parameter": 1})
        )


def test_a_wrong_type_is_refused() -> None:
    launch = rendered(CONF / "emr" / "ec2-extract.json", 'core_units="four"')
    with pytest.raises(ConfigError, match="TargetOnDemandCapacity"):
        check_request(launch)


def test_an_unknown_service_or_operation_is_refused() -> None:
    with pytest.raises(ConfigError, match="known: "):
        check_request(Launch("lambda", "Invoke", {}))
    with pytest.raises(ConfigError, match="no such operation: RunJobFlows"):
        check_request(Launch("emr", "RunJobFlows", {}))


@pytest.mark.parametrize("name", ["ec2-extract", "ec2-score", "ec2-score-gpu", "ec2-pipeline"])
def test_steps_of_a_cluster_run_jobs_that_exist(name: str) -> None:
    steps = rendered(CONF / "emr" / f"{name}.json").request["Steps"]
    for step in steps:
        arguments = step["HadoopJarStep"]["Args"]
        script = next(word for word in arguments if word.endswith(".py"))
        assert (CONF.parent / "jobs" / script.rsplit("/", 1)[-1]).is_file()
        behind = arguments[arguments.index(script) + 1 :]
        assert behind[:2] == ["--config", "cluster.toml"]
        assert behind[behind.index("--crawl") + 1] == "CC-MAIN-2024-22"
        assert behind[-2:] == ["--output", "s3://bucket/corpus"]
        assert "spark.pyspark.python=./environment/bin/python" in arguments


def test_a_gpu_step_asks_yarn_for_what_its_machines_offer() -> None:
    request = rendered(CONF / "emr" / "ec2-score-gpu.json").request
    primary, *workers = request["Instances"]["InstanceFleets"]
    assert primary["InstanceFleetType"] == "MASTER"
    for fleet in workers:  # a machine of the cluster's YARN without a GPU would not start
        assert {kind["InstanceType"][0] for kind in fleet["InstanceTypeConfigs"]} == {"g"}
    (step,) = request["Steps"]
    arguments = step["HadoopJarStep"]["Args"]
    assert "s3://bucket/taojin/environment-bert.tar.gz#environment" in arguments
    assert "s3://bucket/taojin/cluster.toml,s3://bucket/taojin/find_gpus.sh" in arguments
    settings = dict(
        arguments[at + 1].split("=", 1) for at, word in enumerate(arguments) if word == "--conf"
    )
    assert settings["spark.executor.resource.gpu.amount"] == "1"
    assert settings["spark.executor.resource.gpu.discoveryScript"] == "./find_gpus.sh"
    behind = arguments[arguments.index("s3://bucket/taojin/score_documents.py") + 1 :]
    assert behind[2:4] == ["--scorer", "quality_bert"]
    classes = {part["Classification"]: part for part in request["Configurations"]}
    assert classes["yarn-site"]["Properties"]["yarn.resource-types"] == "yarn.io/gpu"
    (action,) = request["BootstrapActions"]
    assert action["ScriptBootstrapAction"]["Path"] == "s3://bucket/taojin/open_gpus.sh"


@pytest.mark.parametrize("name", ["emr/ec2-score-gpu", "dataproc/score-gpu-template"])
def test_what_a_gpu_cluster_reads_is_packaged(name: str) -> None:
    text = json.dumps(rendered(CONF / f"{name}.json").request)
    makefile = (CONF.parent / "Makefile").read_text(encoding="utf-8")
    package = makefile[makefile.index("\npackage:") : makefile.index("\nwheel:")]
    scripts = set(re.findall(r"/(\w+\.sh)\b", text)) - {"install_gpu_driver.sh"}
    assert scripts
    for script in scripts:
        assert f"/{script}" in package


def test_templates_run_their_jobs_one_after_the_other() -> None:
    jobs = rendered(CONF / "dataproc" / "extract-template.json").request["template"]["jobs"]
    steps = [job["step_id"] for job in jobs]
    assert steps == ["extract-documents", "apply-rules", "find-duplicates"]
    assert [job.get("prerequisite_step_ids") for job in jobs] == [None, steps[:1], steps[1:2]]


def test_the_schedule_runs_the_cluster() -> None:
    target = rendered(CONF / "emr" / "schedule.json").request["Target"]
    cluster = rendered(CONF / "emr" / "ec2-pipeline.json")
    assert target["Arn"].endswith(":aws-sdk:emr:runJobFlow")
    assert json.loads(target["Input"]) == cluster.request


def test_serverless_parameters_are_one_text_that_a_shell_would_split() -> None:
    submit = rendered(CONF / "emr" / "serverless-run.json").request["jobDriver"]["sparkSubmit"]
    words = shlex.split(submit["sparkSubmitParameters"])
    properties = read_properties(CONF / "spark-cpu.conf")
    assert words[:2] == ["--name", "taojin"]
    assert words[2::2] == ["--conf"] * len(properties)
    assert words[3::2] == [f"{key}={value}" for key, value in properties.items()]


def test_a_value_keeps_its_type_and_lists_are_spliced(launch_file: Any) -> None:
    path = launch_file({"n": "${n}", "list": ["a", "${many}", "z"], "alone": "${many}"})
    assert render(path, {"n": 3, "many": ["b", "c"]}).request == {
        "n": 3,
        "list": ["a", "b", "c", "z"],
        "alone": ["b", "c"],
    }


def test_a_value_cannot_change_the_shape_of_a_request(launch_file: Any) -> None:
    path = launch_file({"text": "x ${word} y", "whole": "${word}"})
    hostile = '", "more": "${other}'
    assert render(path, {"word": hostile}).request == {
        "text": f"x {hostile} y",
        "whole": hostile,
    }


def test_a_list_inside_a_text_is_quoted(launch_file: Any) -> None:
    path = launch_file({"text": "run ${words}"})
    assert render(path, {"words": ["a b", "c;d"]}).request == {"text": "run 'a b' 'c;d'"}


def test_properties_files_are_joined_later_ones_winning(launch_file: Any) -> None:
    path = launch_file(
        {"table": "${properties:some.conf,more.conf}", "list": ["${conf:some.conf}"]}
    )
    assert render(path, {}).request == {
        "table": {"spark.a": "3", "spark.b": "two words"},
        "list": ["--conf", "spark.a=1", "--conf", "spark.b=two words"],
    }


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"a": "${missing}"}, r"1 value is missing.*--set NAME=VALUE:\n  missing$"),
        ({"a": ["x ${empty}", "${gone}"], "b": "${empty}"}, r"2 values .*\n  empty\n  gone$"),
        ({"a": "x${table}"}, "is a table"),
        ({"a": "${colour:x}"}, "known: properties, conf, request"),
        ({"a": "${properties:none.conf}"}, "cannot be read"),
        ({"a": "${request:none.json}"}, "cannot be read"),
    ],
)
def test_what_cannot_be_filled_in_is_named(launch_file: Any, request_: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        render(launch_file(request_), {"empty": "", "table": {}})


@pytest.mark.parametrize("text", ["{", "[]", '{"service": "emr"}'])
def test_what_is_no_launch_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "launch.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"launch\.json"):
        render(path, {})


def test_settings_win_and_must_be_known(tmp_path: Path) -> None:
    path = tmp_path / "values.toml"
    path.write_text('a = 1\nb = ""\n')
    assert load_values(path, ["b=s3://x", "a=[1, 2]"]) == {"a": [1, 2], "b": "s3://x"}
    with pytest.raises(ConfigError, match="has no key c; known: a, b"):
        load_values(path, ["c=1"])
    with pytest.raises(ConfigError, match="expected key=value"):
        load_values(path, ["a"])
    with pytest.raises(ConfigError, match="cannot be read"):
        load_values(tmp_path / "none.toml", [])


def test_a_properties_line_without_a_value_is_named(tmp_path: Path) -> None:
    path = tmp_path / "spark.conf"
    path.write_text("spark.a 1\nspark.b\n")
    with pytest.raises(ConfigError, match=r"spark\.conf:2"):
        read_properties(path)


def test_a_dry_run_prints_the_request_and_sends_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    launch, values = CONF / "emr" / "ec2-score.json", CONF / "emr" / "values.toml"
    status = submit_run.main(
        [str(launch), "--values", str(values), "--set", *settings_of("emr"), "--dry-run"]
    )
    assert status == 0
    assert json.loads(capsys.readouterr().out)["Name"] == "taojin-score"


def test_all_empty_values_are_named_with_status_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    launch, values = CONF / "emr" / "ec2-score.json", CONF / "emr" / "values.toml"
    assert submit_run.main([str(launch), "--values", str(values), "--dry-run"]) == 2
    said = capsys.readouterr().err
    assert "4 values are missing" in said
    for line in ("code          s3://BUCKET/taojin", "service_role  arn:aws:iam::ACCOUNT:role/"):
        assert f"\n  {line}" in said


@pytest.mark.parametrize("folder", OWN)
def test_every_empty_value_has_an_example(folder: str) -> None:
    text = (CONF / folder / "values.toml").read_text(encoding="utf-8")
    empty = {line for line in text.splitlines() if re.match(r'\w+ = ""', line)}
    assert len(empty) == len(OWN[folder])
    assert {line for line in empty if not re.search(r"# \S+", line)} == set()


def test_values_of_a_request_inside_a_request_are_named_with_the_others(launch_file: Any) -> None:
    launch_file({"x": "${inner}"}, "other.json")
    path = launch_file({"a": "${outer}", "b": "${request:other.json}"})
    (path.parent / "values.toml").write_text('outer = ""  # s3://BUCKET\ninner = 3  # or 4\n')
    with pytest.raises(ConfigError, match=r"2 values .*\n  outer  s3://BUCKET\n  inner  3$"):
        render(path, {})


@pytest.fixture(scope="module")
def amazon() -> Iterator[str]:
    """A server that answers as Amazon's services do; gives its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def submit(amazon: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Submits a launch file of conf/emr to that server; gives the exit status."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", amazon)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    def run(name: str, *more: str) -> int:
        values = str(CONF / "emr" / "values.toml")
        return submit_run.main(
            [str(CONF / "emr" / name), "--values", values, "--set", *settings_of("emr"), *more]
        )

    return run


def test_a_cluster_is_started_with_its_steps(submit: Any) -> None:
    assert submit("ec2-extract.json") == 0
    emr = boto3.client("emr", region_name="us-east-1")
    (cluster,) = (c for c in emr.list_clusters()["Clusters"] if c["Name"] == "taojin-extract")
    steps = emr.list_steps(ClusterId=cluster["Id"])["Steps"]
    names = [step["Name"] for step in steps]
    assert sorted(names) == ["apply_rules", "extract_documents", "find_duplicates"]
    described = emr.describe_cluster(ClusterId=cluster["Id"])["Cluster"]
    assert described["ReleaseLabel"] == "emr-spark-8.0.0"


def test_serverless_and_eks_runs_are_accepted(
    submit: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    older = "release=emr-7.5.0"  # the server knows no later ones of these two services
    assert submit("serverless-application.json", older) == 0
    application = json.loads(capsys.readouterr().err)["applicationId"]
    assert submit("serverless-run.json", f"application={application}") == 0
    containers = boto3.client("emr-containers", region_name="us-east-1")
    eks = boto3.client("eks", region_name="us-east-1")
    eks.create_cluster(name="k8s", roleArn=ROLE, resourcesVpcConfig={})
    cluster = containers.create_virtual_cluster(
        name="taojin",
        containerProvider={
            "type": "EKS",
            "id": "k8s",
            "info": {"eksInfo": {"namespace": "taojin"}},
        },
    )
    assert submit("eks-run.json", older, f"virtual_cluster={cluster['id']}") == 0


def test_a_cluster_of_gpus_is_accepted(submit: Any) -> None:
    assert submit("ec2-score-gpu.json", "name=gpus") == 0
    emr = boto3.client("emr", region_name="us-east-1")
    (cluster,) = (c for c in emr.list_clusters()["Clusters"] if c["Name"] == "gpus-score-gpu")
    (action,) = emr.list_bootstrap_actions(ClusterId=cluster["Id"])["BootstrapActions"]
    assert action["ScriptPath"] == "s3://bucket/taojin/open_gpus.sh"


def test_a_schedule_is_made(submit: Any) -> None:
    assert submit("schedule.json") == 0
    scheduler = boto3.client("scheduler", region_name="us-east-1")
    schedule = scheduler.get_schedule(Name="taojin")
    assert schedule["ScheduleExpression"] == "cron(0 2 * * ? *)"
    assert json.loads(schedule["Target"]["Input"])["ReleaseLabel"] == "emr-spark-8.0.0"


def test_what_the_service_refuses_ends_with_status_1(
    submit: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert submit("schedule.json", "name=twice") == 0
    assert submit("schedule.json", "name=twice") == 1
    assert "scheduler CreateSchedule" in capsys.readouterr().err
