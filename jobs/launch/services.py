"""The cloud services: check a request against the service's own definition, and send it.

Amazon's requests are checked with the service models in botocore, Google's with the protocol
buffers of their client libraries. Both are extras: ``taojin[emr]``, ``taojin[dataproc]``.
"""

from __future__ import annotations

import importlib
import json
from typing import Any

from jobs.config import ConfigError
from jobs.launch.request_files import Launch

AMAZON = frozenset({"emr", "emr-containers", "emr-serverless", "scheduler"})

_DATAPROC = "google.cloud.dataproc_v1"
_SCHEDULER = "google.cloud.scheduler_v1"
GOOGLE = {
    ("dataproc", "CreateWorkflowTemplate"): (_DATAPROC, "WorkflowTemplateServiceClient"),
    ("dataproc", "InstantiateWorkflowTemplate"): (_DATAPROC, "WorkflowTemplateServiceClient"),
    ("dataproc", "CreateBatch"): (_DATAPROC, "BatchControllerClient"),
    ("cloudscheduler", "CreateJob"): (_SCHEDULER, "CloudSchedulerClient"),
}
"""Service and operation -> module and client class."""


class ServiceRefused(RuntimeError):
    """The service refused the request; the message is the service's."""


def check_request(launch: Launch) -> None:
    """Raise ConfigError unless the request fits the service's definition of the operation.

    Needs no network and no credentials.
    """
    if launch.service in AMAZON:
        _check_amazon(launch)
    elif (launch.service, launch.operation) in GOOGLE:
        _google_request(launch)
    else:
        known = sorted({*AMAZON, *(f"{service} {name}" for service, name in GOOGLE)})
        raise ConfigError(
            f"{launch.service} {launch.operation}: unknown service or operation; "
            f"known: {', '.join(known)}"
        )


def send_request(launch: Launch, region: str | None) -> str:
    """Send a checked request; return the service's answer as JSON text.

    Raises:
        ServiceRefused: no credentials, no permission, no capacity, ...
    """
    if launch.service in AMAZON:
        return _send_amazon(launch, region)
    return _send_google(launch, region)


def _check_amazon(launch: Launch) -> None:
    session = _library("botocore.session", "emr").get_session()
    model = session.get_service_model(launch.service)
    if launch.operation not in model.operation_names:
        raise ConfigError(f"{launch.service}: no such operation: {launch.operation}")
    shape = model.operation_model(launch.operation).input_shape
    # The client fills in the idempotency tokens.
    tokens = {name: "-" for name, member in shape.members.items() if _is_token(member)}
    validator = _library("botocore.validate", "emr").ParamValidator()
    report = validator.validate({**tokens, **launch.request}, shape)
    if report.has_errors():
        raise ConfigError(f"{launch.service} {launch.operation}: {report.generate_report()}")


def _is_token(member: Any) -> bool:
    return bool(member.metadata.get("idempotencyToken"))


def _send_amazon(launch: Launch, region: str | None) -> str:
    boto3 = _library("boto3", "emr")
    errors = _library("botocore.exceptions", "emr")
    try:
        client = boto3.client(launch.service, region_name=region)
        method = _library("botocore", "emr").xform_name(launch.operation)
        answer = getattr(client, method)(**launch.request)
    except (errors.BotoCoreError, errors.ClientError) as error:
        raise ServiceRefused(f"{launch.service} {launch.operation}: {error}") from error
    answer.pop("ResponseMetadata", None)
    return json.dumps(answer, default=str)


def _google_request(launch: Launch) -> Any:
    """Return the request as a message of the client library."""
    module_name, _ = GOOGLE[launch.service, launch.operation]
    module = _library(module_name, "dataproc")
    message = getattr(module, f"{launch.operation}Request")
    try:
        return message(launch.request)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{launch.service} {launch.operation}: {error}") from error


def _send_google(launch: Launch, region: str | None) -> str:
    module_name, class_name = GOOGLE[launch.service, launch.operation]
    client_class = getattr(_library(module_name, "dataproc"), class_name)
    options = {}
    if launch.service == "dataproc":  # its services are regional
        options = {"api_endpoint": f"{region}-dataproc.googleapis.com:443"}
    auth_errors = _library("google.auth.exceptions", "dataproc")
    api_errors = _library("google.api_core.exceptions", "dataproc")
    method = _snake_case(launch.operation)
    try:
        client = client_class(client_options=options)
        answer = getattr(client, method)(request=_google_request(launch))
    except (auth_errors.GoogleAuthError, api_errors.GoogleAPIError) as error:
        raise ServiceRefused(f"{launch.service} {launch.operation}: {error}") from error
    return str(getattr(answer, "operation", answer))


def _snake_case(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).lstrip("_")


def _library(name: str, extra: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ConfigError(f'{error}: pip install "taojin[{extra}]"') from error
