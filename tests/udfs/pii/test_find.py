"""Personal data: what is found, what is not, among other texts, in linear time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.pii.plain_pii import find_pii
from udfs.pii.emails import find_emails
from udfs.pii.find import PII_KINDS, Masked, PiiSpan, mask_pii, pii_of_texts
from udfs.pii.ip_addresses import ip_at
from udfs.pii.numbers import bank_card_at, identity_number_at, phone_at

ID = "11010519491231002X"  # the standard's own example
CARD = "6222021234567890128"  # made up; its last digit is right


def found_in(text: str) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.start + span.length]) for span in find_pii(text)]


@pytest.mark.parametrize(
    "number",
    [
        "13812345678",
        "138 1234 5678",
        "138-1234-5678",
        "138-12345678",
        "1381234 5678",
        "+8613812345678",
        "+86 138 1234 5678",
        "+86-13812345678",
        "(+86)13812345678",
        "0086-138-1234-5678",
        "8613812345678",
        "013812345678",
        "１３８１２３４５６７８",
        "＋８６　138－1234－5678",
        "138—1234—5678",
        "010-88886666",
        "(010)88886666",
        "（０１０）８８８８６６６６",
        "010 - 8888 6666",
        "0571-87654321",
        "0571-8765432",
        "025-8226512",
        "0571—8765 4321",
        "+86-10-88886666",
        "86-571-87654321",
        "+86 (0)10 8888 6666",
        "0755-86543210-8001",
        "0755-86543210转801",
    ],
)
@pytest.mark.parametrize("frame", ["{}", "号码是{}。", "，{}，", "电话:{}\n", "Tel:{} ", "甲{}/"])
def test_telephone_numbers_are_found_whole(number: str, frame: str) -> None:
    assert found_in(frame.format(number)) == [("phone", number)]


@pytest.mark.parametrize(
    "text",
    [
        "12812345678 10812345678 15412345678",  # no such ranges
        "1381234567 138123456789 1138123456780",  # too short, too long
        "13812345678元，13812345678.50，1.13812345678，13812345678%，￥13812345678",
        "订单号：13812345678，流水13812345678，单号 13812345678，发票编号为13812345678",
        "SN13812345678 a13812345678 13812345678abc 13812345678_1 X-13812345678",
        "http://a.cn/13812345678.html www.a.cn/?id=13812345678 a.com/p/13812345678",
        "2024-01-15 10:20:30 20240115102030 2024/01/15",
        "ISBN 978-7-04-012345-6 ISBN 7-5023-4567-8 9787040123456",
        "400-810-1234 4008101234 800-820-8820 95588 12345 110",
        "150 2345 6789 2010 7",  # a table's columns
        "0571 8765432 12 2010 0571 8765432 5",
        "0571 1234567 010-12345678",  # no local number begins with 1
        "1705312345 1705312345678",  # seconds and milliseconds since 1970
        "3.14159265358979 0.13812345678",
        "138****5678 138XXXX5678",
    ],
)
def test_other_numbers_are_no_telephone_numbers(text: str) -> None:
    assert found_in(text) == []


def test_a_number_without_a_sign_behind_the_area_code_needs_a_label() -> None:
    assert found_in("01088886666") == []
    assert found_in("联系电话01088886666") == [("phone", "01088886666")]
    assert found_in("杭州0571 87654321。") == [("phone", "0571 87654321")]
    assert found_in("7 0571 87654321。") == []


def test_brackets_around_a_number_are_not_part_of_it() -> None:
    assert found_in("(020-62681233 ) （13812345678）") == [
        ("phone", "020-62681233"),
        ("phone", "13812345678"),
    ]


def test_several_numbers_in_a_row_are_several() -> None:
    text = "010-62063646,010-62063647;13812345678/13912345678,13712345678 13612345678"
    assert [number for _, number in found_in(text)] == re.split("[,;/ ]", text)


@pytest.mark.parametrize(
    "text", [ID, ID.lower(), "110105 19491231 002X", "１１０１０５１９４９１２３１００２Ｘ"]
)
@pytest.mark.parametrize("frame", ["{}", "身份证号{}，", "({})", "号:{}。"])
def test_identity_numbers_are_found_whole(text: str, frame: str) -> None:
    assert found_in(frame.format(text)) == [("id_number", text)]


@pytest.mark.parametrize(
    "text",
    [
        "110105194912310021",  # another check character
        "990105194912310023",  # no such province
        "110105194913310021",  # no such month
        "110105209912310029",  # not born yet
        "1" + ID,
        "a" + ID,
        ID + "1",
        ID + "a",
        "0." + ID,
        "110105491231002",  # fifteen digits, no label
        "身份证110105491331002",  # no such month
        "订单110105491231002",
    ],
)
def test_other_numbers_are_no_identity_numbers(text: str) -> None:
    assert found_in(text) == []


def test_the_old_form_needs_a_label() -> None:
    assert found_in("身份证号码：110105491231002。") == [("id_number", "110105491231002")]


def test_every_other_check_character_is_refused() -> None:
    assert [c for c in "0123456789X" if found_in(ID[:17] + c)] == ["X"]


@pytest.mark.parametrize(
    "text",
    [
        CARD,
        "6222 0212 3456 7890 128",
        "6222-0212-3456-7890-128",
        "622202 1234567890128",
        "６２２２０２１２３４５６７８９０１２８",
        "5212-3456-7890-1234",
    ],
)
def test_bank_cards_are_found_whole(text: str) -> None:
    assert found_in(f"卡号{text}，") == [("bank_card", text)]


@pytest.mark.parametrize(
    "text",
    [
        "6222021234567890127",  # another check digit
        "卡号4111 1111 1111 1234",
        "1" + CARD,
        CARD + "0",
        "x" + CARD,
        CARD + ".5",
        "订单号" + CARD,
        "http://a.cn/" + CARD,
        "7222021234567890127",  # unknown prefix
        "5555555555554444",  # right, but no word says what it is
        "卡号6222222222222225",
        "20240115102030123456",
    ],
)
def test_other_numbers_are_no_bank_cards(text: str) -> None:
    assert found_in(text) == []


def test_a_foreign_card_needs_a_label_or_groups() -> None:
    assert found_in("信用卡 4012888888881881") == [("bank_card", "4012888888881881")]
    assert found_in("4012 8888 8888 1881") == [("bank_card", "4012 8888 8888 1881")]
    assert found_in("4012888888881881") == []


@pytest.mark.parametrize(
    "text",
    [
        "61.135.169.121",
        "218.30.118.6",
        "６１．１３５．１６９．１２１",
        "2408:8207:1234:5678:9abc:def0:1:2",
        "2400:3200::1:ABCD",
        "240e:1:2:3::4",
    ],
)
@pytest.mark.parametrize("frame", ["{}", "IP：{}。", "来自 {} 的", "({})", "ip:{}\n", "[{}]"])
def test_public_addresses_are_found_whole(text: str, frame: str) -> None:
    assert found_in(frame.format(text)) == [("ip", text)]


@pytest.mark.parametrize(
    "text",
    [
        "10.1.2.3 172.16.5.6 172.31.255.254 192.168.1.1 127.0.0.1 169.254.7.7 100.64.3.3",
        "192.0.2.7 198.51.100.7 203.0.113.7 224.0.0.7 240.1.2.3 255.255.255.1 198.18.5.5",
        "256.135.169.121 61.335.169.121 061.135.169.121 61.135.169.1211 61.135.169",
        "61.135.169.121.5 5.61.135.169.121 v61.135.169.121 a61.135.169.121 61.135.169.121a",
        "版本61.135.169.121 Chrome/61.135.169.121 version 61.1.2.3 第61.1.2.3条",
        "1.2.3.4 6.1.76.5 12.1.1.7",  # versions, sections
        "61.135.0.0/16 61.135.169.0 61.135.169.255 61.135.169.8/29",
        "http://61.135.169.121:8080/ https://61.135.169.121",
        "61.135.*.* 61.135.169.x",
        "2001:db8::1 fe80::1 ::1 fc00::1 2002::1 3fff::1 2408:8207::/32 2408:8207::",
        "2024:01:15 20:30:45 std::vector 2345:6:7 a2408:8207::1 2408:8207::1g 2408::1::2",
        "00:1a:2b:3c:4d:5e 2c:1a:2b:3c:4d:5e",
    ],
)
def test_other_numbers_are_no_public_addresses(text: str) -> None:
    assert found_in(text) == []


def test_a_low_address_needs_a_label() -> None:
    assert found_in("您的IP是：14.220.235.11") == [("ip", "14.220.235.11")]


@pytest.mark.parametrize(
    "text",
    [
        "a@b.cn",
        "first.last+x@mail.qq.com.cn",
        "a＠b.cn",
        "ｕｓｅｒ＠ｑｑ．ｃｏｍ",
        "13812345678@qq.com",
    ],
)
@pytest.mark.parametrize("frame", ["{}", "邮箱{}。", "<{}>", "E-mail:{},", "：{}；"])
def test_mail_addresses_are_found_whole(text: str, frame: str) -> None:
    assert found_in(frame.format(text)) == [("email", text)]


@pytest.mark.parametrize(
    "text",
    ["icon@2x.png", "me@example.com", "a@b.example.org", "a@b", "@user", "甲@乙.丙", "a@b.1"],
)
def test_other_signs_are_no_mail_addresses(text: str) -> None:
    assert found_in(text) == []


def test_mail_addresses_that_touch_are_disjoint() -> None:
    assert find_emails("a@b.cn@c.cn") == [(0, 11)]
    assert find_emails("x@a.com,y@b.cn") == [(0, 7), (8, 14)]
    assert find_emails("a" * 100 + "@b.cn") == [(36, 105)]
    assert find_emails("..-a@b.cn") == [(3, 9)]


def test_an_address_wins_over_what_it_begins_in() -> None:
    assert found_in("2408:8207::1@qq.com") == [("email", "1@qq.com")]
    assert found_in("61.135.169.121@qq.com") == [("email", "61.135.169.121@qq.com")]


def test_only_the_kinds_that_are_asked_for() -> None:
    text = f"a@b.cn {ID} 13812345678@qq.com 13812345678"
    assert [span.kind for span in find_pii(text)] == ["email", "id_number", "email", "phone"]
    assert pii_of_texts([text], ["phone"]) == [[PiiSpan("phone", 45, 11)]]
    with pytest.raises(
        ValueError, match="unknown kind of personal data 'telephone'; known kinds: email, phone"
    ):
        pii_of_texts([], ["telephone"])


pieces = st.sampled_from(
    [
        *("13812345678", "138", "1234", "5678", "010", "88886666", "0571", "8765", "4321", "86"),
        *(ID, ID[:6], CARD, "6222", "0212", "61.135.169.121", "61", ".", "2408:8207::1", "::"),
        *(
            "2408",
            ":",
            "a@b.cn",
            "@",
            "＠",
            "qq.com",
            "１３８",
            "１２３４",
            "－",
            " ",
            "-",
            "+",
            "(",
            ")",
        ),
        *(
            "电话",
            "卡号",
            "身份证",
            "IP",
            "订单号",
            "汉",
            "\n",
            "x",
            "0",
            "1",
            "20",
            "",
            "转",
            "www.",
            "/",
        ),
    ]
)
texts = st.lists(pieces, max_size=14).map("".join)


def numbers_by_trying_everywhere(text: str) -> list[PiiSpan]:
    """The twin of the vectorised look: every place where digits begin is read, every text plain."""
    table = {ord("！") + i: ord("!") + i for i in range(94)}
    plain = text.translate({**table, 0x3000: 0x20})
    spans = [PiiSpan("email", start, stop - start) for start, stop in find_emails(plain)]
    hits = [ip_at(plain, place) for place in range(len(plain))]
    for run in re.finditer("[0-9]+", plain):
        readers = (identity_number_at, bank_card_at, phone_at)
        of_run = (read(plain, run.start()) for read in readers)
        hits.append(next(filter(None, of_run), None))
    spans += [PiiSpan(hit[0], hit[1], hit[2] - hit[1]) for hit in hits if hit is not None]
    kept: list[PiiSpan] = []
    for span in sorted(spans, key=lambda span: span.start):
        if not kept or span.start >= kept[-1].start + kept[-1].length:
            kept.append(span)
        elif span.kind == "email" != kept[-1].kind:
            kept[-1] = span
    return kept


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.one_of(texts, st.none()), max_size=6))
def test_the_look_over_a_batch_misses_nothing(batch: list[str | None]) -> None:
    expected = [numbers_by_trying_everywhere(text) if text else [] for text in batch]
    assert pii_of_texts(batch) == expected


@given(texts)
def test_spans_ascend_and_masking_puts_placeholders_in_their_places(text: str) -> None:
    spans = find_pii(text)
    masked = mask_pii(text, spans)
    rest, end = [], 0
    for span in spans:
        assert span.start >= end and span.length > 0 and span.kind in PII_KINDS
        rest.append(text[end : span.start])
        end = span.start + span.length
    assert end <= len(text)
    assert len(masked.spans) == len(spans)
    masked_rest, masked_end = [], 0
    for span, placed in zip(spans, masked.spans, strict=True):
        stop = placed.start + placed.length
        assert masked.text[placed.start : stop] == f"[{span.kind.upper()}]"
        masked_rest.append(masked.text[masked_end : placed.start])
        masked_end = stop
    assert masked_rest == rest and masked.text[masked_end:] == text[end:]


def test_masking() -> None:
    text = f"电话13812345678，{ID}"
    assert mask_pii(text, find_pii(text)) == Masked(
        "电话[PHONE]，[ID_NUMBER]", [PiiSpan("phone", 2, 7), PiiSpan("id_number", 10, 11)]
    )
    assert mask_pii("无", []) == Masked("无", [])


@pytest.mark.parametrize(
    "spans", [[PiiSpan("ip", 0, 9)], [PiiSpan("ip", 2, 2), PiiSpan("ip", 3, 1)]]
)
def test_spans_of_another_text_are_refused(spans: list[PiiSpan]) -> None:
    with pytest.raises(ValueError, match="spans overlap or lie outside the text"):
        mask_pii("12345678", spans)


@pytest.mark.parametrize(
    "unit",
    [
        *("1", "13", "0", "86", "138 ", "1 ", "0 ", "86 ", "138-", "010-", "010 ", "6222 ", "12-"),
        *(
            "622202 ",
            "110105 19491231 ",
            "1.",
            "61.",
            "2408:",
            "2:",
            ":",
            "::",
            "a@",
            "@",
            "a@b.",
            ".",
        ),
        *(
            "13812345678",
            "13812345678,",
            "61.135.169.121,",
            "a@b.cn",
            "a",
            "/13812345678",
            "+(",
            "電",
        ),
    ],
)
@pytest.mark.timeout(100)  # in quadratic time one of these takes longer
def test_a_hostile_text_takes_linear_time(unit: str) -> None:
    find_pii(unit * (300_000 // len(unit)))
