"""Domain: the labels of a text from a list of subjects; the bundled model has eleven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pyspark.sql.types import ArrayType, DoubleType, StringType, StructField, StructType

from udfs.base.settings import Amount, ConfigError, Hosts, Labels, Model, Share, StopWords
from udfs.lists.urls import split_url
from udfs.scorers.declaration import (
    CorpusColumn,
    KnownFiles,
    Rejection,
    ReportShares,
    ScorerDeclaration,
    ScorerFiles,
    read_known,
)
from udfs.scorers.fasttext_settings import (
    FastTextSettings,
    TokenChars,
    check_tokenizer,
    labels_of_model,
    plain_label,
    tokenizer_settings,
)
from udfs.scorers.scorer import Documents, Record, Scorer, model_of, with_odds

if TYPE_CHECKING:
    from udfs.files.artifacts import ArtifactFile
    from udfs.lists.host_lists import HostList
    from udfs.models.fasttext_model import FastTextModel
    from udfs.tokens.tokenizer import TokenizerSettings
    from udfs.tokens.tokens import Tokens

NAME = "domain"

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
"""How much the log odds of a label rise where the host of a document's address is listed for it."""


@dataclass(frozen=True)
class DomainSettings(FastTextSettings):
    """fastText domain labels."""

    artifact: Model = "domain"
    """Artifact name of the model, or a path."""
    min_token_chars: TokenChars = 1
    """Tokens of fewer characters are dropped."""
    stopwords: StopWords | None = None
    """Tokens that are dropped too, as in the other sections."""
    distinct: bool = True
    """Count each token once in a text, however often it occurs."""
    extra_tokens: Literal["forms", "shape"] | None = "forms"
    """Tokens beside the words, as in the other sections."""
    taxonomy: Labels = "domain_labels"
    """Artifact name of the list of labels, or a path to one: lines of ``label TAB meaning``. The
    first label is that of a text without any word."""
    labels: dict[str, str] = field(default_factory=dict)
    """Label of the model -> its name in the list of labels, where that differs."""
    min_probability: Share = MIN_PROBABILITY
    """Least probability of a label in multi_label (MDFG); the top label is always in it."""
    min_probabilities: dict[str, Share] = field(default_factory=dict)
    """Label -> its own least probability, where that differs."""
    hosts: Hosts | None = "domain_hosts"
    """Artifact name of a list of hosts and words in hosts whose categories are labels, or a path to
    one, in any form that ``rules.host_block`` takes: the label of a document's host is likelier.
    Categories that are no labels of the model change nothing. Off: the text alone."""
    host_weight: Amount = HOST_WEIGHT
    """How much the log odds of that label rise."""


@dataclass(frozen=True)
class DomainLimits:
    """Keys of [select] that look at domains."""

    domains: tuple[str, ...] = ()
    """Domain labels kept (by single_label); empty keeps all."""


PROBABILITY_TYPE = StructType(
    [StructField("label", StringType()), StructField("probability", DoubleType())]
)
RESULT_TYPE = StructType(
    [
        StructField("single_label", StringType()),
        StructField("multi_label", ArrayType(StringType())),
        StructField("probabilities", ArrayType(PROBABILITY_TYPE)),
    ]
)


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
    """Read a label set: UTF-8, lines of ``label TAB meaning``, the fallback first.

    Blank lines and lines that begin with # are skipped.

    Raises:
        TaxonomyError: unreadable, not UTF-8, an empty or repeated label, or no label at all.
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
            raise TaxonomyError(f"{path}:{number}: expected a label that is new, found {label!r}")
        labels.append(label)
    if not labels:
        raise TaxonomyError(f"{path}: holds no label")
    return Taxonomy(tuple(sorted(labels)), labels[0])


@dataclass(frozen=True)
class LabelRules:
    """How a model's probabilities become labels."""

    min_probability: float = MIN_PROBABILITY
    """Least probability of a label of ``multi_label``."""
    min_probabilities: Mapping[str, float] = field(default_factory=dict)
    """Label -> its own least probability, where that differs."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Label of the model -> its name, where that differs."""
    fallback: str = GENERAL
    """The label of an empty line."""

    @cached_property
    def lowest(self) -> float:
        """The lowest of the least probabilities."""
        return min([self.min_probability, *self.min_probabilities.values()])

    def least(self, label: str) -> float:
        """Least probability of a label."""
        return self.min_probabilities.get(label, self.min_probability)


@dataclass(frozen=True)
class HostRules:
    """Domains by the hosts of addresses."""

    hosts: ArtifactFile
    """A list of hosts and of words in them, whose categories are labels; others change nothing."""
    weight: float = HOST_WEIGHT


def score_domains(
    lines: Sequence[str] | Tokens, model: FastTextModel, rules: LabelRules | None = None
) -> list[Record]:
    """The domain labels of every token line, or of the tokens of every text.

    ``single_label`` is the most probable label, the first by name of equal ones. ``multi_label``
    starts with it, so that every text has a label, and continues with every other label that
    reaches its least probability, in descending probability, then by name. ``probabilities`` holds
    all labels in the model's order; where several labels of the model have one name, the highest.
    An empty line has the fallback label, with probability 0 for all.

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
    """The records with a likelier label for documents whose host is listed for one.

    Args:
        records: Results of `score_domains`; those of texts without any word stay as they are.
        documents: Their documents.
        hosts: The list of hosts.
        rules: As for `score_domains`.
    """
    from udfs.lists.host_lists import read_host_list

    named = model_of(hosts.hosts, read_host_list)
    chosen = rules or LabelRules()
    return [
        _with_label(record, host_label(named, url), hosts.weight, chosen)
        for record, url in zip(records, documents.urls, strict=True)
    ]


def host_label(hosts: HostList, url: str | None) -> str | None:
    """The category for which the host of an address is listed; None for one that is not listed.

    Paths are ignored: many companies have a /news/.
    """
    return None if url is None else hosts.match(split_url(url).host)


def domain_scorer(
    artifact: ArtifactFile,
    rules: LabelRules | None = None,
    tokenizer: TokenizerSettings | None = None,
    hosts: HostRules | None = None,
) -> Scorer:
    """The domain scorer over one model, and the list of hosts, if any."""
    from udfs.models.fasttext_model import load_fasttext
    from udfs.tokens.tokenizer import TokenizerSettings

    score = partial(score_domains, rules=rules)
    revise = None if hosts is None else partial(with_hosts, hosts=hosts, rules=rules)
    read = tokenizer or TokenizerSettings()
    return Scorer(NAME, artifact, RESULT_TYPE, score, read, load_fasttext, revise)


def bundled_tokenizer() -> TokenizerSettings:
    """How the texts of the bundled model are tokenized."""
    return tokenizer_settings(DomainSettings())


def labels_of(probabilities: Mapping[str, float], min_probability: float) -> list[str]:
    """The top label, then every other label of at least ``min_probability``.

    >>> labels_of({"news": 0.4, "law": 0.2, "finance": 0.4}, 0.3)
    ['finance', 'news']
    """
    return _labels(probabilities, LabelRules(min_probability))


def _make(settings: DomainSettings, files: ScorerFiles) -> Scorer:
    try:
        fallback = read_taxonomy(files.local("taxonomy")).fallback
    except TaxonomyError as error:
        raise ConfigError(f"domain.taxonomy: {error}") from error
    rules = LabelRules(
        settings.min_probability, settings.min_probabilities, _names(settings), fallback
    )
    hosts = None
    if settings.hosts is not None:
        hosts = HostRules(files.shipped("hosts"), settings.host_weight)
    tokenizer = tokenizer_settings(settings, files)
    return domain_scorer(files.shipped("artifact"), rules, tokenizer, hosts)


def _check(settings: DomainSettings, limits: DomainLimits, files: KnownFiles) -> None:
    check_tokenizer(NAME, settings, files)
    labels = labels_of_model(NAME, files)
    taxonomy = read_known("domain.taxonomy", files["taxonomy"], read_taxonomy, TaxonomyError)
    if labels is not None:
        _check_labels(settings, labels, taxonomy)
    if "hosts" in files:
        from udfs.lists.host_list_files import HostListError
        from udfs.lists.host_lists import read_host_list

        read_known("domain.hosts", files["hosts"], read_host_list, HostListError)
    if taxonomy is None:
        return
    named = {
        "select.domains": limits.domains,
        "domain.min_probabilities": settings.min_probabilities,
    }
    for key, names in named.items():
        if unknown := sorted(set(names) - set(taxonomy.labels)):
            known = ", ".join(taxonomy.labels)
            raise ConfigError(f"{key}: no label {unknown[0]!r}; known labels: {known}")


def _check_labels(
    settings: DomainSettings, labels: Sequence[str], taxonomy: Taxonomy | None
) -> None:
    """Check the model's labels, and what the settings call them."""
    names = _names(settings)
    if surplus := sorted(names.keys() - set(labels)):
        known = ", ".join(sorted(labels))
        raise ConfigError(f"domain.labels: the model has no {surplus[0]!r}; its labels are {known}")
    if taxonomy is None:
        return
    for label in labels:
        name = names.get(label, label)
        if name not in taxonomy.labels:
            raise ConfigError(
                f"domain.labels: the model's label {label!r} has the name {name!r}; expected one "
                f"of {', '.join(taxonomy.labels)}: set domain.labels.{label}"
            )


def _names(settings: DomainSettings) -> dict[str, str]:
    """Label of the model -> its name, where that differs."""
    return {plain_label(label): name for label, name in settings.labels.items()}


DOMAIN = ScorerDeclaration(
    name=NAME,
    settings=DomainSettings,
    result_type=RESULT_TYPE,
    make=_make,
    check=_check,
    is_default=True,
    is_required=True,
    corpus=(CorpusColumn("domain", ("single_label", "multi_label"), is_published=True),),
    limits=DomainLimits,
    rejections=(
        Rejection(
            "unwanted_domain",
            "domains",
            lambda scores, labels: ~scores["single_label"].isin(*labels),
            rank=1,
        ),
    ),
    shares=(
        ReportShares(
            *("domains", "domain.single_label", "domain", "Domains of the corpus"),
            labels="domain.multi_label",
        ),
    ),
)


def _labels(probabilities: Mapping[str, float], rules: LabelRules) -> list[str]:
    least = min(rules.lowest, max(probabilities.values()))
    # Most labels are far below: two or three are left to be sorted.
    found = [label for label, probability in probabilities.items() if probability >= least]
    if len(found) == 1:
        return found
    found.sort(key=lambda label: (-probabilities[label], label))
    return found[:1] + [label for label in found[1:] if probabilities[label] >= rules.least(label)]


def _with_label(record: Record, label: str | None, weight: float, rules: LabelRules) -> Record:
    probabilities = {of["label"]: of["probability"] for of in record["probabilities"]}
    if label is None or not probabilities.get(label):
        return record
    return _record(probabilities | {label: with_odds(probabilities[label], weight)}, rules)


def _by_name(names: Sequence[str], row: Sequence[float]) -> dict[str, float]:
    probabilities = dict(zip(names, row, strict=True))
    if len(probabilities) == len(names):
        return probabilities
    probabilities = {}
    for name, probability in zip(names, row, strict=True):
        probabilities[name] = max(probability, probabilities.get(name, 0.0))
    return probabilities


def _record(probabilities: dict[str, float], rules: LabelRules) -> Record:
    labels = _labels(probabilities, rules)
    return {
        "single_label": labels[0],
        "multi_label": labels,
        "probabilities": _pairs(probabilities),
    }


def _record_of_nothing(names: Sequence[str], rules: LabelRules) -> Record:
    return {
        "single_label": rules.fallback,
        "multi_label": [rules.fallback],
        "probabilities": _pairs(dict.fromkeys(names, 0.0)),
    }


def _pairs(probabilities: Mapping[str, float]) -> list[dict[str, Any]]:
    return [
        {"label": label, "probability": probability} for label, probability in probabilities.items()
    ]
