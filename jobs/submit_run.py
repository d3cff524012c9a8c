"""Submit a launch file to Amazon EMR or Google Dataproc.

    python -m jobs.submit_run conf/emr/ec2-extract.json --values my-values.toml --dry-run

The request is the launch file with the user's values filled in. --dry-run checks it against the
service's own definition, prints it and sends nothing. Credentials are those of the services' own
tools; none are read from a file of this project.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from jobs.config import ConfigError
from jobs.config.exit_status import MEANINGS_WITHOUT_STAGES, exit_status_help, until_interrupted
from jobs.launch.request_files import load_values, render
from jobs.launch.services import ServiceRefused, check_request, send_request


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status: 2 for a wrong request, 1 if the service refuses it."""
    arguments = _parser().parse_args(argv)
    try:
        values = load_values(arguments.values, arguments.set)
        launch = render(arguments.launch, values)
        check_request(launch)
        print(json.dumps(launch.request, indent=2, ensure_ascii=False))
        if not arguments.dry_run:
            print(send_request(launch, values.get("region")), file=sys.stderr)
    except ConfigError as error:
        print(f"submit_run: {error}", file=sys.stderr)
        return 2
    except ServiceRefused as error:
        print(f"submit_run: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m jobs.submit_run",
        description=__doc__,
        epilog=exit_status_help(MEANINGS_WITHOUT_STAGES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("launch", type=Path, metavar="LAUNCH.json", help="a file of conf/emr, ...")
    parser.add_argument("--values", type=Path, metavar="FILE.toml", help="the user's values")
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="one value"
    )
    parser.add_argument("--dry-run", action="store_true", help="check and print, send nothing")
    return parser


if __name__ == "__main__":
    sys.exit(until_interrupted("submit_run", main))
