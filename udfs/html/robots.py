"""Opt-outs: reservations against the use of a page's text, in its HTTP headers and meta elements.

They are measures; the configuration decides what follows from them. Of two contradictory statements
the reservation counts.

Source:
    robots meta element and X-Robots-Tag: Google's specification (noindex, noimageindex, none, user
    agents);
    noai, noimageai: DeviantArt, 2022; noml: Mojeek, 2023; noarchive, nocache: Microsoft, 2023, for
    whom they keep a page, or all but its snippet, out of the training of models; tdm-reservation:
    TDM Reservation Protocol, W3C Community Group report, 2024; Content-Usage: IETF
    draft-ietf-aipref-attach; Content-Signal: Cloudflare, 2025.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from udfs.html.head import meta_elements

TDM_RESERVATION = "tdm_reservation"
CONTENT_USAGE = "content_usage"
NO_IMAGE_INDEX = "noimageindex"

OPT_OUTS = (
    "noindex", "noai", "noimageai", NO_IMAGE_INDEX, "noml", "noarchive", "nocache", TDM_RESERVATION,
    CONTENT_USAGE,
)  # fmt: skip
"""All opt-outs, in the order of `opt_outs`. noimageai and noimageindex are of images alone."""

_DIRECTIVES = frozenset(OPT_OUTS[:7])
# Directives with a value: the word before their colon is not a crawler's name.
_WITH_VALUE = frozenset(
    {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}
)
# Crawler names that include the readers of a Common Crawl.
_ADDRESSEES = frozenset({"*", "robots", "ccbot"})
_ROBOTS_NAMES = frozenset({"robots", "ccbot", "x-robots-tag"})
_TDM = "tdm-reservation"
META_NAMES = frozenset({*_ROBOTS_NAMES, _TDM})
# Uses that include training a model, in the drafts and in Content-Signal.
_TRAINING = frozenset({"bots", "tdm", "ai", "train-ai", "ai-train", "genai", "train-genai"})
_REFUSALS = frozenset({"n", "no", "?0"})

_SEPARATORS = re.compile(r"[\s,;|]+")
_BEFORE_COLON = re.compile(r"(?<!\s)\s++:")


def opt_outs(
    headers: Mapping[str, str], html: str, stated: Iterable[tuple[str, str]] | None = None
) -> tuple[str, ...]:
    """Return the opt-outs of a response and its page.

    Statements that name another crawler (``googlebot: noindex``) do not count; those that name
    Common Crawl's do. A crawler's name applies to the rest of its header line.

    Args:
        headers: The response's headers by lower-case names. Repeated X-Robots-Tag lines may be
            joined by line feeds; joined by commas, a name in one line also applies to the lines
            after it.
        html: The decoded page; only its head is read, at most 65,536 characters. "" for a
            capture that is not HTML.
        stated: The result of `udfs.html.head.meta_elements` for `META_NAMES` and perhaps others,
            where the caller has it already.
    Returns:
        Members of `OPT_OUTS`, in that order.
    """
    found: set[str] = set()
    tag = headers.get("x-robots-tag")
    if tag is not None:
        found.update(_directives(tag))
    if headers.get(_TDM, "").strip() == "1":
        found.add(TDM_RESERVATION)
    for name in ("content-usage", "content-signal"):
        if _refuses_training(headers.get(name, "")):
            found.add(CONTENT_USAGE)
    for name, content in meta_elements(html, META_NAMES) if stated is None else stated:
        if name in _ROBOTS_NAMES:
            found.update(_directives(content))
        elif name == _TDM and content == "1":
            found.add(TDM_RESERVATION)
    return tuple(name for name in OPT_OUTS if name in found)


def _directives(value: str) -> Iterator[str]:
    """Yield the opt-outs in an X-Robots-Tag header or the content of a robots meta element.

    >>> list(_directives("googlebot: noindex, nofollow\\nCCBot: NoAI, max-snippet: 5"))
    ['noai']
    """
    for line in value.lower().split("\n"):
        is_meant = True
        for token in _SEPARATORS.split(_BEFORE_COLON.sub(":", line)):
            *names, directive = token.split(":")
            if names and names[0] in _WITH_VALUE:
                continue
            for name in names:
                # The times of unavailable_after have colons too.
                if name == "*" or not name[:1].isdigit():
                    is_meant = name in _ADDRESSEES
            if is_meant and directive in _DIRECTIVES:
                yield directive
            elif is_meant and directive == "none":
                yield "noindex"


def _refuses_training(value: str) -> bool:
    """Whether a Content-Usage or Content-Signal header refuses the training of models."""
    if "=" not in value:
        return False
    for member in value.lower().split(","):
        use, _, answer = member.partition("=")
        if use.strip() in _TRAINING and answer.partition(";")[0].strip() in _REFUSALS:
            return True
    return False
