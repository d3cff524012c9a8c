"""Fetch every locked artifact into this machine's cache, and check its size and digest.

A run fetches what it needs itself. This command is for images, and for machines that have no
network later. Needs no Spark.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from jobs.catalogue.fetch import fetch
from jobs.catalogue.lock import load_lock
from jobs.config import ConfigError, load_config
from jobs.config.exit_status import MEANINGS_WITHOUT_STAGES, exit_status_help, until_interrupted
from udfs.files.artifacts import ArtifactMismatch


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m jobs.fetch_artifacts",
        description=__doc__,
        epilog=exit_status_help(MEANINGS_WITHOUT_STAGES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, metavar="FILE.toml", help="configuration file")
    parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args(argv)
    try:
        config = load_config(arguments.config, arguments.set)
        for artifact in load_lock(config, arguments.config).artifacts.values():
            print(f"{artifact.name} {artifact.version}: {fetch(artifact, config)}")
    except (ConfigError, ArtifactMismatch, OSError) as error:
        print(f"fetch_artifacts: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(until_interrupted("fetch_artifacts", main))
