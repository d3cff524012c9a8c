"""The settings of [language]: what a language pack says that is no limit of a stage."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Literal

from jobs.config.scorers import declared
from udfs.base.language import (
    FUNCTION_CHARS,
    HAN,
    SENTENCE_ENDS,
    TextLanguage,
    UnknownScript,
    script_ranges,
)
from udfs.base.settings import ConfigError, check_known

LETTER_STEPS = (
    *("arabic_marks", "tatweel", "alef_forms", "alef_maqsura", "teh_marbuta"),
    "presentation_forms",
)
"""Names of `udfs.base.letters.FOLDS`, which takes longer to import."""
NUMBER_PLANS = ("CN", "TN")
"""Names of `udfs.pii.find.NUMBER_PLANS`."""


@dataclass(frozen=True)
class LanguageConfig:
    """The language of the corpus. ``language = "aeb"`` above all sections is short for ``pack``."""

    pack: str = "zh"
    """Language pack: the name of a folder in ``conf/languages``, or a path to one, relative to the
    configuration file or to where the run is started."""
    tag: str = "zh"
    """BCP 47 tag of the language, for the card of a release and the report."""
    labels: tuple[str, ...] = ("zh", "wuu", "yue")
    """Labels of identifiers for this language and those that they take for it. Where all of
    ``extract.languages`` are among them, ``extract.min_script_chars`` holds; two identifiers that
    both name one of them agree (``rules.language_disagreement``)."""
    script: tuple[str, ...] = HAN
    """Scripts of its texts: names as Unicode has them (Han, Arabic, Latin, ...), and ranges of code
    points as ``U+0600-06FF``."""
    charsets: tuple[str, ...] = ("gb18030", "big5hkscs")
    """Charsets of its older pages, by names of Python codecs: they are tried first where neither
    UTF-8 nor a label decides."""
    sentence_ends: str = SENTENCE_ENDS
    """Characters that end a sentence."""
    function_chars: str = FUNCTION_CHARS
    """Characters that are words by themselves and say nothing of a subject: measure
    ``function_char_share``. Empty for a language that has none."""
    tokenizer: Literal["rjieba", "jieba", "characters", "words"] = "rjieba"
    """How texts are cut into tokens: the default of every scorer's ``segmentation``. With
    ``words``, for languages that separate words by blanks, the measures words, mean_word_chars and
    stop_word_share are computed too."""
    stop_words: tuple[str, ...] = ()
    """Frequent words that say nothing of a subject: measure ``stop_word_share``, with the tokenizer
    ``words``."""
    normalise: tuple[str, ...] = ()
    """Steps that write letters in one way, in texts, before they are measured, of arabic_marks,
    tatweel, alef_forms, alef_maqsura, teh_marbuta, presentation_forms; they are kinds of edits.
    Bidirectional controls are invisible characters, which ``rules.repair`` removes."""
    fold: tuple[str, ...] = ()
    """The same steps, for words that are looked up among ``stop_words``: texts keep them."""
    number_plans: tuple[str, ...] = ("CN",)
    """Countries whose telephone, identity and bank card numbers are personal data, of CN, TN."""
    interface_words: tuple[str, ...] = ()
    """Texts of menus and buttons that describe no image, beside those that the code has of Chinese
    and English pages; case, blanks, marks and numbers do not count."""
    index_languages: tuple[str, ...] = ("zho",)
    """Languages of ``--index`` where ``--languages`` names none, as Common Crawl's index has them
    (ISO 639-3; it knows no dialects)."""
    scorers: tuple[str, ...] | None = None
    """Scorers whose bundled models hold for the language; off: all. Another one may run with a
    model of your own."""

    def __post_init__(self) -> None:
        try:
            script_ranges(self.script)
        except UnknownScript as error:
            raise ConfigError(f"language.script = {list(self.script)}: {error}") from error
        if not self.script:
            raise ConfigError("language.script = []: expected one or more scripts")
        for codec in self.charsets:
            if _codec_name(codec) != codec:
                raise ConfigError(
                    f"language.charsets: {codec!r} is not the name of a Python codec"
                    + ("" if _codec_name(codec) is None else f"; write {_codec_name(codec)!r}")
                )
        check_known("language.normalise", "", self.normalise, LETTER_STEPS)
        check_known("language.fold", "", self.fold, LETTER_STEPS)
        check_known("language.number_plans", "", self.number_plans, NUMBER_PLANS)
        check_known("language.scorers", "", self.scorers or (), tuple(declared()))

    def has_model(self, scorer: str) -> bool:
        """Whether the bundled model of a scorer holds for the language."""
        return self.scorers is None or scorer in self.scorers

    @property
    def text_language(self) -> TextLanguage:
        """What measures ask."""
        return TextLanguage(
            script=self.script,
            sentence_ends=self.sentence_ends,
            function_chars=self.function_chars,
            tokenizer=self.tokenizer,
            stop_words=self.stop_words,
            fold=self.fold,
            number_plans=self.number_plans,
        )


def _codec_name(name: str) -> str | None:
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None
