"""Clients of object stores and of HDFS (pyarrow.fs), and whether a store is there at all."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from functools import lru_cache

from pyarrow import fs as pafs

# With the AWS client's defaults of 1 and 3 seconds, late responses of a busy store are retried, up
# to ten times with growing delays, and a read of seconds takes minutes.
_S3_CONNECT_S = 10.0
_S3_SILENCE_S = 30.0
_S3_ATTEMPTS = 10
_GCS_RETRIES_S = 300.0

# For the question whether a store is there at all: ten attempts take a minute and a half.
_CHECK_ATTEMPTS = 3
_CHECK_S = 10.0
_UNREACHABLE = re.compile("NETWORK_CONNECTION|UNAVAILABLE")
"""What S3's and Google's clients say where no server answers."""


class StoreUnreachable(OSError):
    """A store does not answer."""


class NoSuchBucket(ValueError):
    """A bucket does not exist."""


@lru_cache(maxsize=64)
def check_bucket(scheme: str, bucket: str) -> None:
    """Fail soon for a store that cannot be reached, or a bucket that does not exist.

    Any other answer is accepted: a user may read objects of a bucket that tells him nothing.

    Args:
        scheme: s3 or gs.
    Raises:
        StoreUnreachable: The store does not answer.
        NoSuchBucket: It has no such bucket.
    """
    try:
        store = _s3(bucket, _CHECK_ATTEMPTS) if scheme == "s3" else _gcs(_CHECK_S)
        is_there = store.get_file_info(bucket).type != pafs.FileType.NotFound
    except OSError as error:
        if not _UNREACHABLE.search(str(error)):
            return
        raise StoreUnreachable(
            f"{scheme}://{bucket}: the store cannot be reached: check the network and, for a store "
            "other than Amazon's, AWS_ENDPOINT_URL_S3"
        ) from error
    if not is_there:
        raise NoSuchBucket(f"there is no bucket {scheme}://{bucket}: check its name")


@lru_cache(maxsize=64)
def s3_client(bucket: str) -> pafs.FileSystem:
    """Return the client for a bucket of S3 or of another store with its protocol."""
    return _s3(bucket, _S3_ATTEMPTS)


@lru_cache(maxsize=1)
def gcs_client() -> pafs.FileSystem:
    """Return the client for Google Cloud Storage."""
    return _gcs(_GCS_RETRIES_S)


@lru_cache(maxsize=16)
def hadoop_client(authority: str) -> pafs.FileSystem:
    """Return the client for a file system of Hadoop, such as ``hdfs://host``."""
    return pafs.HadoopFileSystem.from_uri(authority)


def _s3(bucket: str, attempts: int) -> pafs.FileSystem:
    # pyarrow finds account or role as all of AWS's tools do, but neither the endpoint of a store
    # other than AWS, nor whether to sign at all (the variable is GDAL's; AWS's tools have none).
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if region is None and not endpoint:
        try:
            region = pafs.resolve_s3_region(bucket)
        except OSError:
            region = None  # no network or no such bucket: the first read raises the error
    return pafs.S3FileSystem(
        anonymous=os.environ.get("AWS_NO_SIGN_REQUEST", "").lower() in ("yes", "true", "1"),
        region=region,
        endpoint_override=endpoint or None,
        connect_timeout=_S3_CONNECT_S,
        request_timeout=_S3_SILENCE_S,
        retry_strategy=pafs.AwsStandardS3RetryStrategy(max_attempts=attempts),
    )


def _gcs(retries_s: float) -> pafs.FileSystem:
    return pafs.GcsFileSystem(retry_time_limit=timedelta(seconds=retries_s))
