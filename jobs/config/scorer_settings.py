"""Settings of the scorers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from udfs.base.settings import OWN, ConfigError, Hosts, Labels, Model, StopWords


@dataclass(frozen=True)
class FastTextConfig:
    """What the three fastText scorers have in common: a model, and how it wants its texts.

    The defaults of the latter are what ``segmentation`` 1 stands for. A model that needs that is
    used with no other; for one's own model they say how it was trained.
    """

    artifact: Model = ""
    """Artifact name of the model, or a path to a fastText ``.bin`` or ``.ftz`` file, relative to
    the configuration file or to where the run is started."""
    segmentation: Literal["rjieba", "jieba", "characters"] = "rjieba"
    """``jieba`` is that library; ``rjieba`` gives its words in a thirtieth of the time;
    ``characters`` are those of the text in lower case, but that letters a to z, and digits, stay in
    runs (with ``min_token_chars = 1`` and ``stopwords = "off"`` all of them)."""
    min_token_chars: int = 2
    """Tokens of fewer characters are left out."""
    stopwords: StopWords | None = OWN
    """Tokens that are left out too: ``own`` for the list in udfs/tokens/segment.py, off for none,
    or an artifact name or a path to a list, one a line."""
    max_chars: int | None = 20_000
    """Leading characters of a text that are looked at; off for all."""
    join_lines: bool = False
    """Take line breaks out of a text before it is cut into words."""
    distinct: bool = False
    """Count each token once a text, however often it comes."""
    extra_tokens: Literal["forms", "shape"] | None = None
    """What a model was told of a text beside its words, as further tokens: ``forms`` (see
    udfs/tokens/forms.py) are turns of speakers, exam options, articles of law and the like;
    ``shape`` (udfs/tokens/shape_tokens.py) its lines, signs and repetition, and its title."""


@dataclass(frozen=True)
class QualityConfig(FastTextConfig):
    """fastText quality student: score = P(label)."""

    artifact: Model = "quality"
    """Artifact name of the model, or a path."""
    label: str = "clean"
    """The model's label whose probability is the score, without ``__label__``."""
    distinct: bool = True
    """Count each token once a text, however often it comes."""
    extra_tokens: Literal["forms", "shape"] | None = "shape"
    """What the model was told of a text beside its words, as in the other sections."""


@dataclass(frozen=True)
class DomainConfig(FastTextConfig):
    """fastText domain labels."""

    artifact: Model = "domain"
    """Artifact name of the model, or a path."""
    min_token_chars: int = 1
    """Tokens of fewer characters are left out."""
    stopwords: StopWords | None = None
    """Tokens that are left out too, as in the other sections."""
    distinct: bool = True
    """Count each token once a text, however often it comes."""
    extra_tokens: Literal["forms", "shape"] | None = "forms"
    """What a model was told of a text beside its words, as in the other sections."""
    taxonomy: Labels = "domain_labels"
    """Artifact name of the labels that there are, or a path to a list of ``label TAB what it is``
    lines, the first of which is the label of a text without any word."""
    labels: dict[str, str] = field(default_factory=dict)
    """A label of the model -> the label that it is called here, where that is another one."""
    min_probability: float = 0.3
    """Least probability of a label in multi_label (MDFG); the top label is always in it."""
    min_probabilities: dict[str, float] = field(default_factory=dict)
    """That of single labels, where it is another one."""
    hosts: Hosts | None = "domain_hosts"
    """Artifact name of a list of hosts and words in hosts whose categories are labels, or a path to
    one, in any form that ``rules.host_block`` takes: the label of a document's host is likelier.
    Categories that are no labels of the model change nothing. Off: the text alone."""
    host_weight: float = 1.0
    """What the log odds of that label rise by."""


@dataclass(frozen=True)
class ToxicityConfig(FastTextConfig):
    """fastText toxicity: score = P(label)."""

    artifact: Model = "toxicity"
    """Artifact name of the model, or a path."""
    label: str = "toxic"
    """The model's label whose probability is the score, without ``__label__``."""
    min_label_score: float = 0.99
    """Least score of label 1 (MDFG)."""
    min_token_chars: int = 1
    """Tokens of fewer characters are left out."""
    stopwords: StopWords | None = None
    """Tokens that are left out too, as in the other sections."""
    distinct: bool = True
    """Count each token once a text, however often it comes."""
    max_chars: int | None = 1_000_000
    """Leading characters of a text that are looked at; off for all. Windows run to its end."""
    window_tokens: int | None = 64
    """Tokens of the windows that a text is looked at through, beside the whole; each begins half a
    window behind the one before. Off: the whole text alone, as published."""
    aggregate: Literal["max", "mean", "top_k"] = "max"
    """What the score is: ``max`` that of the worst window, so that one toxic comment under a long
    article counts; ``mean`` that of the whole text, as published; ``top_k`` the mean of the worst.
    The worst span and its score are stored in any case. ``min_label_score`` goes with it: a worst
    window scores higher than its text."""
    top_k: int = 3
    """Windows that ``top_k`` means."""
    window_discount: float = 0.589
    """What the log odds of ``max`` are lowered by, for each natural logarithm of the number of
    windows: the worst of many is bad by chance. From a score of 0.5 on less, from 0.99 on not at
    all."""
    exempt_formulas: bool = True
    """Leave out sentences of which more than half are digits and symbols (MDFG, which says so of
    its method; its script reads them)."""
    harmful: Model | None = "perplexity"
    """Artifact name of an n-gram model of harmful text, or a path to an ARPA file, as in
    ``perplexity.artifact``: a text that is likelier in it than in plain text is more toxic. Off:
    the fastText model alone."""
    harmful_plain: Model = "perplexity_plain"
    """That of plain text."""
    harmful_weight: float = 30.0
    """What the log odds of the score rise by, for each natural logarithm of the perplexity by
    these two under 1, of which no more than 0.1 counts; to a score of 0.98 at most."""

    def __post_init__(self) -> None:
        for key in ("window_tokens", "top_k"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise ConfigError(f"toxicity.{key} = {value}: expected 1 or more")


@dataclass(frozen=True)
class PerplexityConfig:
    """Harmful-text perplexity: how much a model of gambling and pornography is surprised."""

    artifact: Model = "perplexity"
    """Artifact name of the n-gram model of harmful text, or a path to an ARPA file whose words are
    characters."""
    plain: Model | None = "perplexity_plain"
    """That of plain text, which the perplexity is divided by: 1 says that nothing is likelier in
    harmful text. Off: the perplexity of the model above alone, as published; ``max_perplexity``
    then is of another order."""
    max_perplexity: float = 0.9629
    """Perplexity under which a text is flagged; the default finds nine in ten harmful pages."""
    max_chars: int | None = 20_000
    """Leading characters of a text that are looked at; off for all."""

    def __post_init__(self) -> None:
        if self.max_perplexity <= 0:
            raise ConfigError(
                f"perplexity.max_perplexity = {self.max_perplexity}: expected above 0"
            )
        if self.max_chars is not None and self.max_chars < 1:
            raise ConfigError(
                f"perplexity.max_chars = {self.max_chars}: expected 1 or more, or off"
            )


@dataclass(frozen=True)
class QualityBertConfig:
    """Quality by an encoder, segment by segment: a table of its own, not part of the corpus.

    Where no GPU is declared to Spark (conf/spark-gpu.conf), it runs on CPUs.
    """

    artifact: Model = "quality_bert"
    """Artifact name of an encoder, or a path to one, as ``python -m jobs.import_encoder`` makes it.
    The bundled one sees a page whole: its score of a document is no mean of segments."""
    segments: Literal["fixed", "casia-exact"] = "fixed"
    """``fixed`` cuts a text at ends of lines and sentences into segments of as many tokens as the
    encoder takes, and leaves nothing out; ``casia-exact`` into those of the published script, which
    drops segments under 200 characters, and pads as that does: its scores, at its pace."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """``auto``: the GPU that Spark gives a task, else the CPU; ``cuda``: that GPU, else the first
    of the machine, for a run on one machine alone."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """What the encoder computes in; ``auto``: what the device is fastest in, on a CPU bfloat16
    where it has AMX. Scores differ by less than 0.01."""
    batch_tokens: int | None = None
    """Tokens of a batch; off: 2,048 on a CPU, 65,536 on a GPU, which halves them when out of
    memory."""

    def __post_init__(self) -> None:
        if self.batch_tokens is not None and self.batch_tokens < 1:
            raise ConfigError(
                f"quality_bert.batch_tokens = {self.batch_tokens}: expected 1 or more, or off"
            )
