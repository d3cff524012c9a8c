"""A selection within a budget: the best documents of each domain, up to its share of an amount.

Documents have a total order: by an order key, highest first, then by a hash of their doc_id, then
by doc_id. A domain keeps the longest beginning of that order whose amounts add up to at most its
goal: never more than the budget, and less by at most the first document that no longer fits. A
document that is larger than the whole share of its domain is left out before, so that it does not
end the beginning.

Where the beginning ends is found by radix refinement. Order keys become 64-bit integers of the same
order; each round adds up amounts by ranges of them, for all domains in one query, and continues
with the range in which a domain's goal lies. What the driver collects has a constant size, and the
result does not depend on partitions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.config.budget import REST, apportion

DOMAIN, AMOUNT, IMAGE, HASH = "budget_domain", "budget_amount", "order_image", "order_hash"
BUDGET_COLUMNS = (DOMAIN, AMOUNT, IMAGE, HASH)
"""Columns of `with_budget_columns`."""

OVER_BUDGET, NOT_IN_MIX, UNSCORED = "over_budget", "not_in_mix", "unscored"

COLLECTED = 16_384
"""The most ranges of a round, and documents at the end, that the driver collects."""

_DOUBLINGS = 16
"""Numbers that are ordered by mostly lie within so many doublings."""

_LEAST, _MOST = -(2**63), 2**63 - 1
_LEAST_EXPONENT, _SMALLEST, _FRACTION = -1022, -1074, 2**52
"""Of doubles: exponent of the least normal one, of the smallest one, and fractions between powers
of two."""
_LEAST_NEAR = -8
"""Exponent of the smallest numbers whose bits are found by comparisons: of scores, most."""
_WHOLE = ""
"""Name of the only domain of a budget without a mix."""

Bound = tuple[int, int, str]
"""Image, hash and doc_id of the first document that is left out."""


@dataclass(frozen=True)
class DomainShare:
    """What one domain was asked for, and what it gives."""

    domain: str
    """Label of the mix; `REST` for all that it does not name, and empty without a mix."""
    asked: int
    """Its share of the budget."""
    there: int = 0
    """The amount of all its documents that are not larger than that share."""
    goal: int = 0
    """The most that it may keep: `asked`, or more where it was dealt what others cannot fill."""
    kept: int = 0
    """The amount that it keeps."""
    documents: int = 0
    """Documents that it keeps."""
    bound: Bound | None = None
    """Where its order is cut; None where everything is kept."""

    @property
    def missing(self) -> int:
        """What it was asked for and does not have."""
        return max(0, self.asked - self.there)


def domains_of(mix: Mapping[str, float]) -> list[tuple[str, float]]:
    """Name and share of each domain of a budget, in order."""
    return list(mix.items()) if mix else [(_WHOLE, 1.0)]


def with_budget_columns(
    documents: DataFrame, mix: Mapping[str, float], label: Column, order: Column, amount: Column
) -> DataFrame:
    """Add what the cut needs of each document.

    Needs: doc_id; what the columns refer to.
    Args:
        label: Main domain label; null without one.
        order: Number, highest first; documents without one (null, NaN) come last.
        amount: What the document takes of the budget, bigint; null where it is not known.
    Adds: budget_domain, the number of its domain (int; null where the mix has none),
        budget_amount, order_image and order_hash (bigint, ascending in the order).
    Rows: all kept. Shuffles: none.
    """
    return documents.select(
        "*",
        _domain_number(mix, label).alias(DOMAIN),
        amount.cast("bigint").alias(AMOUNT),
        _image(order.cast("double")).alias(IMAGE),
        F.xxhash64("doc_id").alias(HASH),
    )


def cut(
    candidates: DataFrame, budget: int, mix: Mapping[str, float], *, deals: bool = False
) -> list[DomainShare]:
    """Find where each domain's order is cut.

    Needs: candidates (doc_id and the columns of `with_budget_columns`), each document once, all
        that may be kept; read twice or more.
    Args:
        deals: Whether others get what a domain cannot fill, in proportion to their shares.
    Returns:
        One a domain, in the order of the mix.
    Collects: at most `COLLECTED` rows a query; two queries for a million documents, at most seven
        for each of the two 64-bit numbers and one more.
    """
    domains = domains_of(mix)
    asked = apportion(budget, [share for _, share in domains])
    shares = [
        DomainShare(name, amount, goal=amount)
        for (name, _), amount in zip(domains, asked, strict=True)
    ]
    fitting = candidates.where(F.col(AMOUNT) <= _of_domain(asked)).select(
        "doc_id", DOMAIN, AMOUNT, IMAGE, HASH
    )
    parts = _first_parts(fitting, len(domains))
    ranges: dict[int, _KeyRange] = {}
    for number, of_domain in (_by_domain(parts) if parts else _totals(fitting)).items():
        there = sum(row["amount"] for row in of_domain)
        shares[number] = replace(shares[number], there=there)
        ranges[number] = _by_hash(_whole_range(of_domain))
    if deals:
        goals = deal([share.there for share in shares], [share for _, share in domains], budget)
        shares = [replace(share, goal=goal) for share, goal in zip(shares, goals, strict=True)]
    found = [
        replace(share, kept=share.there, documents=ranges[number].documents)
        if number in ranges
        else share
        for number, share in enumerate(shares)
    ]
    cut_ranges = {n: of for n, of in ranges.items() if shares[n].there > shares[n].goal}
    goals_of = {number: shares[number].goal for number in cut_ranges}
    if parts:
        of_domains = _by_domain(parts)
        cut_ranges = {
            number: of
            if of.image is not None
            else _narrower(of, of_domains[number], goals_of[number])
            for number, of in cut_ranges.items()
        }
    cut_ranges = _refined(fitting, cut_ranges, goals_of)
    for number, bound, amount, documents in _ends(fitting, cut_ranges, goals_of):
        found[number] = replace(shares[number], kept=amount, documents=documents, bound=bound)
    return found


def deal(there: Sequence[int], shares: Sequence[float], budget: int) -> list[int]:
    """Goals of domains where those that cannot fill their share leave it to the others.

    Args:
        there: The amount that each domain has.
        shares: Their shares of the budget.
    Returns:
        What each may keep: all that it has where it has less than its part of what is left, in
        proportion to the shares. They add up to the budget, unless all domains together have less.

    >>> deal([10, 1000, 1000], [0.5, 0.25, 0.25], 100)
    [10, 45, 45]
    >>> deal([10, 20], [0.5, 0.5], 100)
    [10, 20]
    """
    goals = list(there)
    open_ = set(range(len(there)))
    while open_:
        left = budget - sum(there[number] for number in range(len(there)) if number not in open_)
        order = sorted(open_)
        parts = dict(zip(order, apportion(left, [shares[n] for n in order]), strict=True))
        full = {number for number in order if there[number] < parts[number]}
        if not full:
            for number in order:
                goals[number] = parts[number]
            break
        open_ -= full
    return goals


def budget_reason(shares: Sequence[DomainShare]) -> Column:
    """The reason for which a budget leaves a document out; null for one that it keeps.

    Needs: doc_id and the columns of `with_budget_columns`.
    """
    place = F.struct(F.col(IMAGE), F.col(HASH), F.col("doc_id"))
    is_kept = F.col(AMOUNT) <= _of_domain([share.asked for share in shares])
    for number, share in enumerate(shares):
        if share.bound is not None:
            image, hash_, doc_id = share.bound
            bound = F.struct(
                F.lit(image).cast("bigint").alias(IMAGE),
                F.lit(hash_).cast("bigint").alias(HASH),
                F.lit(doc_id).alias("doc_id"),
            )
            is_kept &= (F.col(DOMAIN) != number) | (place < bound)
    return (
        F.when(F.col(DOMAIN).isNull(), NOT_IN_MIX)
        .when(F.col(AMOUNT).isNull(), UNSCORED)
        .when(~is_kept, OVER_BUDGET)
    )


@dataclass(frozen=True)
class _KeyRange:
    """The documents of a domain among which its order is cut."""

    least: int
    """Smallest image among them, or hash where `image` is set."""
    most: int
    documents: int
    image: int | None = None
    """The image of all of them, once it is the same."""
    amount_before: int = 0
    """The amount of the documents before them, which are all kept."""
    documents_before: int = 0


def _domain_number(mix: Mapping[str, float], label: Column) -> Column:
    """Number of a document's domain, in the order of `domains_of`; null where there is none."""
    if not mix:
        return F.lit(0)
    names = [name for name, _ in domains_of(mix)]
    numbers = [F.when(label == name, n) for n, name in enumerate(names) if name != REST]
    return F.coalesce(*numbers, F.lit(names.index(REST) if REST in names else None).cast("int"))


def _image(order: Column) -> Column:
    """A bigint that ascends where a double falls; the largest one for null and NaN.

    Source: the bits of two doubles of one sign are ordered as the doubles are (IEEE 754).
    """
    is_number = order.isNotNull() & ~F.isnan(order)
    inverted = F.when(order < 0, F.lit(0)).otherwise(F.lit(-1)).cast("bigint")
    return F.when(is_number, _bits(F.abs(order)).bitwiseXOR(inverted)).otherwise(F.lit(_MOST))


def _bits(number: Column) -> Column:
    """The bits of a double that is not negative, as a bigint.

    A call of Java's own function, by reflection, takes 8 microseconds, and finding the exponent by
    a logarithm most of one: scores in [0, 1] are compared with the powers of two below 1.

    Source: IEEE 754; Java's pow is exact where its result is a power of two that a double can hold.
    """
    near_one = F.coalesce(
        *(
            F.when(number >= 2.0**exponent, _scaled(number * 2.0**-exponent, F.lit(exponent)))
            for exponent in range(-1, _LEAST_NEAR - 1, -1)
        )
    )
    is_near_one = (number < 1.0) & (number >= 2.0**_LEAST_NEAR)
    return F.when(is_near_one, near_one).otherwise(_bits_of_any(number))


def _bits_of_any(number: Column) -> Column:
    least = F.lit(_LEAST_EXPONENT)
    near = F.greatest(F.floor(F.log2(number)).cast("int"), least)
    exponent = (
        F.when(_power(near) > number, near - 1)
        .when(_power(near + 1) <= number, near + 1)
        .otherwise(near)
    )
    return (
        # Below the least exponent all doubles are as far apart as there.
        F.when(number < 2.0**_LEAST_EXPONENT, (number / 2.0**_SMALLEST).cast("bigint"))
        .when(number == float("inf"), F.lit(2047 * _FRACTION))
        .otherwise(_scaled(number / _power(exponent), exponent))
    )


def _scaled(mantissa: Column, exponent: Column) -> Column:
    """The bits of a mantissa from 1 to 2 and an exponent."""
    fraction = ((mantissa - 1) * _FRACTION).cast("bigint")
    return (exponent.cast("bigint") - _LEAST_EXPONENT + 1) * _FRACTION + fraction


def _power(exponent: Column) -> Column:
    """2 to the power of an int."""
    return F.pow(F.lit(2.0), exponent)


def _of_domain(values: Sequence[int]) -> Column:
    """The value of a document's domain, by its number."""
    return F.get(F.array(*(F.lit(value).cast("bigint") for value in values)), F.col(DOMAIN))


def _first_parts(documents: DataFrame, domains: int) -> list[Any] | None:
    """Add up documents by domain and by the high bits of their images, which halve the way to the
    cut of most orders. None where these are more parts than the driver collects."""
    parts_of_doubling = max(1, COLLECTED // (_DOUBLINGS * domains))
    shift = _FRACTION.bit_length() - parts_of_doubling.bit_length()
    part = F.shiftright(IMAGE, shift).alias("part")
    # As one row: a query that ends with a limit is run part by part.
    found = (
        _summed(documents, part, IMAGE)
        .limit(COLLECTED + 1)
        .agg(F.collect_list(F.struct("*")).alias("rows"))
    )
    rows: list[Any] = found.collect()[0]["rows"]
    return None if len(rows) > COLLECTED else rows


def _totals(documents: DataFrame) -> dict[int, list[Any]]:
    """Add up documents by domain."""
    return _by_domain(_summed(documents, F.lit(0).alias("part"), IMAGE).collect())


def _summed(documents: DataFrame, part: Column, value: str) -> DataFrame:
    """Add up documents by domain and part, with the bounds of a value."""
    return documents.groupBy(DOMAIN, part).agg(
        F.sum(AMOUNT).alias("amount"),
        F.count("*").alias("documents"),
        F.min(value).alias("least"),
        F.max(value).alias("most"),
    )


def _by_domain(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row[DOMAIN], []).append(row)
    return found


def _whole_range(parts: Sequence[Any]) -> _KeyRange:
    """All documents of parts."""
    return _KeyRange(
        min(part["least"] for part in parts),
        max(part["most"] for part in parts),
        sum(part["documents"] for part in parts),
    )


def _refined(
    documents: DataFrame, ranges: Mapping[int, _KeyRange], goals: Mapping[int, int]
) -> dict[int, _KeyRange]:
    """Narrow the ranges until the documents of each fit into its part of `COLLECTED`."""
    narrowed = dict(ranges)
    fit = COLLECTED // max(1, len(narrowed))
    while wide := {n: of for n, of in narrowed.items() if of.documents > fit and not _is_one(of)}:
        shifts = {number: _shift(of, COLLECTED // len(wide)) for number, of in wide.items()}
        found: dict[int, list[Any]] = {number: [] for number in wide}
        for row in _sums(documents, wide, shifts):
            found[row[DOMAIN]].append(row)
        for number, rows in found.items():
            narrowed[number] = _narrower(wide[number], rows, goals[number])
    return narrowed


def _by_hash(of: _KeyRange) -> _KeyRange:
    """A range of equal images as one of all hashes; any other as it is."""
    if of.image is not None or of.least < of.most:
        return of
    return replace(of, image=of.least, least=_LEAST, most=_MOST)


def _is_one(of: _KeyRange) -> bool:
    """Whether all documents have one image and one hash."""
    return of.image is not None and of.least == of.most


def _shift(of: _KeyRange, parts: int) -> int:
    """The fewest low bits to drop, so that a range has at most so many parts."""
    shift = 0
    while (of.most >> shift) - (of.least >> shift) >= parts:
        shift += 1
    return shift


def _sums(
    documents: DataFrame, ranges: Mapping[int, _KeyRange], shifts: Mapping[int, int]
) -> list[Any]:
    """Add up the documents of ranges by the high bits of their images or hashes."""
    shift = F.get(
        F.array(*(F.lit(shifts.get(number, 0)) for number in range(max(shifts) + 1))), F.col(DOMAIN)
    )
    part = F.call_function("shiftright", F.col("value"), shift).alias("part")
    return _summed(_in_ranges(documents, ranges), part, "value").collect()


def _in_ranges(documents: DataFrame, ranges: Mapping[int, _KeyRange]) -> DataFrame:
    """The documents of ranges, with the image or hash that their range is of as ``value``."""
    values, holds = [], F.lit(False)
    for number, of in ranges.items():
        is_its = F.col(DOMAIN) == number
        column = F.col(IMAGE if of.image is None else HASH)
        values.append(F.when(is_its, column))
        inside = is_its & (column >= of.least) & (column <= of.most)
        holds |= inside if of.image is None else inside & (F.col(IMAGE) == of.image)
    return documents.where(holds).select("*", F.coalesce(*values).alias("value"))


def _narrower(of: _KeyRange, rows: Iterable[Any], goal: int) -> _KeyRange:
    """The part of a range in which the goal lies."""
    amount, documents = of.amount_before, of.documents_before
    for row in sorted(rows, key=lambda row: int(row["part"])):
        if amount + row["amount"] > goal:
            part = replace(
                of,
                least=row["least"],
                most=row["most"],
                documents=row["documents"],
                amount_before=amount,
                documents_before=documents,
            )
            return _by_hash(part)
        amount += row["amount"]
        documents += row["documents"]
    raise AssertionError(f"a goal of {goal:,} lies in no part of its range")


def _ends(
    documents: DataFrame, ranges: Mapping[int, _KeyRange], goals: Mapping[int, int]
) -> Iterable[tuple[int, Bound, int, int]]:
    """Yield of each range its domain, the bound, and amount and number of the documents before."""
    if not ranges:
        return
    rows: dict[int, list[tuple[int, int, str, int]]] = {number: [] for number in ranges}
    for row in (
        _in_ranges(documents, ranges).select(DOMAIN, IMAGE, HASH, "doc_id", AMOUNT).collect()
    ):
        rows[row[DOMAIN]].append((row[IMAGE], row[HASH], row["doc_id"], row[AMOUNT]))
    for number, of_domain in rows.items():
        amount, count = ranges[number].amount_before, ranges[number].documents_before
        for image, hash_, doc_id, its_amount in sorted(of_domain):
            if amount + its_amount > goals[number]:
                yield number, (image, hash_, doc_id), amount, count
                break
            amount += its_amount
            count += 1
