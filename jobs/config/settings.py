"""The settings of a run as frozen dataclasses: every key with its default and its meaning.

A bare string after a field is its documentation; the type of a number has its bounds.
`jobs.config.reference` prints all of them, and `jobs.config.values` checks them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from jobs.config.image_settings import ImagesConfig, ReleasePairsConfig
from jobs.config.language_settings import LanguageConfig
from jobs.config.pair_rule_settings import PairRulesConfig
from jobs.config.pair_settings import (
    InterleaveConfig,
    ReassignCaptionsConfig,
    ScorePairsConfig,
    SelectPairsConfig,
)
from jobs.config.release_settings import ReleaseConfig
from jobs.config.scorers import declared, declared_pairs, default_scorers
from jobs.config.select_settings import SelectConfig
from udfs.base.settings import (
    Amount,
    ArtifactKey,
    Bounds,
    ConfigError,
    Count,
    Hosts,
    Lexicon,
    PositiveAmount,
    PositiveCount,
    Share,
    check_known,
)
from udfs.html.page_kinds import PAGE_KINDS
from udfs.html.robots import OPT_OUTS
from udfs.pii.find import PII_KINDS

InputFormat = Literal["auto", "warc", "wet", "jsonl", "parquet"]

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
    "robots",
    "language_disagreement",
)
"""Reject reasons of the rules that have keys of their own; a condition takes another name."""

_HOST = re.compile(r"[^\s/:@?#.]+(\.[^\s/:@?#.]+)*")
_SNAPSHOT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class InputConfig:
    """The input files and how they are read."""

    format: InputFormat = "auto"
    """Format of the input files; ``--input-format`` sets it. With ``auto`` names and contents say
    it, of each kind of file by itself; ``wet`` only differs from ``warc`` with ``--crawl``."""
    text_column: str = "text"
    """Column of JSONL and Parquet rows that holds the text."""
    id_column: str = "id"
    """Column that becomes doc_id; rows without it get an id from their content."""
    crawl_root: str = "https://data.commoncrawl.org/"
    """Where Common Crawl's files are read: the part before ``crawl-data/``. Use
    ``s3://commoncrawl/`` on machines at AWS."""
    split_bytes: PositiveCount = 128 * 2**20
    """Compressed bytes of captures in a split, where an index plans it."""
    max_gap_bytes: Count = 64 * 2**10
    """Most bytes between two captures that are fetched with them and discarded."""
    max_stretch_bytes: PositiveCount = 8 * 2**20
    """Most bytes of one request; a longer capture takes several."""
    parallel_reads: PositiveCount = 4
    """Requests that one task makes at the same time."""
    read_attempts: PositiveCount = 8
    """Failures in a row after which a capture counts as failed (``range_unreadable``)."""
    retry_delay_s: PositiveAmount = 0.5
    """Seconds before the first retry; doubled for each further one, shortened at random by up to
    half, at most a minute. A server's Retry-After is honoured."""
    read_timeout_s: PositiveAmount = 60.0
    """Seconds without a byte after which a connection counts as broken."""

    def __post_init__(self) -> None:
        if not self.crawl_root:
            raise ConfigError("input.crawl_root = '': expected a folder or a URI")


@dataclass(frozen=True)
class ExtractConfig:
    """How captured payloads become texts."""

    languages: tuple[str, ...] = ("zh",)
    """Languages kept, as lid.176 labels; an empty list keeps every language."""
    min_language_score: Share | None = 0.65
    """Least probability of the language label (ChineseWebText keeps Chinese from CC's label)."""
    language_artifact: Annotated[str, ArtifactKey("model", or_file=False)] = "lid"
    """Artifact name of the language identifier."""
    max_record_bytes: PositiveCount = 32 * 2**20
    """A WARC record over this size is skipped while streaming and counted, never held."""
    max_body_bytes: PositiveCount = 64 * 2**20
    """A body that inflates past this size (a decompression bomb) is counted as failed."""
    verify_digests: bool = False
    """Check block and payload digests that a record states; a mismatch is a failure."""
    min_script_chars: Annotated[int, Bounds(least=0, at_most_key="max_html_chars")] | None = 16
    """Fewest characters of the language's script in a text (reason ``too_few_han``; of another
    script than Han ``too_few_script_chars``), where ``languages`` has none but ``language.labels``.
    Texts with fewer are names of languages in a menu, or of no use."""
    max_kana_share: Share | None = 0.5
    """Largest share of kana in a page's kana and ideographs (reason ``mostly_kana``), where
    ``min_script_chars`` applies to Han: more is Japanese. Counted on the whole page, with and
    without the prefilter; ignored by the extractor trafilatura."""
    prefilter: bool = True
    """Skip a page whose bytes cannot hold ``min_script_chars`` before it is decoded and parsed.
    Documents are the same without it; a skipped page may be counted under another reason."""
    extractor: Literal["fast", "trafilatura", "plain"] = "fast"
    """How a page becomes text: ``fast`` is this project's extractor, ``trafilatura`` that library
    (installed separately), ``plain`` all visible text."""
    pages: tuple[str, ...] = PAGE_KINDS
    """Kinds of HTML pages that become documents (``page_kind``, by a model over links, repeated
    blocks and words); a page of another kind is rejected (``unwanted_page_kind``). Rows, WET
    records and plain text have no kind, and are not affected."""
    products: bool = False
    """Also write what pages state of the products that they sell (JSON-LD, microdata, Open Graph)
    to table ``products``, in the same pass. Documents stay the same."""
    pairs: bool = False
    """Also write every image place of a document's page, with its address, texts and context, to
    table ``pairs``, in the same pass. Documents stay the same."""
    max_page_images: PositiveCount = 1000
    """Most image places of a page that become rows; further ones are counted
    (``too_many_images``). The most on 131 real pages is 339."""
    max_html_chars: PositiveCount = 8_000_000
    """Longest decoded page that is parsed."""
    max_html_nodes: PositiveCount = 300_000
    """Most markup elements in a page that is parsed."""
    max_html_depth: PositiveCount = 512
    """Deepest nesting that is parsed; a deeper page is counted as rejected."""
    batch_rows: PositiveCount = 500
    """Rows in an Arrow batch that leaves the Python worker."""
    batch_bytes: PositiveCount = 4 * 2**20
    """Bytes of text after which an Arrow batch leaves the Python worker."""

    def __post_init__(self) -> None:
        check_known("extract.pages", "kinds", self.pages, PAGE_KINDS)
        if not self.pages:
            raise ConfigError(
                f"extract.pages = []: no page would be kept; known kinds: {', '.join(PAGE_KINDS)}"
            )


@dataclass(frozen=True)
class RulesConfig:
    """Limits of the rule filter (ChineseWebText 2.0, section 3; the defaults are the paper's)."""

    pack: str | None = "default"
    """Rule pack: the name of a file in ``conf/packs``, or a path to one, relative to the
    configuration file or to where the run is started. Off: no pack; so is the default in mode
    ``casia-exact``."""
    conditions: dict[str, str] = field(default_factory=dict)
    """Further rules in mode ``fixed``: reject reason = SQL expression over the measures, true for
    rejected documents (``too_many_links = "url_count > 0.02 * chars"``). Those of pack, file and
    ``--set rules.conditions.NAME=EXPRESSION`` add up; off removes one of an earlier layer. Where an
    expression is null, the document is ``unmeasured``."""
    mode: Literal["fixed", "casia-exact"] = "fixed"
    """``fixed`` corrects errors of the published script and records every reason;
    ``casia-exact`` makes its decisions exactly, and records the first reason only."""
    lexicon: Lexicon = "lexicon"
    """Sensitive words: an artifact name, or a path to a list of ``category TAB word`` lines."""
    min_chars: Count | None = 200
    """Fewest code points of a text (reason ``length``)."""
    min_mean_line_chars: Amount | None = 10.0
    """Least mean of code points a line (reason ``length``)."""
    min_script_share: Share | None = 0.30
    """Least share of code points of the language's script (reason ``character``)."""
    repair: bool = True
    """Repair texts before they are measured: NFC, invisible and control characters, full-width
    Latin, repeated punctuation, lines of mojibake. ``documents`` keeps them as extracted, table
    ``edits`` has what changed. Mode ``casia-exact`` never changes a text."""
    traditional_policy: Literal["drop", "convert", "keep"] = "drop"
    """``drop`` rejects texts whose traditional share exceeds the limit below; ``convert`` converts
    them to simplified script before they are measured, and rejects none for it. The measure
    ``original_traditional_share`` is the share before the conversion."""
    max_traditional_share: Share | None = 0.10
    """Largest share of Han characters that exist in traditional script only (``character``)."""
    sensitive_count: Literal["distinct", "total"] = "distinct"
    """Count a sensitive word once in a document, or each occurrence."""
    max_sensitive_per_line: Amount | None = 0.5
    """Most sensitive words a line (reason ``sensitive``)."""
    max_dup_13gram_share: Share | None = 0.5
    """Largest share of 13-character windows that occur more than once (``duplication``)."""
    max_mojibake_share: Share | None = 0.1
    """Largest share of the non-ASCII characters that look misread (``mojibake``), in mode
    ``fixed``. The largest of 18,565 intact texts is 0.037; garbled ones begin near 0.3."""
    opt_out_policy: Literal["keep", "reject"] = "keep"
    """``reject`` removes pages that state one of ``opt_outs`` (reason ``opted_out``)."""
    opt_outs: tuple[str, ...] = ("noindex", "noai", "tdm_reservation")
    """Opt-outs that reject; documents.opt_outs has all that a page states, noimageai and
    noimageindex too."""
    host_block: tuple[Hosts, ...] = ()
    """Lists of hosts, domains and words of addresses that are rejected (``host_blocked``): artifact
    names, or paths to lists. The first list that has an address gives its category, the measure
    ``host_block_category``."""
    host_allow: tuple[Hosts, ...] = ()
    """Lists whose addresses ``host_block`` never rejects; their category is the measure
    ``host_allow_category``."""
    pii_policy: Literal["keep", "mask", "reject"] = "keep"
    """``mask`` replaces personal data by placeholders such as [EMAIL] before texts are measured;
    ``reject`` removes texts that have any (reason ``pii``). Its places are stored in any case, as
    the measure ``pii`` and in the corpus."""
    pii_kinds: tuple[str, ...] = PII_KINDS
    """Kinds of personal data that are masked or rejected; all are found and stored."""
    robots: tuple[str, ...] = ()
    """WARC files, folders or globs with captures of robots.txt files, as Common Crawl's subset
    ``robotstxt`` has them: a document whose site forbids ``robots_agent`` to fetch its address is
    rejected (``robots``). They are read once, into the table ``robots``."""
    robots_agent: tuple[str, ...] = ("CCBot",)
    """Names of crawlers; a site that forbids one of them counts. Without rules for a name those for
    ``*`` hold."""
    robots_unreachable: Literal["disallow", "allow"] = "disallow"
    """A site whose robots.txt answered with a server error, or cannot be read: RFC 9309 says
    ``disallow``. One that has no robots.txt (status 4xx) or no capture of it allows everything."""
    second_identifier: Literal["cld3"] | None = None
    """Identify the language of each text once more, by CLD3 (``pip install "taojin[cld3]"``): the
    measures ``language``, ``second_language`` and ``second_language_score``, which
    ``conditions`` may compare. Off: they are null."""
    language_disagreement: Literal["keep", "reject"] = "keep"
    """``reject`` removes texts whose two identifiers name different languages
    (``language_disagreement``); those of ``language.labels`` count as one."""

    def __post_init__(self) -> None:
        check_known("rules.pii_kinds", "kinds", self.pii_kinds, PII_KINDS)
        if not all(name.strip() for name in self.robots_agent) or not self.robots_agent:
            raise ConfigError(
                f"rules.robots_agent = {list(self.robots_agent)}: expected one or more names, as "
                '["CCBot"] or ["*"]'
            )
        check_known("rules.opt_outs", "opt-outs", self.opt_outs, OPT_OUTS)


@dataclass(frozen=True)
class DedupConfig:
    """Levels of deduplication; each sees the documents that the earlier ones kept."""

    levels: tuple[str, ...] = ("url", "exact", "near")
    """Levels that run, of url, exact, near and paragraph, always in this order. ``paragraph`` cuts
    text; it runs after near, since the text that it cuts must remain in a kept document."""
    keep: KeepPolicy = "longest"
    """Document of a cluster that is kept; ties go to the smallest doc_id. ``longest`` counts
    normalised characters; a document without capture time loses to one with. ``best`` is the
    highest score of ``select.quality_from``, and needs ``score.rows = "all"``: texts are then
    scored before."""
    url_keep: KeepPolicy | None = None
    """Capture of one address that is kept, in the same words; off: as ``keep``."""
    preferred_hosts: tuple[str, ...] = ()
    """A document of these hosts, or of hosts below them, is kept before any other of its cluster,
    whatever ``keep`` is."""
    shingle_chars: PositiveCount = 5
    """Length of a shingle in normalised characters."""
    shingle_words: PositiveCount | None = None
    """Length of a shingle in words, what stands between blanks, in the place of ``shingle_chars``;
    off for languages that do not separate words."""
    bands: PositiveCount = 20
    """LSH bands. Of planted pairs with similarities evenly from 0.8 to 1.0, bands x rows of 14 x 8
    (FineWeb) find 0.989, 20 x 8 0.997, 28 x 8 all of 3,063, 17 x 15 (HPLT) 0.871."""
    rows: PositiveCount = 8
    """MinHash values in a band."""
    min_similarity: Annotated[float, Bounds(above=0, most=1)] = 0.8
    """Least Jaccard similarity of shingle sets for a near duplicate."""
    verify: Literal["exact", "estimate"] = "exact"
    """Check candidate pairs by their shingle sets, or by their signatures alone."""
    max_pair_bucket: Annotated[int, Bounds(least=2)] = 32
    """Largest LSH bucket in which every undecided pair is checked; a larger one is checked
    against a bounded number of its members."""
    max_hub_rounds: PositiveCount = 3
    """Members of a larger bucket, beside the first, that all others are checked against; buckets
    that are undecided after that are counted in the report."""
    max_rounds: Count = 50
    """Most rounds of the connected-components loop; without convergence by then the run fails."""
    paragraph_policy: Literal["first", "frequent", "measure"] = "first"
    """How level ``paragraph`` treats lines that several documents have. ``first`` keeps each in one
    place: its first occurrence in the kept document that ``keep`` prefers. ``frequent`` cuts every
    copy of a line that more than ``max_paragraph_documents`` documents have. ``measure`` cuts
    nothing; table ``cuts`` has the share of a text that repeats."""
    max_paragraph_documents: PositiveCount = 1000
    """Most documents with a paragraph that policy ``frequent`` does not cut."""
    min_paragraph_chars: PositiveCount = 20
    """Fewest normalised characters of a paragraph that is compared. Of 64,071 shorter lines in
    16,949 intact texts 30 % occur elsewhere: closing brackets, options of a question, turns of a
    talk, 0.9 % of the characters; of 116,910 longer ones 2.9 % do."""
    signature_store: str | None = None
    """Folder or URI of the data that later snapshots are matched against; off: this run is matched
    against no other. One run at a time writes to it."""
    snapshot: str | None = None
    """Name of this run in the store. Snapshots committed before are earlier: their kept documents
    stay, and duplicates of them are removed here. A rerun replaces its own part only."""

    def __post_init__(self) -> None:
        if unknown := set(self.levels) - {"url", "exact", "near", "paragraph"}:
            raise ConfigError(
                f"dedup.levels = {list(self.levels)}: unknown {', '.join(sorted(unknown))}; "
                "known levels: url, exact, near, paragraph"
            )
        for host in self.preferred_hosts:
            if not _HOST.fullmatch(host):
                raise ConfigError(
                    f"dedup.preferred_hosts: {host!r} is not a host; write it as people.com.cn"
                )
        if self.snapshot is not None and not _SNAPSHOT_NAME.fullmatch(self.snapshot):
            raise ConfigError(
                f"dedup.snapshot = {self.snapshot!r}: expected letters, digits, '-', '_' and '.', "
                "a letter or digit first"
            )

    def needs_scores(self) -> bool:
        """Whether texts must be scored before duplicates are searched."""
        return "best" in (self.keep, self.url_keep)


@dataclass(frozen=True)
class ScoreConfig:
    """The scorers that run, and the documents that they score."""

    scorers: tuple[str, ...] = field(default_factory=default_scorers)
    """Scorers that run, in order. Where a corpus row needs others, an error names them.
    ``contamination`` runs too where ``contamination.benchmarks`` names files."""
    rows: Literal["survivors", "all"] = "survivors"
    """``survivors`` leaves out documents that rules or deduplication removed, where these stages
    have run; ``all`` scores every document."""
    with_text: bool = False
    """Also write ``scored_texts``: each scored text with its scores beside it."""


@dataclass(frozen=True)
class AuditConfig:
    """Samples of documents by stage and reason, in the table ``audit`` and the report."""

    samples: Count = 5
    """Documents for every stage and reason, pairs of near duplicates, kept documents, those just
    above the limit of quality, and toxic ones; 0 writes an empty table."""
    seed: Count = 0
    """Which documents: another seed takes others."""
    max_chars: PositiveCount = 600
    """Most code points of a sample's text: the part around what decided."""


@dataclass(frozen=True)
class RunConfig:
    """How the work is cut into waves and tasks, and how a run reports."""

    wave_splits: PositiveCount = 512
    """Input splits in a wave; a wave is committed whole, and a rerun skips it."""
    partitions: Annotated[int, Bounds(least=1, most=2**31 - 1)] | None = None
    """Tasks that read a wave; off: one for each split."""
    lease_s: PositiveAmount = 300.0
    """Seconds after which the lease of a run that died expires and others may write to its output.
    A live run renews it five times as often."""
    allow_empty: bool = False
    """Whether a command succeeds where all that it read failed, or nothing came out; else its exit
    status is 3."""
    log: Literal["text", "json"] = "text"
    """Lines on standard error: ``text`` to read, ``json`` for one object a line."""
    metrics_file: str | None = None
    """A file, local or in a store, that is rewritten after each wave with the progress of the
    output, in the format of Prometheus; off: no file."""
    redo: Literal["ask", "always"] = "ask"
    """What to do before a table is deleted, or finished work of other stages than the command's is
    done again: ``ask`` on a terminal, elsewhere fail unless ``--yes`` is given; ``always`` goes
    on."""


@dataclass(frozen=True)
class ArtifactsConfig:
    """Where models and word lists are found."""

    catalogue: str = "artifacts.toml"
    """Catalogue file; a relative path is looked up beside the config file, then in conf/. Its lock
    is ``artifacts.lock`` beside it."""
    cache: str | None = None
    """Folder of fetched artifacts, on every machine; off: the user's cache folder."""


@dataclass(frozen=True)
class SparkConfig:
    """How ``python -m jobs.NAME`` starts Spark, and how queries over little data are planned."""

    properties: str | None = None
    """Spark properties file; a relative path is looked up beside the config file. spark-submit
    ignores it."""
    class_archive: bool = False
    """Keep the classes that a first run of run_pipeline loads, ready to be mapped into memory, in
    the folder of fetched artifacts: 0.2 GB, and later commands start faster. spark-submit ignores
    it."""
    small_properties: str | None = None
    """Properties file of Spark SQL's settings for an output of little input, where queries take
    longer to plan and compile than to run; looked up as the other."""
    small_input_bytes: Count = 671_088_640
    """Bytes of all input of an output up to which `small_properties` apply."""

    def is_small(self, input_bytes: int | None) -> bool:
        """Whether `small_properties` apply to an output with so much input; None: not known."""
        if self.small_properties is None or input_bytes is None:
            return False
        return input_bytes <= self.small_input_bytes


def scorer_settings() -> dict[str, Any]:
    """Scorer -> its settings with their defaults."""
    return {name: scorer.settings() for name, scorer in declared().items()}


def scorer_limits() -> dict[str, Any]:
    """Scorer -> its keys of [select] with their defaults, for scorers that have some."""
    return {
        name: scorer.limits() for name, scorer in declared().items() if scorer.limits is not None
    }


def pair_scorer_settings() -> dict[str, Any]:
    """Scorer of pairs -> its settings with their defaults."""
    return {name: scorer.settings() for name, scorer in declared_pairs().items()}


def pair_scorer_limits() -> dict[str, Any]:
    """Scorer of pairs -> its keys of [select_pairs] with their defaults, for those with some."""
    return {
        name: scorer.limits()
        for name, scorer in declared_pairs().items()
        if scorer.limits is not None
    }


@dataclass(frozen=True)
class Config:
    """All settings of a run."""

    input: InputConfig = field(default_factory=InputConfig)
    language: LanguageConfig = field(default_factory=LanguageConfig)
    extract: ExtractConfig = field(default_factory=ExtractConfig)
    rules: RulesConfig = field(default_factory=RulesConfig)
    dedup: DedupConfig = field(default_factory=DedupConfig)
    score: ScoreConfig = field(default_factory=ScoreConfig)
    scorers: Mapping[str, Any] = field(default_factory=scorer_settings)
    """Scorer -> the settings of its section, of the type that it declares."""
    select: SelectConfig = field(default_factory=SelectConfig)
    limits: Mapping[str, Any] = field(default_factory=scorer_limits)
    """Scorer -> its keys of [select], of the type that it declares."""
    release: ReleaseConfig = field(default_factory=ReleaseConfig)
    images: ImagesConfig = field(default_factory=ImagesConfig)
    pair_rules: PairRulesConfig = field(default_factory=PairRulesConfig)
    score_pairs: ScorePairsConfig = field(default_factory=ScorePairsConfig)
    pair_scorers: Mapping[str, Any] = field(default_factory=pair_scorer_settings)
    """As ``scorers``, of pairs."""
    select_pairs: SelectPairsConfig = field(default_factory=SelectPairsConfig)
    pair_limits: Mapping[str, Any] = field(default_factory=pair_scorer_limits)
    """Scorer of pairs -> its keys of [select_pairs], of the type that it declares."""
    reassign_captions: ReassignCaptionsConfig = field(default_factory=ReassignCaptionsConfig)
    interleave: InterleaveConfig = field(default_factory=InterleaveConfig)
    release_pairs: ReleasePairsConfig = field(default_factory=ReleasePairsConfig)
    audit: AuditConfig = field(default_factory=AuditConfig)
    run: RunConfig = field(default_factory=RunConfig)
    artifacts: ArtifactsConfig = field(default_factory=ArtifactsConfig)
    spark: SparkConfig = field(default_factory=SparkConfig)
