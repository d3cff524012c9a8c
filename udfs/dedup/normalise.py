"""What two texts, or two URLs, must have in common to be called the same.

Text is folded code point by code point through one table, so a batch of documents is folded by
one array look-up and the result never depends on the Unicode version of the interpreter:

- white space, control characters, zero-width and other invisible format characters and
  variation selectors are dropped (a re-flowed copy is a copy);
- full-width and half-width forms, CJK compatibility ideographs, vertical punctuation and
  Kangxi radicals become what NFKC makes of them where that is a single code point. Whole NFKC
  costs 90 us a page of 1,200 characters against 3 us here, and the forms left out (ligatures,
  squared words) are rare in running text;
- Latin, Greek, Cyrillic and Armenian letters are lower-cased one to one.

Simplified and traditional characters stay apart: a conversion is a translation, not a copy.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote_to_bytes, urlsplit

import numpy as np

from udfs.base.array_types import UInt32Array

DIGEST_BYTES = 16
"""128 bits: among 10^10 documents the chance of one accidental equality is below 10^-18."""

NORMALISATION_VERSION = 1
"""To be raised with every change of a key that a text or a URL gets: stored keys are of one."""

SIGNATURE_VERSION = 1
"""To be raised with every change of a constant or formula of `udfs.dedup.minhash`: stored
signatures are of one version."""

_DROPPED = 0
_INVISIBLE_RANGES = (
    (0x0000, 0x0020),  # C0 controls and the space
    (0x007F, 0x00A0),  # C1 controls, no-break space
    (0x00AD, 0x00AD),  # soft hyphen
    (0x034F, 0x034F),  # combining grapheme joiner
    (0x061C, 0x061C),  # Arabic letter mark
    (0x115F, 0x1160),  # Hangul fillers
    (0x1680, 0x1680),  # Ogham space
    (0x180B, 0x180F),  # Mongolian selectors
    (0x2000, 0x200F),  # spaces, zero-width characters, direction marks
    (0x2028, 0x202F),  # separators, direction embeddings, narrow space
    (0x205F, 0x206F),  # mathematical space, word joiner, invisible operators
    (0x3000, 0x3000),  # ideographic space
    (0x3164, 0x3164),  # Hangul filler
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFF9, 0xFFFB),  # interlinear annotation
    (0xE0000, 0xE0FFF),  # tags, variation selectors supplement
)
_COMPATIBILITY_RANGES = (
    (0x2E80, 0x2FDF),  # CJK and Kangxi radicals
    (0xF900, 0xFAFF),  # CJK compatibility ideographs
    (0xFE30, 0xFE6F),  # vertical and small forms
    (0xFF01, 0xFFEE),  # half-width and full-width forms
)
# Scripts whose case pairs were complete long before the oldest supported interpreter.
_CASED_RANGES = ((0x0041, 0x024F), (0x0370, 0x058F), (0x1E00, 0x1FFF))


@lru_cache(maxsize=1)
def fold_table() -> UInt32Array:
    """Folded code point of every code point; 0 means dropped. 4.3 MiB, built once a worker."""
    table = np.arange(0x110000, dtype=np.uint32)
    for first, last in _COMPATIBILITY_RANGES:
        for code in range(first, last + 1):
            folded = unicodedata.normalize("NFKC", chr(code)).lower()
            if len(folded) == 1:
                table[code] = ord(folded)
    for first, last in _CASED_RANGES:
        for code in range(first, last + 1):
            lowered = chr(code).lower()
            if len(lowered) == 1:
                table[code] = ord(lowered)
    for first, last in _INVISIBLE_RANGES:
        table[first : last + 1] = _DROPPED
    table[table == 0x20] = _DROPPED  # what a form folds to a space
    return table


@lru_cache(maxsize=1)
def blank_table() -> UInt32Array:
    """As `fold_table`, with a space for white space."""
    table = fold_table().copy()
    table[[code for code in range(0x3001) if chr(code).isspace()]] = ord(" ")
    return table


def text_digest(codes: UInt32Array) -> bytes | None:
    """128-bit key of folded code points; None for no text, which equals nothing."""
    if len(codes) == 0:
        return None
    return hashlib.blake2b(codes.astype("<u4", copy=False).data, digest_size=DIGEST_BYTES).digest()


# Parameters that say how a visitor came, not what is shown.
_TRACKING_NAMES = frozenset(
    (
        *("gclid", "gclsrc", "gbraid", "wbraid", "dclid", "_ga", "_gl"),  # Google
        *("fbclid", "igshid", "igsh", "msclkid", "yclid", "twclid", "ttclid"),  # networks
        *("mc_cid", "mc_eid", "_hsenc", "_hsmi"),  # mailing services
        *("hmsr", "hmpl", "hmcu", "hmkw", "hmci", "bd_vid", "bdclkid"),  # Baidu
        *("qhclickid", "spm", "scm"),  # 360, Alibaba
        *("jsessionid", "phpsessid"),  # sessions
    )
)
_TRACKING_PREFIXES = ("utm_", "aspsessionid")
_SESSION_IN_PATH = re.compile(r";jsessionid=[^/;]*", re.IGNORECASE)
_INDEX_PAGE = re.compile(r"/(?:index|default)\.(?:html?|shtml|php|aspx?|jsp)$", re.IGNORECASE)
# No dot segment, no escape, no session id, no query; a lower-case host; no slash at the end.
_PLAIN_URL = re.compile(
    r"https?://([a-z0-9-]+(?:\.[a-z0-9-]+)*)((?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)"
)
_DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21}
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPES = re.compile(r"%([0-9A-Fa-f]{2})")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]")
_STRIPPED = "".join(map(chr, range(0x21))) + "\x7f\u3000\ufeff"


def normalise_url(url: str) -> str | None:
    """The form that two addresses of the same page share. It is a key: it need not resolve.

    Folded: http and https; case of scheme and host; a final dot of the host; Unicode host
    names (to Punycode); the scheme's own port; user and password; fragment; ``.`` and ``..``
    segments; ``index``/``default`` pages; slashes at the end of the path; session ids in the
    path; tracking and session parameters; order of parameters; an empty query; ``+`` and
    ``%20``; percent-escapes (upper-case hex, unreserved characters plain, other bytes escaped).

    Kept apart: ``www.`` and the bare host, case of path and query, repeated slashes, repeated
    and empty parameters: sites exist that tell them apart.

    Returns:
        The key; None when there is no host to speak of.

    >>> normalise_url("HTTPS://Example.COM:443/a/../b/index.html?z=1&utm_source=x&a=%e4%bd%a0#top")
    '//example.com/b?a=%E4%BD%A0&z=1'
    """
    # Where nothing is to be folded, a sixth of the time is enough.
    plain = _PLAIN_URL.fullmatch(url)
    if plain is not None:
        host, path = plain.groups()
        return f"//{host}{_INDEX_PAGE.sub('', path)}"
    try:
        parts = urlsplit(url.strip(_STRIPPED))
        port = parts.port
    except ValueError:  # a broken IPv6 host or port: equal only to itself, letter for letter
        return url
    scheme = parts.scheme.lower()
    host = normalise_host(parts.hostname or "")
    if not host:
        return None
    prefix = "//" if scheme in ("http", "https", "") else f"{scheme}://"
    place = host if port is None or port == _DEFAULT_PORTS.get(scheme) else f"{host}:{port}"
    path = _normalise_path(parts.path)
    query = _normalise_query(parts.query)
    return f"{prefix}{place}{path}?{query}" if query else f"{prefix}{place}{path}"


def url_digest(url: str | None) -> bytes | None:
    """128-bit key of a normalised URL; None when the URL is null or has no host."""
    key = None if url is None else normalise_url(url)
    if key is None:
        return None
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()


def normalise_host(host: str) -> str:
    """A host in lower case, without a final dot, Unicode names in Punycode."""
    host = host.lower().rstrip(".")
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:  # not a legal name: kept as written
        return host


def _normalise_path(path: str) -> str:
    path = _normalise_escapes(_SESSION_IN_PATH.sub("", path))
    if "/." in path:
        path = _without_dot_segments(path)
    return _INDEX_PAGE.sub("/", path).rstrip("/")


def _without_dot_segments(path: str) -> str:
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            if len(kept) > 1:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    return "/".join(kept)


def _normalise_query(query: str) -> str:
    if not query:
        return ""
    kept = []
    for parameter in query.split("&"):
        name = parameter.partition("=")[0].lower()
        if parameter and name not in _TRACKING_NAMES and not name.startswith(_TRACKING_PREFIXES):
            kept.append(_normalise_escapes(parameter.replace("+", "%20")))
    return "&".join(sorted(kept))


def _normalise_escapes(part: str) -> str:
    if "%" in part:
        part = _ESCAPES.sub(_normalise_escape, part)
    return _NOT_PLAIN.sub(_escape, part)


def _normalise_escape(match: re.Match[str]) -> str:
    byte = unquote_to_bytes(match.group())
    return byte.decode("ascii") if byte[0] in _UNRESERVED else match.group().upper()


def _escape(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match.group().encode("utf-8", "surrogatepass"))
