"""The settings of [pair_rules]: which image-text pairs are rejected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from udfs.base.settings import Bounds, ConfigError, Count, PositiveCount, Share
from udfs.html.robots import OPT_OUTS
from udfs.images.formats import SUPPORTED
from udfs.pii.find import PII_KINDS

TEXT_SOURCES = ("alt", "caption", "title", "heading")
"""What the text of a pair may be taken from."""

PAIR_RULE_REASONS = (
    *("unmeasured_text", "unmeasured_image", "unmeasured_condition", "no_text", "text_source"),
    *("text_length", "few_han", "few_script_chars", "kana", "many_letters", "many_digits"),
    *("file_name", "url_text"),
    *("interface_words", "logo_word", "site_name", "page_title", "in_page_title"),
    *("repeated_on_page", "frequent_text", "no_noun", "few_words", "many_words", "sensitive"),
    *("pii", "attribute", "not_in_main", "no_license", "opted_out", "frequent_url"),
    *("declared_size", "declared_aspect", "image_size", "image_aspect", "image_pixels"),
    *("image_bytes", "image_format", "animated"),
)
"""Reject reasons of the rules that have keys of their own; a condition takes another name."""

_Aspect = Annotated[float, Bounds(least=1)]


@dataclass(frozen=True)
class PairRulesConfig:
    """Limits on what is measured of a pair's text, page and image. Without a pack nothing but a
    pair without a text is rejected (``no_text``), and what a rule cannot be decided on
    (``unmeasured_text``, ``unmeasured_image``). Images are tested where a usable body was found."""

    pack: str | None = "default"
    """Rule pack of pairs: the name of a file in ``conf/packs/pairs``, or a path to one, relative to
    the configuration file or to where the run is started. Off: the defaults of this section."""
    conditions: dict[str, str] = field(default_factory=dict)
    """Further rules: reject reason = SQL expression over the columns of table ``pairs`` and
    ``more``, ``image``, ``page``, ``text_places`` and ``url_places``, true for rejected pairs
    (``small = "image IS NOT NULL AND image.bytes < 9000"``). Where an expression is null, the
    pair is ``unmeasured_condition``. They add up as those of [rules]."""
    text_sources: tuple[str, ...] = TEXT_SOURCES
    """Sources that a text may have: alt, caption, title, heading (reason ``text_source``)."""
    min_chars: Annotated[int, Bounds(least=0, at_most_key="max_chars")] | None = None
    """Fewest characters of a text, white space aside (``text_length``)."""
    max_chars: PositiveCount | None = None
    """Most of them (``text_length``)."""
    min_han_share: Share | None = None
    """Least share of ideographs among them (``few_han``)."""
    min_script_share: Share | None = None
    """Least share of the language's script among them (``few_script_chars``)."""
    max_kana_share: Share | None = None
    """Largest share of kana among kana and ideographs: Japanese (``kana``)."""
    max_letter_share: Share | None = None
    """Largest share of ASCII letters (``many_letters``)."""
    max_digit_share: Share | None = None
    """Largest share of ASCII digits (``many_digits``)."""
    reject_file_names: bool = False
    """Reject a text that is a file's name, or its number or hash (``file_name``)."""
    reject_urls: bool = False
    """Reject a text that is an address (``url_text``)."""
    reject_interface_words: bool = False
    """Reject a text of the interface, as 图片 or 点击查看大图 (``interface_words``)."""
    reject_logo_words: bool = False
    """Reject a text with a word for the sign of a site or firm (``logo_word``)."""
    reject_site_name: bool = False
    """Reject a text that is the site's name or part of it (``site_name``)."""
    reject_page_title: bool = False
    """Reject a text that is the page's title, or the part before its site name (``page_title``)."""
    reject_in_page_title: bool = False
    """Reject a text that is any part of the page's title (``in_page_title``)."""
    max_page_repeats: PositiveCount | None = None
    """Most image places of a page with the same text (``repeated_on_page``)."""
    max_text_places: PositiveCount | None = None
    """Most image places of the output with the same text (``frequent_text``)."""
    max_url_places: PositiveCount | None = None
    """Most image places of the output with the same address (``frequent_url``)."""
    min_nouns: Count | None = None
    """Fewest nouns of a text, by the tags of jieba's dictionary (``no_noun``); for languages of the
    tokenizers rjieba and jieba."""
    min_words: Annotated[int, Bounds(least=0, at_most_key="max_words")] | None = None
    """Fewest words of a text, as the language's tokenizer cuts it (``few_words``)."""
    max_words: PositiveCount | None = None
    """Most of them (``many_words``)."""
    max_sensitive_words: Count | None = None
    """Most distinct words of ``rules.lexicon`` in a text (``sensitive``)."""
    pii_kinds: tuple[str, ...] = ()
    """Kinds of personal data that reject a text (``pii``); all are found and stored."""
    attributes: tuple[str, ...] = ()
    """Attributes that may name an image, as column ``attribute`` has them; none listed: any
    (``attribute``)."""
    main_text_only: bool = False
    """Reject an image that is not beside a line of the main text (``not_in_main``)."""
    licensed_only: bool = False
    """Reject an image of a page without a Creative Commons link (``no_license``)."""
    opt_outs: tuple[str, ...] = ()
    """Opt-outs of a page that reject its images (``opted_out``)."""
    min_declared_side: Annotated[int, Bounds(least=1, at_most_key="max_declared_side")] | None = (
        None
    )
    """Least width and height in pixels that a page states, where it states one
    (``declared_size``)."""
    max_declared_side: PositiveCount | None = None
    """Largest of them (``declared_size``)."""
    max_declared_aspect: _Aspect | None = None
    """Largest ratio of the longer to the shorter of them, where it states both
    (``declared_aspect``)."""
    min_image_side: Annotated[int, Bounds(least=1, at_most_key="max_image_side")] | None = None
    """Least width and height of an image in pixels (``image_size``)."""
    max_image_side: PositiveCount | None = None
    """Largest of them (``image_size``)."""
    max_image_aspect: _Aspect | None = None
    """Largest ratio of the longer to the shorter of them (``image_aspect``)."""
    max_image_pixels: PositiveCount | None = None
    """Most pixels of an image (``image_pixels``)."""
    min_image_bytes: Count | None = None
    """Fewest bytes of an image's body (``image_bytes``)."""
    image_formats: tuple[str, ...] = SUPPORTED
    """Formats that an image may have (``image_format``)."""
    max_frames: PositiveCount | None = None
    """Most frames of an image; 1 rejects those that move (``animated``)."""

    def __post_init__(self) -> None:
        _check_known("text_sources", "sources", self.text_sources, TEXT_SOURCES)
        _check_known("pii_kinds", "kinds", self.pii_kinds, PII_KINDS)
        _check_known("opt_outs", "opt-outs", self.opt_outs, OPT_OUTS)
        _check_known("image_formats", "formats", self.image_formats, SUPPORTED)
        for key in ("text_sources", "image_formats"):
            if not getattr(self, key):
                raise ConfigError(f"pair_rules.{key} = []: no pair would be kept")


def _check_known(key: str, what: str, named: Sequence[str], known: Sequence[str]) -> None:
    if unknown := sorted(set(named) - set(known)):
        raise ConfigError(
            f"pair_rules.{key} = {list(named)}: unknown {', '.join(unknown)}; known {what}: "
            f"{', '.join(known)}"
        )
