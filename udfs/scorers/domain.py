"""Label sets: which labels there are, and which a text has that nothing can be said of.

Domain: which of eleven subjects a text belongs to, several at once where it does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from udfs.files.artifacts import ArtifactFile
from udfs.lists.host_lists import HostList, read_host_list
from udfs.lists.urls import split_url
from udfs.models.fasttext_model import FastTextModel
from udfs.scorers.result_types import DOMAIN_TYPE
from udfs.scorers.scoring import Documents, Record, Scorer, model_of, with_odds
from udfs.tokens.forms import form_tokens
from udfs.tokens.tokenizer import TokenizerSettings
from udfs.tokens.tokens import Tokens


class TaxonomyError(ValueError):
    """A label set cannot be read; the message names file and line."""


@dataclass(frozen=True)
class Taxonomy:
    """The labels of a set."""

    labels: tuple[str, ...]
    """All of them, sorted."""
    fallback: str
    """The label of a text without any word."""


def read_taxonomy(path: Path) -> Taxonomy:
    """Read a label set: UTF-8, ``label TAB what it is`` a line, the fallback first.

    Blank lines and lines that begin with # are passed over.

    Raises:
        TaxonomyError: unreadable, not UTF-8, a label that comes twice or is none, or no label.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise TaxonomyError(f"{path}: is not UTF-8 text: {error.reason}") from error
    except OSError as error:
        raise TaxonomyError(f"{path}: cannot be read: {error.strerror or error}") from error
    labels: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        label = line.partition("\t")[0].strip()
        if not label or label in labels:
            raise TaxonomyError(f"{path}:{number}: expected another label, found {label!r}")
        labels.append(label)
    if not labels:
        raise TaxonomyError(f"{path}: holds no label")
    return Taxonomy(tuple(sorted(labels)), labels[0])


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

HOST_WEIGHT = 1.0
"""What the log odds of a label rise by, where the host of a document's address names it."""

READING = TokenizerSettings(min_token_chars=1, stop_words=None, distinct=True, extra=form_tokens)
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


@dataclass(frozen=True)
class HostRules:
    """What the hosts of addresses say of domains."""

    hosts: ArtifactFile
    """A list of hosts and of words in them, whose categories are labels; others say nothing."""
    weight: float = HOST_WEIGHT


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


def with_hosts(
    records: Sequence[Record],
    documents: Documents,
    hosts: HostRules,
    rules: LabelRules | None = None,
) -> list[Record]:
    """The records of documents whose addresses are known: the label that a host names is likelier.

    Args:
        records: As `score_domains` gives them; those without any word stay as they are.
        documents: What the records are of.
        hosts: What is known of hosts.
        rules: As for `score_domains`.
    """
    named = model_of(hosts.hosts, read_host_list)
    chosen = rules or LabelRules()
    return [
        _with_label(record, host_label(named, url), hosts.weight, chosen)
        for record, url in zip(records, documents.urls, strict=True)
    ]


def host_label(hosts: HostList, url: str | None) -> str | None:
    """What the host of an address is listed for; None for one that is not listed.

    Paths are not looked at: many a company has its own /news/.
    """
    return None if url is None else hosts.match(split_url(url).host)


def domain_scorer(
    artifact: ArtifactFile,
    rules: LabelRules | None = None,
    reading: TokenizerSettings | None = None,
    hosts: HostRules | None = None,
) -> Scorer:
    """The domain scorer over one model, and what is known of hosts, if anything.

    Its result is struct(single_label string, multi_label array<string>,
    probabilities map<string, double>).
    """
    score = partial(score_domains, rules=rules)
    revise = None if hosts is None else partial(with_hosts, hosts=hosts, rules=rules)
    return Scorer(
        "domain", artifact, DOMAIN_TYPE, score, reading or TokenizerSettings(), revise=revise
    )


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


def _with_label(record: Record, label: str | None, weight: float, rules: LabelRules) -> Record:
    probabilities = record["probabilities"]
    if label is None or not probabilities.get(label):
        return record
    return _record(probabilities | {label: with_odds(probabilities[label], weight)}, rules)


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
