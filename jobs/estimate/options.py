"""Arguments of a dry run, checked."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path

from jobs.config import ConfigError
from jobs.estimate.prices import Prices, bundled_prices, read_prices

DEFAULT_FILES = 20


@dataclass(frozen=True)
class DryRun:
    """What is asked of a dry run."""

    files: int
    """Files to sample."""
    seed: int | None
    """None takes the sample that ``--crawl --sample`` takes."""
    is_json: bool
    keep: str | None
    """Where the sample's output is kept; None removes it."""
    prices: Prices


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of a dry run."""
    group = parser.add_argument_group("dry run")
    group.add_argument(
        "--dry-run",
        action="store_true",
        help="run the stages over a sample of the files, --sample N of them "
        f"(default: {DEFAULT_FILES}), in a place beside the output, and print what the whole "
        "request would take and cost; nothing is written to the output",
    )
    group.add_argument("--json", action="store_true", help="with --dry-run: print one JSON object")
    group.add_argument(
        "--seed", type=int, metavar="N", help="with --dry-run: draw another sample of files"
    )
    group.add_argument(
        "--keep-sample",
        metavar="URI",
        help="with --dry-run: keep the sample's output in this folder, which must be empty",
    )
    group.add_argument(
        "--prices",
        type=Path,
        metavar="FILE.toml",
        help="with --dry-run: prices of machines and storage; default: conf/prices.toml",
    )


def dry_run_of(arguments: Namespace) -> DryRun | None:
    """Return the checked arguments; None without --dry-run.

    Raises:
        ConfigError: an argument has a wrong value or contradicts another one, or the file of prices
            is broken.
    """
    given = vars(arguments)
    if not given.get("dry_run", False):
        for name in ("json", "seed", "keep_sample", "prices"):
            if given.get(name) not in (None, False):
                raise ConfigError(f"--{name.replace('_', '-')}: needs --dry-run")
        return None
    if arguments.plan:
        raise ConfigError("--dry-run: not together with --plan, which runs nothing")
    files = DEFAULT_FILES if arguments.sample is None else arguments.sample
    if files < 2:
        raise ConfigError(
            f"--sample {files}: expected 2 or more with --dry-run: one file gives no interval"
        )
    prices = bundled_prices() if arguments.prices is None else read_prices(arguments.prices)
    return DryRun(files, arguments.seed, arguments.json, arguments.keep_sample, prices)
