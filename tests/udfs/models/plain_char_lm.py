"""n-gram models by dictionaries and loops: the definitions that the fast code is held against."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from udfs.base.array_types import Float64Array
from udfs.base.code_points import encode_texts
from udfs.models.char_lm import CharLanguageModel
from udfs.models.char_lm_tables import BEGIN, END, UNHEARD, UNKNOWN, NGramTables

Gram = tuple[str, ...]


class PlainKneserNey:
    """Interpolated, modified Kneser-Ney over characters, as Chen and Goodman define it.

    Counts of lower orders are of the different words before, but for what begins a line.
    """

    def __init__(self, lines: Sequence[str], order: int) -> None:
        sentences = [[BEGIN, *line, END] for line in lines]
        raw = [
            Counter(tuple(s[at : at + n]) for s in sentences for at in range(len(s) - n + 1))
            for n in range(1, order + 1)
        ]
        self.counts: list[dict[Gram, int]] = []
        for n, grams in enumerate(raw, 1):
            before: dict[Gram, set[str]] = defaultdict(set)
            if n < order:
                for gram in raw[n]:
                    before[gram[1:]].add(gram[0])
            self.counts.append(
                {
                    gram: count if n == order or gram[0] == BEGIN else len(before[gram])
                    for gram, count in grams.items()
                    if gram != (BEGIN,)
                }
            )
        self.followers: dict[Gram, dict[str, int]] = defaultdict(dict)
        for counts in self.counts:
            for gram, count in counts.items():
                self.followers[gram[:-1]][gram[-1]] = count
        self.words = {gram[0] for gram in self.counts[0]} | {UNKNOWN}
        self.discounts = [self._discounts(list(counts.values())) for counts in self.counts]

    @staticmethod
    def _discounts(counts: Sequence[int]) -> list[float]:
        n1, n2, n3, n4 = (sum(count == k for count in counts) for k in (1, 2, 3, 4))
        if not n1 * n2 * n3 * n4:
            return [0.0, 0.5, 1.0, 1.5]
        y = n1 / (n1 + 2 * n2)
        return [0.0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]

    def probability(self, word: str, context: Gram) -> float:
        """P(word | context), the context being shorter than the order."""
        n = len(context) + 1
        shorter = self.probability(word, context[1:]) if context else 1 / len(self.words)
        followers = self.followers[context]
        total = sum(followers.values())
        if not total:
            return shorter
        taken = sum(self.discounts[n - 1][min(c, 3)] for c in followers.values())
        count = followers.get(word, 0)
        return (count - self.discounts[n - 1][min(count, 3)] + taken * shorter) / total


class PlainBackoff:
    """A model as the ARPA format defines it: a dictionary, and backoff where it has no entry."""

    def __init__(self, ngrams: NGramTables) -> None:
        self.order = len(ngrams.orders)
        self.table = {
            tuple(ngrams.vocabulary[word] for word in words): (float(log10), float(backoff))
            for order in ngrams.orders
            for words, log10, backoff in zip(
                order.words.tolist(), order.log10, order.backoff, strict=True
            )
        }

    def log10(self, word: str, context: Gram) -> float:
        """log10 of P(word | context)."""
        context = context[max(0, len(context) - self.order + 1) :]
        if (*context, word) in self.table:
            return self.table[(*context, word)][0]
        if not context:
            return UNHEARD
        return self.table.get(context, (0.0, 0.0))[1] + self.log10(word, context[1:])

    def line(self, text: str) -> float:
        """log10 of P of a line and its end."""
        words = [BEGIN, *(char if (char,) in self.table else UNKNOWN for char in text), END]
        return sum(self.log10(words[at], tuple(words[:at])) for at in range(1, len(words)))


def score_lines(model: CharLanguageModel, lines: Sequence[str]) -> Float64Array:
    """log10 of the probability of each line, its end included."""
    return model.encoded_scores(encode_texts(lines))[0]
