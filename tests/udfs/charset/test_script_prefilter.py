"""The prefilter of other scripts than Han: it may let pages through, and may never lose one."""

from __future__ import annotations

import html as stdlib_html
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.warc_files import http_response, record
from udfs.base.page_counts import page_counts
from udfs.base.script_counts import script_chars
from udfs.charset.decode import decode
from udfs.charset.prefilter import (
    TOO_FEW_OF_SCRIPT,
    ScriptRules,
    plain_utf8,
    reject_reason,
    too_few,
)
from udfs.extract.outcomes import Candidate, Rejected
from udfs.extract.pages import PageOptions, page_outcome
from udfs.warc.reader import read_records

PREFERRED = ("iso8859-6", "cp1256")
ARABIC_LINE = "اليوم مشيت للسوق وشريت برشا غلة وخضرة للدار ورجعت في الليل."


@st.composite
def pieces(draw: st.DrawFn) -> str:
    letters = draw(st.text(alphabet="سوقبرشاαβЖé中a ", max_size=6))
    code = draw(st.sampled_from([0x633, 0x3B1, 0x416, 0x4E2D, 0x27]))
    end = draw(st.sampled_from([";", "", " "]))
    number = draw(st.sampled_from([f"{code}", f"x{code:x}", f"X00{code:X}"]))
    named = draw(st.sampled_from(["&alpha;", "&Zcy;", "&amp;", "&eacute;", "<b>"]))
    return draw(st.sampled_from([letters, f"&#{number}{end}", named]))


@given(
    st.lists(pieces(), max_size=12).map("".join),
    st.sampled_from([("Arabic",), ("Greek",), ("Cyrillic", "Arabic"), ("Latin",)]),
)
def test_no_page_holds_more_than_the_bound(html: str, script: tuple[str, ...]) -> None:
    shown = script_chars(stdlib_html.unescape(html).encode("utf-8", "replace"), script)
    page = html.encode()
    rules = ScriptRules(script, shown)
    assert not shown or reject_reason(page, 0, len(page), page_counts(page), rules) is None


def test_a_page_with_too_few_is_rejected_by_its_bytes() -> None:
    page = f"<p>{ARABIC_LINE}</p>".encode()
    plain = plain_utf8(page, 0, len(page), None)
    assert plain is not None
    held = script_chars(page, ("Arabic",))
    for least, expected in ((held, None), (held + 1, TOO_FEW_OF_SCRIPT)):
        rules = ScriptRules(("Arabic",), least)
        assert reject_reason(page, 0, plain[1], plain[0], rules) == expected
        assert too_few(ARABIC_LINE, rules) == expected
    twice = ScriptRules(("Arabic",), held + 1, twice_escaped=True)
    assert reject_reason(page, 0, plain[1], plain[0], twice) is None
    assert too_few("x" * 900 + ARABIC_LINE, ScriptRules(("Arabic",), held)) is None


@pytest.mark.parametrize("charset", ["windows-1256", "iso-8859-6"])
@pytest.mark.parametrize("is_labelled", [True, False])
def test_pages_in_old_charsets_are_read(charset: str, is_labelled: bool) -> None:
    text = f"<html><body><p>{ARABIC_LINE * 3}</p></body></html>"
    body = text.encode(charset)
    found = decode(body, charset if is_labelled else None, preferred=PREFERRED)
    assert found.text == text


@pytest.mark.parametrize("charset", ["utf-8", "windows-1256"])
@pytest.mark.parametrize("prefilter", [True, False])
def test_the_script_decides_with_and_without_the_prefilter(charset: str, prefilter: bool) -> None:
    options = PageOptions(
        script=("Arabic",), min_script_chars=30, charsets=PREFERRED, prefilter=prefilter
    )

    def outcome(body: str) -> object:
        page = f"<html><body>{body}</body></html>".encode(charset)
        label = ("Content-Type", f"text/html; charset={charset}")
        (one,) = read_records(io.BytesIO(record(http_response(page, label))))
        return page_outcome(one, "a.warc", options)

    kept = outcome("".join(f"<p>{ARABIC_LINE} {number}</p>" for number in range(6)))
    assert isinstance(kept, Candidate) and ARABIC_LINE in kept.text
    english = "".join(f"<p>A sentence of the other language, {n}.</p>" for n in range(9))
    assert outcome(english) == Rejected(TOO_FEW_OF_SCRIPT)
