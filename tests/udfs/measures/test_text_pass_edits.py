"""Repair, conversion and masking in their order, and what is known of it afterwards."""

from __future__ import annotations

import pytest

from udfs.measures import text_pass
from udfs.measures.text_pass import Edited, Editing, edit_texts
from udfs.pii.find import PII_KINDS, PiiSpan
from udfs.repair.repair import Repaired

MAIL, PHONE = "li@sina.cn", "13812345678"
ALL = Editing(simplify=True, mask=PII_KINDS)


def edit(text: str, editing: Editing) -> Edited:
    [edited] = edit_texts([text], editing)
    assert edited is not None
    return edited


def test_each_edit_is_made_where_it_is_asked_for() -> None:
    text = f"漢語Ａ\u200b，{MAIL}。"
    nothing = edit(text, Editing(repair=False))
    assert (nothing.text, nothing.edits, nothing.unconverted) == (text, {}, None)
    repaired = edit(text, Editing())
    assert repaired.text == f"漢語A，{MAIL}。"
    assert repaired.edits == {"invisible": 1, "width": 1}
    converted = edit(text, Editing(repair=False, simplify=True))
    assert converted.text == f"汉语Ａ\u200b，{MAIL}。"
    assert converted.unconverted == text
    assert converted.edits.keys() == {"traditional"}
    masked = edit(text, Editing(repair=False, mask=("email",)))
    assert masked.text == "漢語Ａ\u200b，[EMAIL]。"
    assert masked.edits == {"masked_email": 1}


def test_repair_comes_first_then_conversion_then_masking() -> None:
    # Only repaired is it an address; only then is it masked, in text that is converted.
    edited = edit("漢語，li\u200b@ｓｉｎａ.cn。", ALL)
    assert edited.text == "汉语，[EMAIL]。"
    assert edited.unconverted == f"漢語，{MAIL}。"
    assert edited.edits.keys() == {"invisible", "width", "traditional", "masked_email"}
    assert edited.pii == [PiiSpan("email", 3, 7)]


def test_personal_data_is_found_in_the_text_as_it_ends() -> None:
    kept = edit(f"\u200b邮箱{MAIL}，电话{PHONE}。", Editing())
    assert [kept.text[start : start + length] for _, start, length in kept.pii] == [MAIL, PHONE]
    masked = edit(f"邮箱{MAIL}，电话{PHONE}，{MAIL}。", Editing(mask=PII_KINDS))
    assert masked.text == "邮箱[EMAIL]，电话[PHONE]，[EMAIL]。"
    assert spans_of(masked) == [("email", "[EMAIL]"), ("phone", "[PHONE]"), ("email", "[EMAIL]")]
    assert masked.edits == {"masked_email": 2, "masked_phone": 1}


def test_kinds_that_are_not_masked_move_along() -> None:
    masked = edit(f"邮箱{MAIL}，电话{PHONE}，{MAIL}，{PHONE}。", Editing(mask=("email",)))
    assert masked.text == f"邮箱[EMAIL]，电话{PHONE}，[EMAIL]，{PHONE}。"
    assert spans_of(masked) == [
        ("email", "[EMAIL]"), ("phone", PHONE), ("email", "[EMAIL]"), ("phone", PHONE),
    ]  # fmt: skip
    assert masked.edits == {"masked_email": 2}


def spans_of(edited: Edited) -> list[tuple[str, str]]:
    return [(kind, edited.text[start : start + length]) for kind, start, length in edited.pii]


def test_no_text_stays_none_and_neighbours_do_not_matter() -> None:
    texts = ["", None, f"漢語Ａ{MAIL}", "平常的话。", None, f"電話{PHONE}"]
    together = edit_texts(texts, ALL)
    assert [one is None for one in together] == [text is None for text in texts]
    assert together == [edit_texts([text], ALL)[0] for text in texts]
    assert edit_texts([], ALL) == []
    plain = together[3]
    assert plain == Edited("平常的话。", pii=[])


def test_an_edit_that_changes_nothing_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        text_pass, "repair_texts", lambda texts: [Repaired(text, {"nfc": 1}) for text in texts]
    )
    assert edit("平常的话。", Editing()).edits == {}
