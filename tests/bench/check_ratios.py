"""Whether the ratios of the benches are still what they were.

    python -m tests.bench.check_ratios --data DIR --peers PYTHON --datatrove PYTHON
        [--update] [--only BENCH...]

Runs the quick forms of the benches and compares the ratios that they give with those of
ratios.json. A ratio that fell by more than 15 % is measured a second time; one that fell again,
and one that a bench no longer gives, is named, and the exit status is 1. --update writes the
ratios that were found into the file, of the benches that ran.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.ratios import (
    MAX_FALL,
    Compared,
    Ratios,
    better,
    compare,
    read_ratios,
)
from tests.bench.timing import table

KEPT = Path(__file__).with_name("ratios.json")


@dataclass(frozen=True)
class Form:
    """The form of a bench that gives its ratios."""

    module: str
    arguments: tuple[str, ...]
    environments: tuple[str, ...] = ()
    """Its options that take the Python of an environment with other programs."""

    @property
    def command(self) -> str:
        """The form as it is kept beside its ratios."""
        return " ".join([f"python -m tests.bench.{self.module}", *self.arguments])


FORMS = {
    "extract": Form("extract_rates", ("--quick",), ("--peers",)),
    "rules": Form("rule_rates", ("--documents", "400", "--repeats", "3")),
    "scores": Form("score_rates", ("--documents", "500", "--rounds", "3")),
    "contamination": Form("contamination_rates", ("--documents", "1000", "--rounds", "3")),
    "dedup": Form("dedup_rates", ("--quick",), ("--peers",)),
    "limits": Form("limits", ("--quick",)),
    "pipeline": Form(
        "pipeline_rates",
        (*("--quick", "--mix", "1000", "--chinese", "500"), *("--folder", "out/bench/check")),
        ("--datatrove",),
    ),
}

Measure = Callable[[Form], Ratios]


class BenchFailed(RuntimeError):
    """A bench ended with another status than 0, or wrote no ratios."""


def measuring(data: Path, environments: Mapping[str, str]) -> Measure:
    """How a form is measured: in a separate process.

    Args:
        environments: Option -> Python.
    """

    def measure(form: Form) -> Ratios:
        with tempfile.TemporaryDirectory() as folder:
            found = Path(folder) / "ratios.json"
            command = [sys.executable, "-m", f"tests.bench.{form.module}", *form.arguments]
            command += ["--data", str(data), "--ratios", str(found)]
            for option in form.environments:
                command += [option, environments[option]]
            answer = subprocess.run(command, capture_output=True, text=True)
            if answer.returncode or not found.is_file():
                raise BenchFailed(
                    f"{form.command}: status {answer.returncode}\n{answer.stderr[-3000:]}"
                )
            return read_ratios(found)

    return measure


def check(
    names: Sequence[str],
    kept: Mapping[str, Mapping[str, Any]],
    measure: Measure,
    say: Callable[[str], object] = print,
) -> tuple[dict[str, Ratios], list[Compared]]:
    """Measure benches and compare their ratios.

    Returns:
        Bench -> ratios as found; what is wrong, each ratio with its bench's name before it.
    """
    all_found: dict[str, Ratios] = {}
    wrong: list[Compared] = []
    for name in names:
        begin = time.monotonic()
        expected: Ratios = dict(kept.get(name, {}).get("ratios", {}))
        found = measure(FORMS[name])
        if any(one.verdict == "fell" for one in compare(expected, found)):
            found = better(found, measure(FORMS[name]))
        all_found[name] = found
        compared = compare(expected, found)
        say(f"\n## {name}\n\n`{FORMS[name].command}`, {time.monotonic() - begin:.0f} s\n")
        say(table(["ratio", "kept", "found", "found of kept", ""], list(map(_row, compared))))
        wrong += [
            Compared(f"{name}: {one.name}", one.kept, one.found) for one in compared if one.is_wrong
        ]
    return all_found, wrong


def _row(one: Compared) -> list[str]:
    of_kept = "" if one.kept is None or one.found is None else f"{one.found / one.kept:.2f}"
    kept, found = ("" if value is None else f"{value:.3f}" for value in (one.kept, one.found))
    return [one.name, kept, found, of_kept, one.verdict]


def updated(
    kept: Mapping[str, Mapping[str, Any]], found: Mapping[str, Ratios]
) -> dict[str, dict[str, Any]]:
    """The kept ratios with those of the benches that ran in their places."""
    new = {
        name: {
            "form": FORMS[name].command,
            "ratios": {key: float(f"{ratio:.4g}") for key, ratio in ratios.items()},
        }
        for name, ratios in found.items()
    }
    return {name: dict(new.get(name) or kept[name]) for name in FORMS if name in {**kept, **new}}


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--peers", required=True, metavar="PYTHON", help="of BENCH=dedup's peers")
    parser.add_argument("--datatrove", required=True, metavar="PYTHON", help="of BENCH=pipeline's")
    parser.add_argument("--only", nargs="+", choices=list(FORMS), metavar="BENCH")
    parser.add_argument("--update", action="store_true", help="write what was found")
    arguments = parser.parse_args(argv)
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}
    print("# Ratios", flush=True)
    environments = {"--peers": arguments.peers, "--datatrove": arguments.datatrove}
    measure = measuring(arguments.data, environments)
    try:
        found, wrong = check(arguments.only or list(FORMS), kept, measure)
    except BenchFailed as error:
        print(error, file=sys.stderr)
        return 1
    if arguments.update:
        text = json.dumps(updated(kept, found), ensure_ascii=False, indent=1) + "\n"
        KEPT.write_text(text, encoding="utf-8")
        print(f"\nwrote {KEPT.name}")
        return 0
    for one in wrong:
        if one.found is None:
            print(f"\n{one.name}: the bench gives no such ratio any more", file=sys.stderr)
        elif one.kept is not None:
            fall = 1 - one.found / one.kept
            print(
                f"\n{one.name}: {one.found:.3f}, kept {one.kept:.3f}: fell by {fall:.0%}, "
                f"more than {MAX_FALL:.0%}",
                file=sys.stderr,
            )
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
