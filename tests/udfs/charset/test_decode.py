"""Every page that people can read is decoded: with right, wrong and missing labels."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from udfs.base.han import text_plausibility
from udfs.base.page_counts import page_counts
from udfs.charset.decode import (
    _MAX_BAD_SHARE,
    _bad_share,
    _may_be_utf8,
    _to_text,
    choose,
    decode,
    decode_as,
    utf8_counts,
)

SIMPLIFIED = (
    "市图书馆昨天开始延长开放时间，读者可以在晚上十点以前借书。馆长说，这样做是为了方便下班以后"
    "才有空的人。记者在现场看到，不少家长带着孩子来看书，二楼的座位很快就坐满了。"
)
TRADITIONAL = (
    "市圖書館昨天開始延長開放時間，讀者可以在晚上十點以前借書。館長說，這樣做是為了方便下班以後"
    "才有空的人。記者在現場看到，不少家長帶著孩子來看書，二樓的座位很快就坐滿了。"
)
CANTONESE = "佢哋喺邊度㗎？冇嘢食喇，嗰個咩嚟嘅。"
KOREAN = (
    "안녕하세요. 오늘은 날씨가 좋습니다. 도서관에서 책을 읽었습니다. 서울시는 예산안을 발표하였다."
)
CASES = [
    ("utf-8", SIMPLIFIED),
    ("utf-8", TRADITIONAL),
    ("gbk", SIMPLIFIED),
    ("gb18030", TRADITIONAL),
    ("big5", TRADITIONAL),
    ("big5hkscs", TRADITIONAL + "佢哋喺邊度，冇問題嘅。"),
    ("utf-16-le", SIMPLIFIED),
    ("utf-16-be", TRADITIONAL),
]
LABELS = [
    None, "utf-8", "gb2312", "GBK", "gb18030", "big5", "iso-8859-1", "windows-1252", "euc-kr",
    "shift_jis", "windows-1251", "utf-16", "no-such-charset", "rot13", "",
]  # fmt: skip


def page(text: str, charset: str | None = None) -> str:
    meta = f'<meta charset="{charset}">' if charset else ""
    return f"<html><head>{meta}<title>{text[:8]}</title></head><body><p>{text}</p></body></html>"


@pytest.mark.parametrize("declared", LABELS)
@pytest.mark.parametrize(("encoding", "text"), CASES)
def test_labels_do_not_matter(encoding: str, text: str, declared: str | None) -> None:
    html = page(text)
    decoded = decode(html.encode(encoding), declared)
    assert decoded.text == html
    assert not decoded.step.endswith("_replaced")


@pytest.mark.parametrize("meta", ["utf-8", "gb2312", "big5", "iso-8859-1", "euc-jp"])
@pytest.mark.parametrize(("encoding", "text"), CASES)
def test_a_wrong_meta_element_does_not_matter(encoding: str, text: str, meta: str) -> None:
    html = page(text, meta)
    assert decode(html.encode(encoding), None).text == html


@pytest.mark.parametrize(
    ("payload", "declared", "charset", "step"),
    [
        (codecs.BOM_UTF8 + SIMPLIFIED.encode(), None, "utf-8", "bom"),
        (codecs.BOM_UTF16_LE + SIMPLIFIED.encode("utf-16-le"), None, "utf-16-le", "bom"),
        (codecs.BOM_UTF32_LE + SIMPLIFIED.encode("utf-32-le"), None, "utf-32-le", "bom"),
        (page(SIMPLIFIED).encode("utf-16-be"), None, "utf-16-be", "utf16"),
        (SIMPLIFIED.encode(), "gbk", "utf-8", "utf8"),
        (SIMPLIFIED.encode("gbk"), "gb2312", "gb18030", "http"),
        (page(SIMPLIFIED, "gbk").encode("gbk"), None, "gb18030", "meta"),
        (page(TRADITIONAL, "Big5").encode("big5"), "utf-8", "big5hkscs", "meta"),
        (
            b"<?xml version='1.0' encoding='GB2312'?>" + SIMPLIFIED.encode("gbk"),
            None, "gb18030", "xml",
        ),
        (SIMPLIFIED.encode("gbk"), None, "gb18030", "detector"),
        ("Привет, как дела? Это просто текст.".encode("cp1251"), "windows-1251", "cp1251", "http"),
        ("안녕하세요. 오늘은 날씨가 좋습니다.".encode("euc-kr"), "euc-kr", "euc_kr", "http"),
        ("昨日の天気はとても良かったです。".encode("shift_jis"), "shift_jis", "shift_jis", "http"),
        ("Les élèves sont allés à l'école été".encode("cp1252"), "iso-8859-1", "cp1252", "http"),
        (b"~{VPND~}", "hz-gb-2312", "hz", "http"),
        (b"", None, "utf-8", "utf8"),
        (b"plain ASCII", "gbk", "utf-8", "utf8"),
    ],
)  # fmt: skip
def test_the_step_that_decides(
    payload: bytes, declared: str | None, charset: str, step: str
) -> None:
    decoded = decode(payload, declared)
    assert (decoded.charset, decoded.step) == (charset, step)


@pytest.mark.parametrize(("encoding", "text"), CASES)
def test_a_page_cut_anywhere_loses_one_character_at_most(encoding: str, text: str) -> None:
    html = page(text)
    payload = html.encode(encoding)
    for cut in range(len(payload) - 12, len(payload) // 2, -7):
        decoded = decode(payload[:cut], None)
        assert html.startswith(decoded.text)
        assert len(payload[:cut]) - len(decoded.text.encode(encoding)) < 4


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "big5hkscs"])
def test_a_few_bad_bytes_are_replaced_and_said(encoding: str) -> None:
    text = TRADITIONAL * 3
    payload = text.encode(encoding) + b"\xff<p>" + text.encode(encoding)
    decoded = decode(payload, None)
    assert decoded.step.endswith("_replaced")
    assert decoded.text.replace("\ufffd", "") == f"{text}<p>{text}"


def test_a_byte_order_mark_in_front_of_another_charset() -> None:
    decoded = decode(codecs.BOM_UTF8 + SIMPLIFIED.encode("gbk"), "gbk")
    assert decoded.text == SIMPLIFIED


def test_two_characters_that_are_valid_utf8_by_chance() -> None:
    payload = "通知".encode("gbk")
    assert payload.decode("utf-8")  # the trap
    assert decode(payload, "gb2312").text == "通知"


def test_the_wide_space_of_old_editors() -> None:
    assert decode(b"\xa3\xa0\xa3\xa0" + SIMPLIFIED.encode("gbk"), "gbk").text[:2] == "\u3000\u3000"


def test_a_lone_surrogate_of_utf16_is_replaced() -> None:
    payload = codecs.BOM_UTF16_LE + (SIMPLIFIED * 2).encode("utf-16-le") + b"\x00\xd8a\x00"
    decoded = decode(payload, None)
    assert decoded.step == "bom_replaced"
    assert decoded.text.endswith("\ufffda")


@pytest.mark.parametrize(
    ("payload", "header", "declared"),
    [
        (SIMPLIFIED.encode(), None, None),
        (SIMPLIFIED.encode(), "  ", None),
        (b"", "GBK", "gb18030"),
        (page(SIMPLIFIED, "gb2312").encode(), "UTF-8", "utf-8"),
        (page(SIMPLIFIED, "GB2312").encode(), None, "gb18030"),
        (page(SIMPLIFIED, "GB2312").encode(), "", "gb18030"),
        (b"<?xml version='1.0' encoding='Big5'?><p>", None, "big5hkscs"),
        (b"<?xml version='1.0' encoding='Big5'?>" + page("", "gbk").encode(), None, "gb18030"),
        (b"<p><?xml version='1.0' encoding='Big5'?>", None, None),
        (page(SIMPLIFIED, "gbk").encode("gbk"), "No-Such-Charset", "no-such-charset"),
        (page(SIMPLIFIED, "utf-16").encode("utf-16-be"), None, "utf-16-le"),
        (codecs.BOM_UTF8 + page(SIMPLIFIED, "gbk").encode(), None, "gb18030"),
        (SIMPLIFIED.encode(), "é" * 100, "?" * 40),
    ],
)
def test_what_a_page_says_of_itself(
    payload: bytes, header: str | None, declared: str | None
) -> None:
    assert decode(payload, header).declared == declared


@pytest.mark.parametrize("declared", [None, "cp949", "utf-8", "gb2312", "big5"])
def test_korean_is_not_taken_for_chinese(declared: str | None) -> None:
    assert decode(page(KOREAN).encode("euc_kr"), declared).text == page(KOREAN)


@pytest.mark.parametrize("declared", [None, "windows-1251", "shift_jis", "gb2312"])
def test_written_cantonese(declared: str | None) -> None:
    html = page(CANTONESE)
    assert decode(html.encode("big5hkscs"), declared).text == html


def test_a_wrong_chinese_label_of_a_page_with_few_different_characters() -> None:
    html = page("集第集第" * 40)
    assert decode(html.encode("gbk"), "big5").text == html


def test_big5_as_browsers_read_it() -> None:
    html = page(f"喬治‧布希～﹑￥￠￡⊕⊙{TRADITIONAL}")
    assert decode(html.encode("cp950"), "big5").text == html


def test_bytes_that_are_no_text_are_not_made_ideographs() -> None:
    payload = bytes(range(1, 256)) * 40
    decoded = decode(payload, None)
    assert decoded.step == "fallback_replaced"
    assert not decoded.charset.startswith("utf-16")


def test_the_byte_order_of_a_page_with_private_characters() -> None:
    html = page("\ue5d2\ue5d3\ue5d4记者")
    for codec in ("utf-16-le", "utf-16-be"):
        assert decode(html.encode(codec), None).text == html


@pytest.mark.parametrize("declared", ["windows-1251", "shift_jis", "iso-8859-1", "big5"])
def test_a_label_whose_reading_is_worse_than_another(declared: str) -> None:
    html = page("收𠮷野家𡃁仔㑇䶮üé拾少安排")
    assert decode(html.encode("gb18030"), declared).text == html


@example(b"\xe4")
@given(
    st.lists(
        st.one_of(st.text(max_size=20).map(str.encode), st.binary(max_size=3)), max_size=10
    ).map(b"".join)
)
def test_no_page_that_may_be_utf8_is_ruled_out(payload: bytes) -> None:
    if _bad_share(_to_text(payload, "utf-8")) <= _MAX_BAD_SHARE:
        assert _may_be_utf8(payload)


@pytest.mark.parametrize(("encoding", "text"), CASES[2:6])
def test_other_charsets_are_ruled_out_without_decoding(encoding: str, text: str) -> None:
    assert not _may_be_utf8(text.encode(encoding))


@given(st.binary(max_size=300), st.sampled_from(LABELS))
def test_what_is_held_is_known_before_a_page_is_decoded(
    payload: bytes, declared: str | None
) -> None:
    choice = choose(payload, declared)
    held = utf8_counts(payload, choice)
    if held is not None:
        text = decode_as(payload, choice).text.encode()
        assert held == page_counts(text)._replace(continuations=0, has_shift=held.has_shift)


@given(st.binary(max_size=300), st.sampled_from(LABELS))
def test_no_bytes_fail_and_every_text_can_be_stored(payload: bytes, declared: str | None) -> None:
    decoded = decode(payload, declared)
    decoded.text.encode("utf-8")
    assert codecs.lookup(decoded.charset).name == decoded.charset
    assert decode(payload, declared) == decoded


@given(st.text(max_size=200))
def test_valid_utf8_without_labels_is_never_read_as_another_charset(text: str) -> None:
    if text.startswith("\ufeff") or "\0" in text:
        return  # a mark goes; zero bytes are the sign of UTF-16
    decoded = decode(text.encode(), None)
    assert (decoded.text, decoded.charset) == (text, "utf-8")


def test_a_wrong_table_is_implausible() -> None:
    for text, encoding, wrong in (
        (SIMPLIFIED, "gb18030", "big5hkscs"),
        (TRADITIONAL, "big5hkscs", "gb18030"),
        (SIMPLIFIED, "utf-8", "gb18030"),
        (SIMPLIFIED, "gb18030", "euc_kr"),
    ):
        misread = text.encode(encoding).decode(wrong, "replace")
        assert text_plausibility(text) > 0.8 > 0.4 > text_plausibility(misread) - 0.4
        assert text_plausibility(text) > text_plausibility(misread) + 0.4


def test_an_escape_that_the_decoder_chokes_on_has_a_reading() -> None:
    assert "&#30340;" in decode(b"\x1b&#30340;", "iso-2022-jp").text
