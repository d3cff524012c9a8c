"""The whole configuration: frozen dataclasses, every key documented once, strict loading.

A run is described by one TOML file plus ``--set section.key=value``. Every key below has a
default, so the empty file is a valid configuration. A key that is not listed here, a value of
the wrong type or a word outside its choices stops the run on the driver before Spark starts.

TOML has no null: the word ``"off"`` switches an optional limit off (``0`` is a limit).

A rule pack is a file with a ``[rules]`` table; what it says stands before the run's own file. So
a value is that of ``--set``, else of the file, else of the pack, else the default below.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from udfs.html.robots import OPT_OUTS
from udfs.pii.find import PII_KINDS

OFF = "off"
OWN = "own"


@dataclass(frozen=True)
class Asks:
    """Marks a key whose value names an artifact; `asked_for` finds it and `make lock` locks it."""

    kind: str
    """What the artifact has to be: model, lexicon, taxonomy, hosts, stopwords, ..."""
    or_file: bool = True
    """Whether a path to a file of one's own is taken too."""


Model = Annotated[str, Asks("model")]
Lexicon = Annotated[str, Asks("lexicon")]
Labels = Annotated[str, Asks("taxonomy")]
Hosts = Annotated[str, Asks("hosts")]
StopWords = Annotated[str, Asks("stopwords")]

InputFormat = Literal["warc", "wet", "jsonl", "parquet"]

KeepPolicy = Literal["longest", "oldest", "newest", "best"]

RULE_REASONS = (
    "unmeasured",
    "length",
    "character",
    "sensitive",
    "duplication",
    "mojibake",
    "opted_out",
    "host_blocked",
    "pii",
)
"""Reject reasons of the rules that have keys of their own; a condition takes another name."""

_TOML = ".toml"
_REASON_NAME = re.compile(r"[a-z][a-z0-9_]*")
_HOST = re.compile(r"[^\s/:@?#.]+(\.[^\s/:@?#.]+)*")
_SNAPSHOT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class ConfigError(ValueError):
    """The configuration cannot be used; the message names file, key, value and known keys."""


@dataclass(frozen=True)
class InputConfig:
    """What is read."""

    format: InputFormat = "warc"
    """How the input files are laid out; ``--input-format`` sets it."""
    text_column: str = "text"
    """Column of JSONL and Parquet rows that holds the text."""
    id_column: str = "id"
    """Column that becomes doc_id where a row has it; other rows get an id from their content."""
    crawl_root: str = "https://data.commoncrawl.org/"
    """Where Common Crawl's files are read: what comes before ``crawl-data/``. Use
    ``s3://commoncrawl/`` on machines at AWS."""
    split_bytes: int = 128 * 2**20
    """Compressed bytes of captures in a split that an index plans."""
    max_gap_bytes: int = 64 * 2**10
    """Most bytes between two captures that are fetched together, and thrown away."""
    max_stretch_bytes: int = 8 * 2**20
    """Most bytes that one request asks for; a longer capture takes several."""
    parallel_reads: int = 4
    """Requests of one task that are on their way at the same time."""
    read_attempts: int = 8
    """Failures in a row after which a capture is given up (``range_unreadable``)."""
    retry_delay_s: float = 0.5
    """Wait after the first failure; doubled at each further one, shortened at random by up to
    half, a minute at most. A server's Retry-After is honoured."""
    read_timeout_s: float = 60.0
    """Seconds without a byte after which a connection counts as broken."""

    def __post_init__(self) -> None:
        least = {"split_bytes": 1, "max_gap_bytes": 0, "max_stretch_bytes": 1}
        for key, value in (least | {"parallel_reads": 1, "read_attempts": 1}).items():
            if getattr(self, key) < value:
                raise ConfigError(f"input.{key} = {getattr(self, key)}: expected {value} or more")
        for key in ("retry_delay_s", "read_timeout_s"):
            if getattr(self, key) <= 0:
                raise ConfigError(f"input.{key} = {getattr(self, key)}: expected above 0")
        if not self.crawl_root:
            raise ConfigError("input.crawl_root = '': expected a folder or a URI")


@dataclass(frozen=True)
class ExtractConfig:
    """From a captured payload to text."""

    languages: tuple[str, ...] = ("zh",)
    """Languages kept, as lid.176 labels; an empty list keeps every language."""
    min_language_score: float | None = 0.65
    """Least probability of the language label (ChineseWebText keeps Chinese from CC's label)."""
    language_artifact: Annotated[str, Asks("model", or_file=False)] = "lid"
    """Artifact name of the language identifier."""
    max_record_bytes: int = 32 * 2**20
    """A WARC record over this size is skipped while streaming and counted, never held."""
    max_body_bytes: int = 64 * 2**20
    """A body that inflates past this size (a decompression bomb) is counted as failed."""
    verify_digests: bool = False
    """Check block and payload digests that a record states; a mismatch is a failure."""
    min_han_chars: int | None = 16
    """Fewest Han ideographs of a text (reason ``too_few_han``), where every wanted language is
    written in them. Fewer are a menu's language names, or nothing that a corpus could use."""
    max_kana_share: float | None = 0.5
    """Largest share of kana in a page's kana and ideographs (reason ``mostly_kana``), where
    ``min_han_chars`` counts: more is Japanese. Judged on the whole page, with the prefilter and
    without; not with the extractor trafilatura."""
    prefilter: bool = True
    """Pass over a page whose bytes cannot hold ``min_han_chars`` before it is decoded and parsed.
    Documents are the same without it; an unread page may be counted under another reason."""
    extractor: Literal["fast", "trafilatura", "plain"] = "fast"
    """How a page becomes text: ``fast`` is ours, ``trafilatura`` that library (to be installed
    beside), ``plain`` all visible text."""
    max_html_chars: int = 8_000_000
    """Longest decoded page that is parsed."""
    max_html_nodes: int = 300_000
    """Most markup elements in a page that is parsed."""
    max_html_depth: int = 512
    """Deepest nesting that is parsed; a deeper page is counted as rejected."""
    batch_rows: int = 500
    """Rows in an Arrow batch that leaves the Python worker."""
    batch_bytes: int = 4 * 2**20
    """Bytes of text after which an Arrow batch leaves the Python worker."""


@dataclass(frozen=True)
class RulesConfig:
    """Limits of the rule filter (ChineseWebText 2.0, section 3; the defaults are the paper's)."""

    pack: str | None = "default"
    """Rule pack: the name of a file in ``conf/packs``, or a path to one, relative to the
    configuration file or to where the run is started. Off, and in mode ``casia-exact`` where none
    is named, there is none."""
    conditions: dict[str, str] = field(default_factory=dict)
    """Further rules in mode ``fixed``: reject reason = SQL expression over the measures, true for
    what is rejected (``too_many_links = "url_count > 0.02 * chars"``). Those of pack, file and
    ``--set rules.conditions.NAME=EXPRESSION`` add up; off switches one of the former off. Where an
    expression is null, a document is ``unmeasured``."""
    mode: Literal["fixed", "casia-exact"] = "fixed"
    """``fixed`` repairs the published script's quirks and records every reason that fires;
    ``casia-exact`` takes its decisions bit for bit, first reason only."""
    lexicon: Lexicon = "lexicon"
    """Sensitive words: an artifact name, or a path to a list of ``category TAB word`` lines."""
    min_chars: int | None = 200
    """Fewest code points of a text (reason ``length``)."""
    min_mean_line_chars: float | None = 10.0
    """Least mean of code points a line (reason ``length``)."""
    min_han_share: float | None = 0.30
    """Least share of Han code points (reason ``character``)."""
    repair: bool = True
    """Repair texts before they are measured: NFC, invisible and control characters, full-width
    Latin, repeated punctuation, lines of mojibake. ``documents`` keeps them as extracted, table
    ``edits`` has what changed. Mode ``casia-exact`` never changes a text."""
    traditional_policy: Literal["drop", "convert", "keep"] = "drop"
    """``drop`` rejects texts whose traditional share passes the limit below; ``convert`` puts them
    in simplified script before they are measured, and rejects none for it. The measure
    ``original_traditional_share`` is the share before that."""
    max_traditional_share: float | None = 0.10
    """Largest share of Han characters that exist in traditional script only (``character``)."""
    sensitive_count: Literal["distinct", "total"] = "distinct"
    """Whether a sensitive word counts once a document or at each occurrence."""
    max_sensitive_per_line: float | None = 0.5
    """Most sensitive words a line (reason ``sensitive``)."""
    max_dup_13gram_share: float | None = 0.5
    """Largest share of 13-character windows that occur more than once (``duplication``)."""
    max_mojibake_share: float | None = 0.1
    """Largest share of the non-ASCII characters that look misread (``mojibake``), in mode
    ``fixed``. The largest of 18,565 sound texts is 0.037; garbled ones begin near 0.3."""
    opt_out_policy: Literal["keep", "reject"] = "keep"
    """``reject`` removes pages that state one of ``opt_outs`` (reason ``opted_out``)."""
    opt_outs: tuple[str, ...] = ("noindex", "noai", "tdm_reservation")
    """Opt-outs that count; documents.opt_outs has all that a page states, noimageai too."""
    host_block: tuple[Hosts, ...] = ()
    """Lists of hosts, domains and words of addresses that are rejected (``host_blocked``): artifact
    names, or paths to lists. The first that has an address names its category, the measure
    ``host_block_category``."""
    host_allow: tuple[Hosts, ...] = ()
    """Lists whose addresses ``host_block`` never rejects; their category is the measure
    ``host_allow_category``."""
    pii_policy: Literal["keep", "mask", "reject"] = "keep"
    """``mask`` puts placeholders such as [EMAIL] for personal data before texts are measured;
    ``reject`` removes texts that have any (reason ``pii``). Where it stands is stored in any
    case, as the measure ``pii`` and in the corpus."""
    pii_kinds: tuple[str, ...] = PII_KINDS
    """Kinds of personal data that are masked or rejected; all are found and stored."""

    def __post_init__(self) -> None:
        if unknown := set(self.pii_kinds) - set(PII_KINDS):
            raise ConfigError(
                f"rules.pii_kinds = {list(self.pii_kinds)}: unknown {', '.join(sorted(unknown))}; "
                f"known kinds: {', '.join(PII_KINDS)}"
            )
        if unknown := set(self.opt_outs) - set(OPT_OUTS):
            raise ConfigError(
                f"rules.opt_outs = {list(self.opt_outs)}: unknown {', '.join(sorted(unknown))}; "
                f"known opt-outs: {', '.join(OPT_OUTS)}"
            )


@dataclass(frozen=True)
class DedupConfig:
    """Duplicate levels; each sees what the earlier ones kept."""

    levels: tuple[str, ...] = ("url", "exact", "near")
    """Which of url, exact, near, paragraph are run; always in that order. ``paragraph`` cuts text:
    after near, since what is cut must stand in a document that stays."""
    keep: KeepPolicy = "longest"
    """Which document of a cluster survives; ties go to the smallest doc_id. ``longest`` counts
    normalised characters; a document without capture time loses to one with. ``best`` is the
    highest quality score, and needs ``score.rows = "all"``: quality is then scored before."""
    url_keep: KeepPolicy | None = None
    """Which capture of one address survives, by the same words; off: as ``keep`` says."""
    preferred_hosts: tuple[str, ...] = ()
    """A document of these hosts, or of hosts below them, survives before any other of its cluster,
    whatever ``keep`` says."""
    shingle_chars: int = 5
    """Length of a shingle in normalised characters."""
    bands: int = 20
    """LSH bands. Of planted pairs, evenly from 0.8 to 1.0, bands x rows of 14 x 8 (FineWeb) find
    0.989, 20 x 8 0.997, 28 x 8 all of 3,063, 17 x 15 (HPLT) 0.871."""
    rows: int = 8
    """MinHash values a band."""
    min_similarity: float = 0.8
    """Least Jaccard similarity of shingle sets for a near duplicate."""
    verify: Literal["exact", "estimate"] = "exact"
    """Check candidate pairs on their shingle sets, or on their signatures alone."""
    max_pair_bucket: int = 32
    """Largest LSH bucket in which every undecided pair is checked; a larger one is checked
    against a bounded number of its members."""
    max_hub_rounds: int = 3
    """Members of a larger bucket that all others are checked against, beside the first; buckets
    undecided after that are counted in the report."""
    max_rounds: int = 50
    """Most rounds of the connected-components loop; not converging by then is an error."""
    paragraph_policy: Literal["first", "frequent", "measure"] = "first"
    """What level ``paragraph`` does with lines that several documents have. ``first`` keeps each
    in one place: of the kept documents in the one that ``keep`` prefers, where it comes first.
    ``frequent`` cuts every copy of one that over ``max_paragraph_documents`` documents have.
    ``measure`` cuts nothing; table ``cuts`` says what share of a text repeats."""
    max_paragraph_documents: int = 1000
    """Most documents of a paragraph that policy ``frequent`` leaves in them."""
    min_paragraph_chars: int = 20
    """Fewest normalised characters of a paragraph that is looked at. Of 64,071 shorter lines in
    16,949 sound texts 30 % occur elsewhere: closing brackets, options of a question, turns of a
    talk, 0.9 % of the characters; of 116,910 longer ones 2.9 % do."""
    signature_store: str | None = None
    """Folder or URI that keeps what later snapshots are matched against; off: this run stands
    alone. One run at a time writes to it."""
    snapshot: str | None = None
    """Name of this run in the store. Snapshots that were committed before are earlier: what they
    kept stays, and duplicates of it are removed here. A rerun replaces its own part alone."""

    def __post_init__(self) -> None:
        if unknown := set(self.levels) - {"url", "exact", "near", "paragraph"}:
            raise ConfigError(
                f"dedup.levels = {list(self.levels)}: unknown {', '.join(sorted(unknown))}; "
                "known levels: url, exact, near, paragraph"
            )
        least = {"max_pair_bucket": 2, "max_hub_rounds": 1, "max_rounds": 0}
        counts = ("max_paragraph_documents", "min_paragraph_chars")
        for key in ("shingle_chars", "bands", "rows", *counts, *least):
            value = getattr(self, key)
            if value < least.get(key, 1):
                raise ConfigError(f"dedup.{key} = {value}: expected {least.get(key, 1)} or more")
        if not 0.0 < self.min_similarity <= 1.0:
            raise ConfigError(
                f"dedup.min_similarity = {self.min_similarity}: expected above 0, at most 1"
            )
        for host in self.preferred_hosts:
            if not _HOST.fullmatch(host):
                raise ConfigError(
                    f"dedup.preferred_hosts: {host!r} is not a host, such as people.com.cn"
                )
        if self.snapshot is not None and not _SNAPSHOT_NAME.fullmatch(self.snapshot):
            raise ConfigError(
                f"dedup.snapshot = {self.snapshot!r}: expected letters, digits, '-', '_' and '.', "
                "a letter or digit first"
            )

    def needs_scores(self) -> bool:
        """Whether quality has to be scored before duplicates are looked for."""
        return "best" in (self.keep, self.url_keep)


@dataclass(frozen=True)
class ScoreConfig:
    """Which scorers run, and on what."""

    scorers: tuple[str, ...] = ("quality", "domain", "toxicity", "perplexity")
    """Scorers of a pipeline run, in order; the corpus needs all of these but ``perplexity``.
    There is ``quality_bert`` too."""
    rows: Literal["survivors", "all"] = "survivors"
    """``survivors`` leaves out documents that rules or dedup removed, where those tables are
    there; ``all`` scores every document."""


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


@dataclass(frozen=True)
class SelectConfig:
    """What enters the corpus: thresholds on stored scores, nothing is recomputed."""

    min_quality: float | None = 0.5
    """Least quality_score."""
    max_toxicity: float | None = None
    """Largest toxicity score; off keeps toxic texts, labelled."""
    min_perplexity: float | None = None
    """Least harmful-text perplexity; off keeps what is under it, flagged."""
    domains: tuple[str, ...] = ()
    """Domain labels kept (by single_label); empty keeps all."""
    min_segment_score: float | None = None
    """Cut a document to its runs of segments to which ``quality_bert`` gives at least this, joined
    by line breaks; column ``runs`` says where they were. One without any is rejected as
    ``no_good_segment``. Off: documents stay whole. The other thresholds are on whole documents."""
    jsonl: Literal["none", "gz", "zst"] = "none"
    """Also write the corpus as JSON lines, compressed so."""


@dataclass(frozen=True)
class RunConfig:
    """How the work is cut."""

    wave_splits: int = 512
    """Input splits in a wave; a wave commits whole and a rerun skips it."""
    partitions: int | None = None
    """Tasks a wave is read in; off gives every split its own task."""
    lease_s: float = 300.0
    """Seconds after which a run that vanished no longer keeps others from its output. While it
    lives, a run says so five times as often."""
    log: Literal["text", "json"] = "text"
    """Lines on standard error: ``text`` for people, ``json`` for one object a line."""
    metrics_file: str | None = None
    """A file, local or in a store, that is written anew after each wave with how far the output
    is, as Prometheus reads it; off for none."""

    def __post_init__(self) -> None:
        if self.wave_splits < 1:
            raise ConfigError(f"run.wave_splits = {self.wave_splits}: expected 1 or more")
        if self.lease_s <= 0:
            raise ConfigError(f"run.lease_s = {self.lease_s}: expected above 0")


@dataclass(frozen=True)
class ArtifactsConfig:
    """Where models and word lists come from."""

    catalogue: str = "artifacts.toml"
    """Catalogue file; a relative path is looked up beside the config file, then in conf/. Its lock
    lies beside it, as ``artifacts.lock``."""
    cache: str | None = None
    """Folder of fetched artifacts, on every machine; off means the user's cache folder."""


@dataclass(frozen=True)
class SparkConfig:
    """How Spark is started by ``python -m jobs.NAME``; under spark-submit nothing is read."""

    properties: str | None = None
    """Spark properties file; a relative path is beside the config file."""


@dataclass(frozen=True)
class Config:
    """One run."""

    input: InputConfig = field(default_factory=InputConfig)
    extract: ExtractConfig = field(default_factory=ExtractConfig)
    rules: RulesConfig = field(default_factory=RulesConfig)
    dedup: DedupConfig = field(default_factory=DedupConfig)
    score: ScoreConfig = field(default_factory=ScoreConfig)
    quality: QualityConfig = field(default_factory=QualityConfig)
    domain: DomainConfig = field(default_factory=DomainConfig)
    toxicity: ToxicityConfig = field(default_factory=ToxicityConfig)
    perplexity: PerplexityConfig = field(default_factory=PerplexityConfig)
    quality_bert: QualityBertConfig = field(default_factory=QualityBertConfig)
    select: SelectConfig = field(default_factory=SelectConfig)
    run: RunConfig = field(default_factory=RunConfig)
    artifacts: ArtifactsConfig = field(default_factory=ArtifactsConfig)
    spark: SparkConfig = field(default_factory=SparkConfig)


SECTIONS: dict[str, Any] = {
    f.name: f.default_factory for f in dataclasses.fields(Config) if callable(f.default_factory)
}


@dataclass(frozen=True)
class Asked:
    """An artifact that a configuration asks for."""

    key: str
    """``section.key``."""
    name: str
    """An artifact's name; or a path, where ``or_file`` says that it may be one."""
    kind: str
    or_file: bool


def asked_for(config: Config) -> list[Asked]:
    """The artifacts that the keys of a configuration name, in the order of the keys; those of
    scorers that do not run are left out."""
    found = []
    for section in SECTIONS:
        table = getattr(config, section)
        is_scorer = isinstance(table, FastTextConfig | PerplexityConfig | QualityBertConfig)
        if is_scorer and section not in config.score.scorers:
            continue
        for key, hint in typing.get_type_hints(type(table), include_extras=True).items():
            value = getattr(table, key)
            names = value if isinstance(value, tuple) else (value,)
            found += [
                Asked(f"{section}.{key}", name, mark.kind, mark.or_file)
                for mark in _marks(hint)
                for name in names
                if name not in (None, OWN)
            ]
    return found


def _marks(hint: Any) -> list[Asks]:
    """The marks of a type, of its alternatives and of its items."""
    own = [mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Asks)]
    return own or [mark for part in get_args(hint) for mark in _marks(part)]


def load_config(path: Path | None, settings: Sequence[str] = ()) -> Config:
    """Read a TOML file and ``section.key=value`` settings into a Config.

    Args:
        path: The file; None gives the defaults.
        settings: Later ones win, and all win over the file.
    Returns:
        All of it, what the rule pack says included; rules.pack is None where none is used.
    Raises:
        ConfigError: unreadable file, unknown key, wrong type, or a word outside its choices.
    """
    layers = [] if path is None else [(str(path), _read_toml(path))]
    layers += [(f"--set {setting}", _parse_setting(setting)) for setting in settings]
    # First what can be said without the pack, which is only then known.
    rules = Config().rules
    for where, tables in layers:
        rules = _with_tables(Config(rules=rules), _without_conditions(tables), where).rules
    pack = _pack(rules, layers, path)
    config = Config()
    for where, tables in [*([] if pack is None else [pack]), *layers]:
        config = _with_tables(config, tables, where)
    if config.rules.mode == "casia-exact" and config.rules.conditions:
        raise ConfigError(
            f"rules.mode = 'casia-exact' takes the published decisions alone; it cannot have "
            f"rules.conditions: {', '.join(config.rules.conditions)}"
        )
    _check_casia_edits_nothing(config.rules)
    _check_dedup(config)
    _check_segments(config)
    if pack is None:
        config = dataclasses.replace(config, rules=dataclasses.replace(config.rules, pack=None))
    return config


def _check_dedup(config: Config) -> None:
    """What keys must say together; not before all layers are known."""
    dedup = config.dedup
    if (dedup.signature_store is None) != (dedup.snapshot is None):
        raise ConfigError(
            f"dedup.signature_store = {dedup.signature_store!r}, dedup.snapshot = "
            f"{dedup.snapshot!r}: one needs the other"
        )
    if dedup.needs_scores() and config.score.rows != "all":
        raise ConfigError(
            f"dedup.keep = {dedup.keep!r}, dedup.url_keep = {dedup.url_keep!r}: best needs "
            f"score.rows = 'all', it is {config.score.rows!r}: what decides between duplicates is "
            "scored before they are known"
        )


def _check_segments(config: Config) -> None:
    """What cutting documents to segments takes: scores, of the text as it is when it is cut."""
    limit, dedup = config.select.min_segment_score, config.dedup
    if limit is None:
        return
    if "quality_bert" not in config.score.scorers:
        raise ConfigError(
            f"select.min_segment_score = {limit}: score.scorers = {list(config.score.scorers)} has "
            "no quality_bert"
        )
    cuts_paragraphs = "paragraph" in dedup.levels and dedup.paragraph_policy != "measure"
    if cuts_paragraphs and config.score.rows == "all":
        raise ConfigError(
            f"select.min_segment_score = {limit}: with paragraphs cut (dedup.levels) it needs "
            "score.rows = 'survivors': segments that are scored before lie elsewhere in the text"
        )


def bundled_packs() -> dict[str, Traversable]:
    """Name -> file of the rule packs that come with the code."""
    checkout = Path(__file__).resolve().parent.parent / "conf" / "packs"
    bundled = files("jobs") / "bundled" / "packs"  # installed, or in a zip
    found = (checkout if checkout.is_dir() else bundled).iterdir()
    packs = {file.name.removesuffix(_TOML): file for file in found if file.name.endswith(_TOML)}
    return dict(sorted(packs.items()))


def to_dict(config: Config) -> dict[str, Any]:
    """The configuration as plain dictionaries, for run.json and stage fingerprints."""
    return dataclasses.asdict(config)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text: {error.reason}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error


def _parse_setting(setting: str) -> dict[str, Any]:
    name, equals, value = setting.partition("=")
    section, *keys = name.strip().split(".")
    if not (equals and section and keys and all(keys)):
        raise ConfigError(f"--set {setting}: expected section.key=value")
    parsed = parse_value(value.strip())
    for key in reversed(keys):
        parsed = {key: parsed}
    return {section: parsed}


def parse_value(value: str) -> Any:
    """A TOML value; what is not TOML is a plain word, so that quotes are not needed."""
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return value


def _check_casia_edits_nothing(rules: RulesConfig) -> None:
    """The published decisions are those on the text as it is. ``repair`` is on where nobody says
    otherwise, and so just does nothing there."""
    edits = {"traditional_policy": "convert", "pii_policy": "mask"}
    for key, value in edits.items():
        if rules.mode == "casia-exact" and getattr(rules, key) == value:
            raise ConfigError(
                f"rules.{key} = {value!r}: rules.mode = 'casia-exact' never changes a text"
            )


def _without_conditions(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Only the [rules] of a layer, without conditions: those may concern the pack's."""
    rules = tables.get("rules", {})
    if isinstance(rules, dict):
        rules = {key: value for key, value in rules.items() if key != "conditions"}
    return {"rules": rules}


def _pack(
    rules: RulesConfig, layers: Sequence[tuple[str, Mapping[str, Any]]], path: Path | None
) -> tuple[str, dict[str, Any]] | None:
    """The layer of the rule pack: where it is from, and its tables.

    Args:
        rules: What the layers say; keys that none of them has are the defaults.
        path: The run's file, which a path may be relative to.
    """
    is_named = any("pack" in tables.get("rules", {}) for _, tables in layers)
    if rules.pack is None or (rules.mode == "casia-exact" and not is_named):
        return None
    where, tables = _read_pack(rules.pack, path)
    surplus = [name for name in tables if name != "rules"]
    own = tables.get("rules", {})
    if surplus or not isinstance(own, dict) or "pack" in own:
        raise ConfigError(
            f"{where}: a rule pack has one table [rules], whose keys are those of a run but pack"
        )
    pack = _with_tables(Config(), tables, where).rules
    if pack.mode == "casia-exact" and pack.conditions:
        raise ConfigError(
            f"{where}: mode = 'casia-exact' takes the published decisions alone; it cannot have "
            f"conditions: {', '.join(pack.conditions)}"
        )
    if rules.mode == "casia-exact" and pack.mode != "casia-exact":
        raise ConfigError(
            f"rules.pack = {rules.pack!r}: is for mode fixed, and rules.mode is 'casia-exact', "
            "which takes the published decisions alone"
        )
    return where, tables


def _read_pack(name: str, config_file: Path | None) -> tuple[str, dict[str, Any]]:
    """Where a pack lies, and its tables."""
    packs = bundled_packs()
    if name in packs:
        return f"rules.pack {name}", tomllib.loads(packs[name].read_text(encoding="utf-8"))
    folders = [Path(), *([] if config_file is None else [config_file.parent])]
    found = [path for folder in reversed(folders) if (path := folder / name).is_file()]
    if not found:
        raise ConfigError(f"rules.pack = {name!r}: no such pack or file; packs: {', '.join(packs)}")
    return str(found[0]), _read_toml(found[0])


def _with_tables(config: Config, tables: Mapping[str, Any], where: str) -> Config:
    for section, values in tables.items():
        if section not in SECTIONS:
            raise ConfigError(
                f"{where}: unknown section [{section}]; known sections: {', '.join(SECTIONS)}"
            )
        if not isinstance(values, dict):
            raise ConfigError(f"{where}: {section} = {values!r}: expected a table [{section}]")
        changed = _with_values(getattr(config, section), section, values, where)
        config = dataclasses.replace(config, **{section: changed})
    return config


def _with_values(table: Any, section: str, values: Mapping[str, Any], where: str) -> Any:
    hints = typing.get_type_hints(type(table))
    checked = {}
    for key, value in values.items():
        if key not in hints:
            raise ConfigError(
                f"{where}: unknown key {section}.{key} = {value!r}; "
                f"known keys of [{section}]: {', '.join(hints)}"
            )
        if get_origin(hints[key]) is dict:
            merge = _merged if key == "conditions" else partial(_mapping, hints[key])
            checked[key] = merge(getattr(table, key), value, f"{where}: {section}.{key}")
            continue
        checked[key] = _checked(value, hints[key], f"{where}: {section}.{key} = {value!r}")
    return dataclasses.replace(table, **checked)


def _merged(conditions: Mapping[str, str], value: Any, where: str) -> dict[str, str]:
    """Conditions with those of another layer; that one may switch off what the others have."""
    if not isinstance(value, dict):
        raise ConfigError(f"{where} = {value!r}: expected a table of name = SQL expression")
    merged = dict(conditions)
    for name, expression in value.items():
        if not isinstance(expression, str) or not expression.strip():
            raise ConfigError(f"{where}.{name} = {expression!r}: expected an SQL expression")
        if not _REASON_NAME.fullmatch(name):
            raise ConfigError(f"{where}.{name}: a reject reason is written in snake_case")
        if name in RULE_REASONS:
            raise ConfigError(
                f"{where}.{name}: is a rule of its own; take another name than "
                f"{', '.join(RULE_REASONS)}"
            )
        if expression == OFF and name not in merged:
            raise ConfigError(
                f"{where}.{name}: there is none to switch off; there are: "
                f"{', '.join(merged) or 'none'}"
            )
        merged[name] = expression
        if expression == OFF:
            del merged[name]
    return merged


def _mapping(hint: Any, table: Mapping[str, Any], value: Any, where: str) -> dict[str, Any]:
    """A mapping with the entries of another layer, which win."""
    if not isinstance(value, dict):
        raise ConfigError(f"{where} = {value!r}: expected a table of name = value")
    _, kind = get_args(hint)
    added = {
        name: _checked(item, kind, f"{where}.{name} = {item!r}") for name, item in value.items()
    }
    return {**table, **added}


def _checked(value: Any, hint: Any, where: str) -> Any:
    """The value in its field's type. Raises ConfigError with what was expected."""
    if get_origin(hint) in (types.UnionType, typing.Union):
        if value == OFF:
            return None
        hint = next(choice for choice in get_args(hint) if choice is not type(None))
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ConfigError(f"{where}: expected one of {', '.join(map(str, get_args(hint)))}")
        return value
    if get_origin(hint) is tuple:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ConfigError(f"{where}: expected a list of strings")
        return tuple(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(f"{where}: expected {hint.__name__}")
    return value
