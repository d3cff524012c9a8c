"""Measures of the texts of image places that rules test: each of one text, its page known.

They are measured once and stored; thresholds decide later.

Source:
    The kinds of texts are those of 4,586 images on 131 Chinese pages: 15.9 % have an alt that may
    describe them, 3.2 % one without ideographs, 1.9 % words of the interface, 1.7 % a file name,
    1.4 % the page's title or part of it. The share of kana is there as Japanese texts have
    ideographs, too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from udfs.base.code_points import CODE_POINTS, encode_texts
from udfs.pairs.interface_words import GENERIC_TEXTS, LOGO_WORDS
from udfs.pairs.schema import PAIR_TEXT_MEASURES

_FILE_NAME = re.compile(
    r"[^\s/\\]*\.(?:jpe?g|png|gif|webp|bmp|svg|tiff?|avif|heic|ico|jfif|psd)"
    r"|(?:img|dsc[fn]?|image|pic|photo|p|mmexport|wx|screenshot|snipaste|qq截图|qq图片|微信图片"
    r"|微信截图|截图|截屏|屏幕截图|屏幕快照|未标题|无标题|未命名)?[-_ ()（）]*[0-9][-_. ()（）0-9]*"
    r"|[0-9a-f]{8,}(?:-[0-9a-f]{4,}){0,4}",
    re.IGNORECASE,
)
_URL = re.compile(
    r"(?:https?:)?//\S+|www\.\S+|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|cn|net|org|tw|hk|cc|top|info)"
    r"(?:/\S*)?",
    re.IGNORECASE,
)
_NOT_WORDS = re.compile(r"[\W_]+")
_NUMBER = re.compile(r"[0-9]+$|^[0-9]+")
_TITLE_PARTS = re.compile(r"\s+[-–—|_·]+\s+|[_|｜—–]+|\s-|-\s|--+")
_LOGO = re.compile("|".join(LOGO_WORDS))
Words = frozenset[str]
NO_WORDS: Words = frozenset()
_WHITE, _HAN, _KANA, _LETTER, _DIGIT = range(1, 6)


def _character_classes() -> npt.NDArray[np.uint8]:
    classes = np.zeros(CODE_POINTS, dtype=np.uint8)
    for first, last in ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)):
        classes[first : last + 1] = _HAN
    classes[0x3041:0x3100] = _KANA
    classes[0x30FB] = 0  # a dot that Chinese pages use as a bullet
    classes[0xFF66:0xFFA0] = _KANA
    classes[ord("a") : ord("z") + 1] = classes[ord("A") : ord("Z") + 1] = _LETTER
    classes[ord("0") : ord("9") + 1] = _DIGIT
    classes[[code for code in range(0x3001) if chr(code).isspace()]] = _WHITE
    return classes


_CLASSES = _character_classes()


def plain(text: str) -> str:
    """Return a text without spaces and punctuation, in lower case: how texts are compared."""
    return _NOT_WORDS.sub("", text).lower()


def is_file_name(text: str) -> bool:
    """Whether a text is a file's name, or the number or hash that stands for one.

    >>> [is_file_name(text) for text in ("IMG_2034.JPG", "微信图片_20190807", "20190807", "第3张")]
    [True, True, True, False]
    """
    return _FILE_NAME.fullmatch(text.strip()) is not None


def is_url(text: str) -> bool:
    """Whether a text is an address.

    >>> is_url("www.example.cn/a"), is_url("example.com"), is_url("访问 www.example.cn")
    (True, True, False)
    """
    return _URL.fullmatch(text.strip()) is not None


def is_interface(text: str, more: Words = NO_WORDS) -> bool:
    """Whether a text is one of the interface, which a number may precede or follow.

    Args:
        more: Texts of the language's interfaces beside GENERIC_TEXTS, as `plain` returns them.

    >>> is_interface("点击 图片 查看幻灯模式"), is_interface("图片3"), is_interface("故宫图片")
    (True, True, False)
    """
    return _is_generic(plain(text), more)


def is_telling(text: str, more: Words = NO_WORDS) -> bool:
    """Whether a text may describe an image: not empty, no file name, address or interface text."""
    return bool(plain(text)) and not (
        is_interface(text, more) or is_file_name(text) or is_url(text)
    )


def _is_generic(form: str, more: Words) -> bool:
    """Whether a text, as it is compared, is of the interface."""
    without = _NUMBER.sub("", form)
    return form in GENERIC_TEXTS or without in GENERIC_TEXTS or form in more or without in more


def title_parts(title: str) -> list[str]:
    """Return the parts of a page's title, as they are compared: of the article, section and site.

    >>> title_parts("长江 大桥通车_新闻中心 - 某某网")
    ['长江大桥通车', '新闻中心', '某某网']
    """
    return [words for part in _TITLE_PARTS.split(title) if (words := plain(part))]


def measure_pair_texts(
    texts: Sequence[str | None],
    pages: Sequence[object],
    titles: Sequence[str | None],
    site_names: Sequence[str | None],
    interface_words: Words = NO_WORDS,
) -> dict[str, npt.NDArray[Any]]:
    """Measure the texts of image places.

    Args:
        texts: One for each place; None, like "", for a place without a text.
        pages: What tells the pages apart; the other arguments have one value for each place, too.
        titles: Of the page; None where it has none.
        site_names: As the page states it; where it is None, the last of several parts of the title.
        interface_words: As `is_interface` has them.
    Returns:
        Every measure of PAIR_TEXT_MEASURES, shape (texts,): int64, float64 or bool. All are 0 or
        False for a place without a text.
    """
    stated = [number for number, text in enumerate(texts) if text]
    of_text: dict[str, int] = {}  # the number of each distinct text
    known = [text for text in texts if text]
    distinct = [of_text.setdefault(text, len(of_text)) for text in known]
    features = [_text_features(text, interface_words) for text in of_text]
    repeats = Counter((pages[row], features[n][0]) for row, n in zip(stated, distinct, strict=True))
    parts_of: dict[tuple[str | None, str | None], tuple[list[str], str, str]] = {}
    flags = []
    for row, number in zip(stated, distinct, strict=True):
        form, *of_form = features[number]
        parts, whole, name = _page_words(parts_of, titles[row], site_names[row])
        in_title = len(form) > 1 and form in whole
        flags.append(
            (
                *of_form,
                bool(form) and bool(name) and (form == name or (len(form) > 1 and form in name)),
                bool(form) and (form == whole or (bool(parts) and form == parts[0])),
                in_title,
                repeats[pages[row], form] if form else 0,
            )
        )
    of_characters = _character_measures(list(of_text))
    columns: Sequence[Sequence[bool | int]] = list(zip(*flags, strict=True)) if flags else [()] * 8
    names = list(PAIR_TEXT_MEASURES)[len(of_characters) :]
    rows, numbers = np.array(stated, dtype=np.intp), np.array(distinct, dtype=np.intp)
    measures: dict[str, npt.NDArray[Any]] = {}
    for measure, values in of_characters.items():
        measures[measure] = np.zeros(len(texts), dtype=values.dtype)
        measures[measure][rows] = values[numbers]
    for measure, column in zip(names, columns, strict=True):
        kind = np.int64 if PAIR_TEXT_MEASURES[measure] is int else np.bool_
        measures[measure] = np.zeros(len(texts), dtype=kind)
        measures[measure][rows] = column
    return measures


def _text_features(text: str, more: Words) -> tuple[str, bool, bool, bool, bool]:
    """Return a text as it is compared, and what does not depend on its page: whether it is a file
    name, an address, of the interface, and has a word for a logo."""
    form = plain(text)
    is_generic = _is_generic(form, more)
    return form, is_file_name(text), is_url(text), is_generic, _LOGO.search(form) is not None


def _page_words(
    found: dict[tuple[str | None, str | None], tuple[list[str], str, str]],
    title: str | None,
    site: str | None,
) -> tuple[list[str], str, str]:
    """Return the parts of a title, all of it, and the site's name, as they are compared."""
    if (title, site) not in found:
        parts = title_parts(title or "")
        name = plain(site) if site else parts[-1] if len(parts) > 1 else ""
        found[title, site] = parts, plain(title or ""), name
    return found[title, site]


def _character_measures(texts: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """Return the measures that depend on characters alone."""
    encoded = encode_texts(texts)
    classes = _CLASSES[encoded.codes]
    white, han, kana, letters, digits = (
        encoded.counts_of(classes == kind) for kind in (_WHITE, _HAN, _KANA, _LETTER, _DIGIT)
    )
    chars = encoded.lengths - white
    return {
        "chars": chars,
        "han_share": _share(han, chars),
        "kana_share": _share(kana, kana + han),
        "letter_share": _share(letters, chars),
        "digit_share": _share(digits, chars),
    }


def _share(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return part / np.maximum(whole, 1)
