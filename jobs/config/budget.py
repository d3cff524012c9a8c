"""A budget of tokens, characters, bytes or documents, and its shares by domain."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from udfs.base.settings import ConfigError

DOCUMENTS = "documents"
UNITS = ("tokens", "characters", "bytes", DOCUMENTS)
PAIR_UNITS = ("pairs",)
"""Units of a selection of image-text pairs."""
REST = "*"
"""Key of a mix that stands for all labels that it does not name."""

_FACTORS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
_BUDGET = re.compile(r"\s*([0-9][0-9_,]*(?:\.[0-9]+)?)\s*([A-Za-z]?)\s+([A-Za-z]+)\s*")
_MOST = 2**62
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Budget:
    """An amount of a unit."""

    amount: int
    unit: str
    """One of `UNITS` or `PAIR_UNITS`."""

    def words(self, amount: int | None = None) -> str:
        """The budget, or another amount of its unit, in words.

        >>> Budget(20_000, "tokens").words()
        '20,000 tokens'
        """
        return f"{self.amount if amount is None else amount:,} {self.unit}"


def parse_budget(text: str, key: str = "select.budget", units: Sequence[str] = UNITS) -> Budget:
    """Parse ``20B tokens``: a number, one of K, M, B, T or none, and a unit.

    Args:
        key: ``section.key`` of the setting, for messages.
        units: Those that it may have.
    Raises:
        ConfigError: naming what is expected.

    >>> parse_budget("1.5M characters"), parse_budget("300 documents")
    (Budget(amount=1500000, unit='characters'), Budget(amount=300, unit='documents'))
    """
    found = _BUDGET.fullmatch(text)
    factor = None if found is None else _FACTORS.get(found[2].upper())
    if found is None or factor is None or found[3] not in units:
        unit = units[0] if len(units) == 1 else f"a unit of {', '.join(units)}"
        what = f"and {unit}: '20B {units[0]}'"
        raise ConfigError(
            f"{key} = {text!r}: expected a number, K, M, B or T where it is in thousands, "
            f"millions, billions or trillions, {what}"
        )
    amount = int(Decimal(found[1].replace("_", "").replace(",", "")) * factor)
    if not 0 < amount <= _MOST:
        raise ConfigError(f"{key} = {text!r}: expected 1 to {_MOST:,} {found[3]}")
    return Budget(amount, found[3])


def check_mix(mix: Mapping[str, float]) -> None:
    """Check that the shares of a mix add up to 1.

    Raises:
        ConfigError: with the sum, and what to add.
    """
    total = sum(mix.values())
    if not mix or abs(total - 1) <= _TOLERANCE:
        return
    shown = ", ".join(f"{name} = {share:g}" for name, share in mix.items())
    advice = ""
    if total < 1 and REST not in mix:
        advice = f'; add "{REST}" = {round(1 - total, 6):g} for all other domains'
    raise ConfigError(
        f"select.mix = {{{shown}}}: the shares add up to {total:g}, expected 1{advice}"
    )


def apportion(amount: int, shares: Sequence[float]) -> list[int]:
    """Divide an amount by shares into whole numbers that add up to it.

    What remains after rounding down goes to the largest fractions, the first of equal ones.

    >>> apportion(10, [1, 1, 1]), apportion(7, [0.0, 2.0]), apportion(0, [0.5, 0.5])
    ([4, 3, 3], [0, 7], [0, 0])
    """
    exact = [Fraction(share) for share in shares]
    total = sum(exact)
    if total == 0:
        return [0 for _ in exact]
    parts = [amount * share / total for share in exact]
    whole = [int(part) for part in parts]
    order = sorted(range(len(parts)), key=lambda number: (whole[number] - parts[number], number))
    for number in order[: amount - sum(whole)]:
        whole[number] += 1
    return whole
