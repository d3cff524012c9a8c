"""Expand templates into labelled messages: the same tables and seed give the same messages.

A table is a TOML file: family -> ``lines``, its templates, ``kind`` (absent for ordinary messages),
and slots of its own. In a template ``{name}`` is a choice of that slot, ``{a|b}`` one of these
(where a slot's name is a choice of it), ``{?x}`` x or nothing, ``{3..9}`` a number and ``{8d}``
digits; all may be nested.

A family is what is held out: its templates occur in no other family.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from jobs.training.common.task import TrainingError
from jobs.training.toxicity.messages.disguise import Disguises, read_disguises

FOLDER = Path(__file__).parent
TABLES = (
    "offers_gambling", "offers_pornography", "offers_fraud", "offers_market", "insults",
    "insults_groups", "ordinary_subjects", "ordinary_life", "ordinary_groups",
)  # fmt: skip
SEED = 20_261_130
OFFERS_OF_FAMILY, ORDINARY_OF_FAMILY = 80, 110
"""Messages of each family, fewer where its templates give no more different ones."""
MOST_CHARS = 120
"""Longer messages are made again."""

_DISGUISED, _ORDINARY_DISGUISED = 0.45, 0.12
"""Share of messages that hide words; of ordinary ones, whose writers like signs too."""
_JOINED = 0.15
"""Share of messages made of two templates of their family."""
_TRIES = 6
"""Tries for each message that is asked for."""

_NAME = re.compile(r"[a-z][a-z_]*")
_RANGE = re.compile(r"([0-9]+)\.\.([0-9]+)")
_DIGITS = re.compile(r"([0-9]+)d")

Slots = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Family:
    """Templates that are held out together."""

    name: str
    kind: str | None
    """Kind of harm; None for ordinary messages."""
    lines: tuple[str, ...]
    slots: Slots = field(default_factory=dict)
    """The shared slots and its own."""


@dataclass(frozen=True)
class Message:
    """A made message."""

    text: str
    kind: str | None
    """Kind of harm; None for an ordinary message."""
    family: str


def made_messages(
    seed: int = SEED, offers: int = OFFERS_OF_FAMILY, ordinary: int = ORDINARY_OF_FAMILY
) -> list[Message]:
    """Return the messages of all families, without two of one text.

    Args:
        seed: Each family has a sequence of its own, which other families do not change.
        offers: Most messages of a family of harmful ones.
        ordinary: Most messages of a family of ordinary ones.
    Raises:
        TrainingError: a table cannot be used.
    """
    disguises = read_disguises(FOLDER / "disguises.toml")
    seen: set[str] = set()
    made = []
    for family in read_families():
        for message in _of_family(
            family, seed, ordinary if family.kind is None else offers, disguises
        ):
            if message.text not in seen:
                seen.add(message.text)
                made.append(message)
    return made


@lru_cache(maxsize=1)
def read_families() -> tuple[Family, ...]:
    """Read the families of all tables.

    Raises:
        TrainingError: a table that cannot be read, a family or template twice, an unknown slot.
    """
    shared = _read("slots")
    families: dict[str, Family] = {}
    owners: dict[str, str] = {}
    for table in TABLES:
        for name, content in _read(table).items():
            if name in families:
                raise TrainingError(f"{table}.toml: [{name}] is in another table too")
            own = {
                key: tuple(value) for key, value in content.items() if key not in ("kind", "lines")
            }
            family = Family(name, content.get("kind"), tuple(content["lines"]), {**shared, **own})
            for line in family.lines:
                if owners.setdefault(line, name) != name:
                    raise TrainingError(
                        f"{table}.toml: [{name}] {line!r} is in [{owners[line]}] too"
                    )
            _check(
                family, table, [*family.lines, *(c for choices in own.values() for c in choices)]
            )
            families[name] = family
    return tuple(families.values())


def expand(template: str, slots: Slots, rng: random.Random) -> str:
    """Expand a template.

    >>> expand("{a|b}{?!}{n}", {"n": ["{1..3}"]}, random.Random(2))
    'a!3'
    """
    parts = []
    for text, is_field in _parts(template):
        parts.append(_chosen(text, slots, rng) if is_field else text)
    return "".join(parts)


def _chosen(content: str, slots: Slots, rng: random.Random) -> str:
    """What a pair of braces becomes."""
    if content.startswith("?"):
        return _chosen_of(content[1:], slots, rng) if rng.random() < 0.5 else ""
    if _NAME.fullmatch(content):
        return expand(rng.choice(slots[content]), slots, rng)
    if found := _RANGE.fullmatch(content):
        return str(rng.randint(int(found[1]), int(found[2])))
    if found := _DIGITS.fullmatch(content):
        return str(rng.randint(1, 9)) + "".join(
            str(rng.randint(0, 9)) for _ in range(int(found[1]) - 1)
        )
    return _chosen_of(content, slots, rng)


def _chosen_of(content: str, slots: Slots, rng: random.Random) -> str:
    chosen = rng.choice(_alternatives(content))
    return expand(rng.choice(slots[chosen]) if chosen in slots else chosen, slots, rng)


def _parts(template: str) -> Iterator[tuple[str, bool]]:
    """The plain parts of a template, and the contents of its outermost braces (True)."""
    depth, begin = 0, 0
    for at, sign in enumerate(template):
        if sign == "{":
            if depth == 0:
                yield template[begin:at], False
                begin = at + 1
            depth += 1
        elif sign == "}":
            depth -= 1
            if depth == 0:
                yield template[begin:at], True
                begin = at + 1
    yield template[begin:], False


def _alternatives(content: str) -> list[str]:
    """The alternatives of a pair of braces: a bar inside further braces separates none."""
    depth, begin, found = 0, 0, []
    for at, sign in enumerate(content):
        depth += (sign == "{") - (sign == "}")
        if sign == "|" and depth == 0:
            found.append(content[begin:at])
            begin = at + 1
    return [*found, content[begin:]]


def _of_family(family: Family, seed: int, most: int, disguises: Disguises) -> Iterator[Message]:
    """The different messages of a family: its templates by turns."""
    rng = random.Random(f"{seed} {family.name}")
    share = _ORDINARY_DISGUISED if family.kind is None else _DISGUISED
    found: set[str] = set()
    for number in range(most * _TRIES):
        text = expand(family.lines[number % len(family.lines)], family.slots, rng)
        if rng.random() < _JOINED:
            joint = rng.choice(["，", " ", "。", "！", "\n", ""])
            text += joint + expand(rng.choice(family.lines), family.slots, rng)
        if rng.random() < share:
            text = disguises.applied(text, rng, is_ordinary=family.kind is None)
        text = text.strip("，、 \n")
        if text and len(text) <= MOST_CHARS and text not in found:
            found.add(text)
            yield Message(text, family.kind, family.name)
            if len(found) == most:
                return


def _read(table: str) -> dict[str, Any]:
    path = FOLDER / f"{table}.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path}: cannot be read: {error}") from error


def _check(family: Family, table: str, templates: Sequence[str]) -> None:
    """Raise TrainingError for braces that do not match and slots that are not there."""
    waiting = list(templates)
    while waiting:
        template = waiting.pop()
        if template.count("{") != template.count("}"):
            raise TrainingError(f"{table}.toml: [{family.name}] {template!r}: braces do not match")
        for content, is_field in _parts(template):
            if is_field and _NAME.fullmatch(content):
                if content not in family.slots:
                    raise TrainingError(
                        f"{table}.toml: [{family.name}] {template!r}: no {content!r}"
                    )
            elif is_field:
                waiting += _alternatives(content.removeprefix("?"))
