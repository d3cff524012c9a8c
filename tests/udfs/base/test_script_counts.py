"""Characters of scripts in texts and in the bytes of pages."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.base.language import SCRIPTS, UnknownScript, script_ranges
from udfs.base.script_counts import has_named_references, reference_chars, script_chars

ARABIC = ("Arabic",)


@given(st.text())
def test_characters_are_counted_by_their_ranges(text: str) -> None:
    plain = text.encode("utf-8", "replace").decode()
    for script in (ARABIC, ("Latin", "U+4E00-9FFF"), ("U+1F600-1F64F",)):
        ranges = script_ranges(script)
        expected = sum(any(first <= ord(c) <= last for first, last in ranges) for c in plain)
        assert script_chars(plain.encode(), script) == expected


@given(st.text(alphabet="aم中\U0001f600", max_size=8), st.integers(0, 9), st.integers(0, 9))
def test_a_part_that_cuts_characters_has_no_more_than_the_whole(
    text: str, first: int, last: int
) -> None:
    page = text.encode()
    assert script_chars(page, ARABIC, first, min(last, len(page))) <= text.count("م")


def test_a_name_is_that_of_the_letters() -> None:
    for name, of_name in (("Arabic", "ARABIC"), ("Cyrillic", "CYRILLIC"), ("Thai", "THAI")):
        for first, last in SCRIPTS[name]:
            named = [unicodedata.name(chr(code), "") for code in range(first, last + 1)]
            assert sum(of_name in one for one in named) > len(named) / 2, (name, hex(first))


@pytest.mark.parametrize("part", ["Arab", "U+06FF-0600", "U+110000", "0600-06FF", "U+0", ""])
def test_an_unknown_script_is_named(part: str) -> None:
    with pytest.raises(UnknownScript, match="expected a range such as U\\+0600-06FF, or a script"):
        script_ranges(("Han", part))


def test_references_count_in_every_spelling() -> None:
    page = b"&#1605;&#x645&#X000645;&#0001605 &#39;&amp;#1605; &#9999999999;"
    assert reference_chars(page, ARABIC) == 4
    assert reference_chars(page, ARABIC, 7) == 3
    assert reference_chars(b"no references", ARABIC) == 0


def test_html_names_letters_of_some_scripts() -> None:
    assert has_named_references(("Greek",)) and has_named_references(("Cyrillic",))
    assert not has_named_references(("Han",)) and not has_named_references(ARABIC)
