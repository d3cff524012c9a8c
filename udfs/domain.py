"""Domain: which of eleven subjects a text belongs to, several at once where it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from udfs.artifact_files import ArtifactFile
from udfs.fasttext_model import FastTextModel
from udfs.form_tokens import form_tokens
from udfs.result_types import DOMAIN_TYPE
from udfs.scoring import Record, Scorer
from udfs.token_lines import Reading
from udfs.tokens import Tokens

LABELS = (
    "book",
    "dialogue",
    "education",
    "encyclopedia",
    "finance",
    "general",
    "law",
    "math",
    "medicine",
    "news",
    "technology",
)
GENERAL = "general"

MIN_PROBABILITY = 0.3

READING = Reading(min_token_chars=1, stop_words=None, distinct=True, extra=form_tokens)
"""How the bundled model wants its texts."""


@dataclass(frozen=True)
class LabelRules:
    """From a model's probabilities to labels."""

    min_probability: float = MIN_PROBABILITY
    """Least probability of a label of ``multi_label``."""
    min_probabilities: Mapping[str, float] = field(default_factory=dict)
    """That of single labels, where it is another one."""
    names: Mapping[str, str] = field(default_factory=dict)
    """A model's label -> the name that it goes by, where that is another one."""
    fallback: str = GENERAL
    """The label of an empty line."""

    def least(self, label: str) -> float:
        """Least probability of a label."""
        return self.min_probabilities.get(label, self.min_probability)


def score_domains(
    lines: Sequence[str] | Tokens, model: FastTextModel, rules: LabelRules | None = None
) -> list[Record]:
    """The domain labels of every token line, or of the tokens of every text.

    ``single_label`` is the most probable label, the first by name of several that are level.
    ``multi_label`` starts with it, so that no text is without a label, and goes on with every
    other label that reaches its least probability, in descending probability, then by name.
    ``probabilities`` holds all labels; of several of the model's that go by one name the likeliest.
    An empty line has the fallback label, with probability 0 throughout.

    Source:
        ChineseWebText 2.0, section on domains (multi_label from 0.3 on).
    """
    chosen = rules or LabelRules()
    names = [chosen.names.get(label, label) for label in model.labels]
    rows = model.probabilities(lines).tolist()
    return [
        _record(_by_name(names, row), chosen) if line else _record_of_nothing(names, chosen)
        for line, row in zip(lines, rows, strict=True)
    ]


def domain_scorer(
    artifact: ArtifactFile, rules: LabelRules | None = None, reading: Reading | None = None
) -> Scorer:
    """The domain scorer over one model.

    Its result is struct(single_label string, multi_label array<string>,
    probabilities map<string, double>).
    """
    score = partial(score_domains, rules=rules)
    return Scorer("domain", artifact, DOMAIN_TYPE, score, reading or Reading())


def labels_of(probabilities: Mapping[str, float], min_probability: float) -> list[str]:
    """The top label, then every other label of at least ``min_probability``.

    >>> labels_of({"news": 0.4, "law": 0.2, "finance": 0.4}, 0.3)
    ['finance', 'news']
    """
    return _labels(probabilities, LabelRules(min_probability))


def _labels(probabilities: Mapping[str, float], rules: LabelRules) -> list[str]:
    ranked = sorted(probabilities, key=lambda label: (-probabilities[label], label))
    others = [label for label in ranked[1:] if probabilities[label] >= rules.least(label)]
    return ranked[:1] + others


def _by_name(names: Sequence[str], row: Sequence[float]) -> dict[str, float]:
    probabilities: dict[str, float] = {}
    for name, probability in zip(names, row, strict=True):
        probabilities[name] = max(probability, probabilities.get(name, 0.0))
    return probabilities


def _record(probabilities: dict[str, float], rules: LabelRules) -> Record:
    labels = _labels(probabilities, rules)
    return {"single_label": labels[0], "multi_label": labels, "probabilities": probabilities}


def _record_of_nothing(names: Sequence[str], rules: LabelRules) -> Record:
    return {
        "single_label": rules.fallback,
        "multi_label": [rules.fallback],
        "probabilities": dict.fromkeys(names, 0.0),
    }
