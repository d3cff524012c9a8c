"""Repair: what it changes, what it leaves alone, and that a second repair changes nothing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.repair.plain_repair import repair_text
from udfs.repair import repair
from udfs.repair.characters import RUN_LIMITS, compose, narrow
from udfs.repair.repair import KINDS, Repaired, repair_texts

PROSE = "市图书馆昨天开始延长开放时间，读者可以在晚上十点以前借书。"
TRADITIONAL_PROSE = "市圖書館昨天開始延長開放時間，讀者可以在晚上十點以前借書。"
FAMILY = "👨\u200d👩\u200d👧"
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


def misread(text: str, written: str, read: str, errors: str = "strict") -> str:
    return text.encode(written).decode(read, errors)


@pytest.mark.parametrize(
    "text",
    [
        "", PROSE, TRADITIONAL_PROSE, "　　" + PROSE + "\n\n　　第二段。", "a\tb\n\tif x:\n",
        "“引”‘用’——《书》〈篇〉【注】〔括〕「」『』、；：？！（）［1］……",
        "①②Ⅲ㎡℃½ﬁ ㈱", "￥100，5～10，［1］", "乔治．布什", "ﾊﾝｶｸ｡",
        "😀 ☺️ ❤️‍🔥 👍🏽 1️⃣ #️⃣ 🇨🇳 " + FAMILY + ENGLAND, "㊙️ ‼️ ↔️ ✈︎",
        "می\u200cخواهم", "5\u200dم", "क्\u200dष क्\u200cष", "葛\U000e0100飾", "ᠮᠣᠩ\u180eᠠ",
        "！！！ ？？？ 。。 ………… ———— ······ ...... 他说：？！？！", "★★★★★ □□□□□□ 😂😂😂😂",
        "| 列 | 注！！ |\n|-----------|-------------|\n| a......... | b!!!!!! |",
        "---\ntitle: 好\n---\n===\n-----", "填空：____________，______________。",
        "```\n-- 注释 `x!!!!!`\n```", "x = a ? b : c;  // ok!!!!!", "a,,,,,b,,,,,,中文",
        "见http://a.cn/?????q=1&b=......../c", "公式 \ue000\uf8ff 图标", "龘靐齉齾爩鱻麤龗灪",
        "Les élèves étaient à l'école", "ÄÖÜäöüß", "오늘은", "郑倢伃\n榅桲\n洳泚歭嬡n1。",
    ],
)  # fmt: skip
def test_clean_text_stays(text: str) -> None:
    assert repair_texts([text]) == [None]
    assert repair_text(text) == Repaired(text, {})


@pytest.mark.parametrize(
    ("text", "repaired", "edits"),
    [
        # Composition.
        ("cafe\u0301 好", "café 好", {"nfc": 1}),
        ("\uf900\uf914 豈\uf900", "豈樂 豈豈", {"nfc": 2}),
        ("e\u0301 e\u0301 x\u0301", "é é x\u0301", {"nfc": 2}),
        ("a\u0301\u0323", "ạ\u0301", {"nfc": 1}),
        ("\u1112\u1161\u11ab", "한", {"nfc": 1}),
        ("Ａ\u030a", "Å", {"width": 1, "nfc": 1}),
        ("\U0001d15e好e\u0301", unicodedata.normalize("NFC", "\U0001d15e") + "好é", {"nfc": 2}),
        # Invisible characters.
        ("\ufeff中\u200b文\u2060\u00ad", "中文", {"invisible": 4}),
        ("赌\u200c博\u200d网", "赌博网", {"invisible": 2}),
        ("\u202e右到左\u202c\u200f\u2066x\u2069", "右到左x", {"invisible": 5}),
        ("中\ufe0f文1\ufe0fa\ufe0f", "中\ufe0f文1a", {"invisible": 2}),
        ("😀\ufe0f\ufe0e\U000e0101\U000e0102", "😀\ufe0f", {"invisible": 3}),
        (ENGLAND[:-1] + "好\U000e0067", "\U0001f3f4好", {"invisible": 6}),
        ("😀\U000e0100。", "😀。", {"invisible": 1}),
        (ENGLAND + "\u200b", ENGLAND, {"invisible": 1}),
        ("👨\u200d\u200b👩", "👨👩", {"invisible": 2}),
        ("\ufffc图\u3164\ufff9", "图", {"invisible": 3}),
        ("\U000e0100中", "中", {"invisible": 1}),
        # Control characters.
        ("一\r\n二\r三\x0b四\x85五\u2028六", "一\n二\n三\n四\n五\n六", {"control": 5}),
        ("a\x00b\x07c\x7fd\x8fe\ufffff", "abcdef", {"control": 5}),
        ("他\x93说\x94\x97好", "他“说”—好", {"control": 3}),
        ("\x1b[1;31m红\x1b[0m \x1bx", "红 x", {"control": 3}),
        # Widths.
        ("ＡＢｃ１２３＃％＆＋－／＝＠", "ABc123#%&+-/=@", {"width": 14}),
        ("１．５　和　２．０：好", "1.5 和 2.0：好", {"width": 8}),
        ("　　段　落\n　\u00a0下", "　　段 落\n　 下", {"width": 2}),
        ("a\u00a0b\u2003c\u202fd", "a b c d", {"width": 3}),
        ("｛｝［］（）！，", "{}［］（）！，", {"width": 2}),
        # Repeated marks.
        ("好！！！！！！吗？？？？", "好！！！吗？？？", {"punctuation": 2}),
        ("走了。。。再见。。。。。。。", "走了……再见……", {"punctuation": 2}),
        ("………………………………一……。。。……", "……一……", {"punctuation": 3}),
        ("——————，，，，、、、、", "——，，，、、、", {"punctuation": 3}),
        ("好!!!!!! ok........ ~~~~~", "好!!! ok...... ~~~", {"punctuation": 3}),
        ("·········第一章\n" + "-" * 40 + "\n下", "······第一章\n---\n下", {"punctuation": 2}),
        ("＝" * 12, "===", {"width": 12, "punctuation": 1}),
        # Everything joins what it removes: more work.
        ("！！\u200b！！", "！！！", {"invisible": 1, "punctuation": 1}),
        ("e\u200b\u0301", "é", {"invisible": 1, "nfc": 1}),
    ],
)
def test_what_is_repaired(text: str, repaired: str, edits: dict[str, int]) -> None:
    assert repair_text(text) == Repaired(repaired, edits)


@pytest.mark.parametrize(("mark", "limit"), RUN_LIMITS.items())
def test_how_often_a_mark_may_stand_in_a_row(mark: str, limit: int) -> None:
    around = ("\n", "\n") if mark in "-=*_" else ("好", "了")
    assert repair_texts([(mark * limit).join(around)]) == [None]
    [repaired] = repair_texts([(mark * (limit + 1)).join(around)])
    assert repaired is not None and repaired.edits == {"punctuation": 1}


# Read as GBK it loses no byte.
EVEN = "北京西郊汽车配件市场中心黄海"


@pytest.mark.parametrize(
    ("text", "written", "read"),
    [
        (EVEN, "utf-8", "gb18030"),
        (PROSE, "utf-8", "latin-1"),
        (EVEN[1:], "utf-8", "latin-1"),
        (PROSE, "gbk", "latin-1"),
        (TRADITIONAL_PROSE, "big5", "latin-1"),
    ],
)
def test_a_garbled_line_is_decoded_again(text: str, written: str, read: str) -> None:
    page = f"{PROSE}\n{misread(text, written, read)}\n{PROSE}"
    assert repair_text(page) == Repaired(f"{PROSE}\n{text}\n{PROSE}", {"mojibake_line": 1})


def test_windows_1252_with_its_gaps() -> None:
    data = EVEN.encode()
    line = "".join(
        chr(byte) if byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else bytes((byte,)).decode("cp1252")
        for byte in data
    )
    assert repair_text(line) == Repaired(EVEN, {"mojibake_line": 1})


@pytest.mark.parametrize(
    "line",
    [
        misread(PROSE, "utf-8", "gb18030", "replace"),
        misread(PROSE, "utf-8", "gbk", "ignore"),
        misread(PROSE, "utf-8", "cp1252", "ignore"),
        misread(PROSE, "gbk", "utf-8", "replace"),
        "锟斤拷锟斤拷锟斤拷",
    ],
)
def test_a_garbled_line_that_lost_bytes_is_dropped(line: str) -> None:
    assert repair_text(f"{PROSE}\n{line}\n{PROSE}") == Repaired(
        f"{PROSE}\n{PROSE}", {"mojibake_line": 1}
    )
    assert repair_text(line) == Repaired("", {"mojibake_line": 1})


def test_short_garbled_lines_need_a_long_one_as_proof() -> None:
    short, long = misread("关注", "utf-8", "gb18030"), misread(EVEN, "utf-8", "gb18030")
    assert repair_texts([short]) == [None]
    assert repair_text(f"{short}\n{long}\n{PROSE}") == Repaired(
        f"关注\n{EVEN}\n{PROSE}", {"mojibake_line": 2}
    )


def test_a_line_that_is_decoded_again_is_repaired_too() -> None:
    garbled = misread("ＡＢＣ" + PROSE + "\u200b", "utf-8", "latin-1")
    assert repair_text(garbled) == Repaired(
        "ABC" + PROSE, {"mojibake_line": 1, "width": 3, "invisible": 1}
    )


def test_texts_of_a_batch() -> None:
    texts = [None, "", PROSE, "Ａ", "！！！", "！！！", PROSE + "\u200b", None]
    assert repair_texts(texts) == [
        None, None, None, Repaired("A", {"width": 1}), None, None,
        Repaired(PROSE, {"invisible": 1}), None,
    ]  # fmt: skip
    assert repair_texts([]) == []


def test_a_lone_surrogate_is_an_error_of_the_caller() -> None:
    with pytest.raises(UnicodeEncodeError):
        repair_texts(["\ud800"])


@pytest.mark.parametrize(
    "piece",
    [
        "!!!! ", "中!!!! ", ". " * 7 + "." * 7, "　a", "\u0301\u0323", "\u200d\ufe0f", "\x1b[",
        "．", "Ａ\u200b", "-" * 11, "。。。", "ÖÐÎÄ", "涓枃", "\ufffd", "\r", "\U000e0067",
        "\uf900", "|!!!!", "://!!!!",
    ],
)  # fmt: skip
@pytest.mark.timeout(100)  # in quadratic time one of these takes longer
def test_a_hostile_line_takes_linear_time(piece: str) -> None:
    once = repair_text(piece * (300_000 // len(piece)))
    assert repair_texts([once.text]) == [None]


PIECES = st.sampled_from(
    [
        "", "中", "文", "a", "Ａ", "１", "．", "\n", " ", "　", "\u00a0", "！", "！！！！", "。",
        "。。。", "…", "……", "—", "-", "-" * 12, ".", "." * 7, "!!!!", "|", "`", "www.", "://", "e",
        "\u0301", "\u0323", "\u030a", "\uf900", "\u1161", "\u1112", "\u200b", "\u200d", "\ufe0f",
        "\U000e0100", "\U0001f3f4", "\U000e0067", "\U000e007f", "😀", "👩", "م", "\r", "\x1b",
        "[0m", "\x00", "\x85", "锟斤拷" * 4, "涓", "ä¸­", "\ufffd", "\ue000", "龘靐", EVEN,
        misread(EVEN, "utf-8", "gb18030"), misread(EVEN, "utf-8", "latin-1"),
        misread(misread(EVEN, "utf-8", "latin-1"), "utf-8", "latin-1"),
    ]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=14).map("".join))


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_repairing_twice_is_repairing_once(text: str) -> None:
    once = repair_text(text)
    assert repair_texts([once.text]) == [None]
    assert (once.text != text) == bool(once.edits)
    assert set(once.edits) <= set(KINDS)
    assert all(count > 0 for count in once.edits.values())


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_steps_that_a_text_does_not_need_change_nothing(text: str) -> None:
    expected = repair_texts([text])
    with pytest.MonkeyPatch.context() as patch:
        every = (1 << len(KINDS)) - 1
        patch.setattr(repair, "_needs", lambda texts: [(0, every)])
        assert repair_texts([text]) == expected


@pytest.mark.parametrize("chars", [98, 99, 100, 101])
def test_an_indent_begins_among_the_first_characters_of_its_line(chars: int) -> None:
    """By the search for what a text needs as by the step itself."""
    for text in (" " * chars + "\u3000", "一\n" + " " * chars + "\u3000", "\u3000" * chars + "a"):
        narrowed, _ = narrow(text)
        assert repair_text(text).text == narrowed


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS, max_size=6))
def test_a_text_does_not_see_its_neighbours(texts: list[str]) -> None:
    assert repair_texts(texts) == [repair_texts([text])[0] for text in texts]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.characters(min_codepoint=0x20, exclude_categories=("Cs",)), max_size=40))
def test_composing_is_what_unicodedata_does(text: str) -> None:
    after, places = compose(text)
    assert after == unicodedata.normalize("NFC", text)
    assert bool(places) == (after != text)


@settings(max_examples=300, deadline=None)
@given(
    st.text(
        alphabet="ae\u0301\u0323\u030a\u1112\u1161\u11ab가각\uf900\U0001d165\U0001d15e中",
        max_size=12,
    )
)
def test_composing_sequences(text: str) -> None:
    assert compose(text)[0] == unicodedata.normalize("NFC", text)
