"""Telephone and identity numbers of Tunisia; all numbers are invented."""

from __future__ import annotations

import pytest

from udfs.pii.find import pii_of_texts


def found_in(text: str, plans: tuple[str, ...] = ("TN",)) -> list[tuple[str, str]]:
    (spans,) = pii_of_texts([text], number_plans=plans)
    return [(span.kind, text[span.start : span.start + span.length]) for span in spans]


@pytest.mark.parametrize(
    "number",
    [
        "+216 22 345 678",
        "+21622345678",
        "00216 71 234 567",
        "(+216) 98.765.432",
        "+216 29-34-56-78",
    ],
)
@pytest.mark.parametrize("frame", ["{}", "اتصل بينا {}، مرحبا", "Mawjoud 3al {} kol nhar"])
def test_a_country_code_makes_a_number(number: str, frame: str) -> None:
    assert found_in(frame.format(number)) == [("phone", number)]


@pytest.mark.parametrize(
    "text",
    ["هاتف: {}", "التليفون متاعو {}", "tel {}", "Tél. : {}", "nomrou {} barka", "WhatsApp {}"],
)
def test_a_word_before_eight_digits_makes_a_number(text: str) -> None:
    for number in ("22345678", "22 345 678", "22 34 56 78", "71.234.567"):
        assert found_in(text.format(number)) == [("phone", number)]


@pytest.mark.parametrize(
    "text",
    [
        "22345678", "السوم 25 000 000 دينار", "2011 2014", "tel 12345678", "tel 223456789",
        "رقم الملف 2234567", "http://example.tn/tel/22345678", "هاتف v22345678",
    ],
)  # fmt: skip
def test_other_numbers_are_no_telephone_numbers(text: str) -> None:
    assert found_in(text) == []


def test_an_identity_card_needs_its_name() -> None:
    assert found_in("CIN 07654321") == [("id_number", "07654321")]
    assert found_in("بطاقة التعريف الوطنية عدد 12345678") == [("id_number", "12345678")]
    assert found_in("07654321") == found_in("عدد 07654321") == []


def test_plans_find_their_own_numbers() -> None:
    text = "هاتف 22345678，电话13812345678，邮箱a@b.tn"
    assert found_in(text) == [("phone", "22345678"), ("email", "a@b.tn")]
    assert found_in(text, ("CN",)) == [("phone", "13812345678"), ("email", "a@b.tn")]
    both = [("phone", "22345678"), ("phone", "13812345678"), ("email", "a@b.tn")]
    assert found_in(text, ("CN", "TN")) == found_in(text, ("TN", "CN")) == both
    assert found_in(text, ()) == [("email", "a@b.tn")]
