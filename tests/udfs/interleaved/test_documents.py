"""Texts and images of one document in one sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.images.schema import IMAGE_FACTS_TYPE
from udfs.interleaved.documents import OF_REJECTED, interleave, interleave_batches, sequence
from udfs.interleaved.images import InterleaveLimits, image_reason, kept_images

LIMITS = InterleaveLimits(
    formats=("jpeg", "png", "webp"),
    min_side=150,
    max_side=20_000,
    max_aspect=2.0,
    keep_unknown_size=True,
    url_words=("logo", "icon"),
    max_distance=5,
    max_images=3,
    min_chars=2,
)
TEXT = st.lists(st.sampled_from(["", " ", "甲", "乙", "丙丁", "a b"]), max_size=10).map("\n".join)


def with_limits(**changed: Any) -> InterleaveLimits:
    return InterleaveLimits(**{name: getattr(LIMITS, name) for name in LIMITS.__slots__} | changed)


def place(number: int, line: int = -1, **given: Any) -> dict[str, Any]:
    """An image place that no rule drops."""
    return {
        **{"place": number, "line": line, "url": f"http://h.cn/{number}.jpg"},
        **{"url_written": f"{number}.jpg", "alt": f"图{number}", "caption": None},
        **{"declared_width": 300, "declared_height": 200, "data_sha256": None},
        **{"image": None, "is_frequent": False},
        **given,
    }


def body(**given: Any) -> dict[str, Any]:
    """Facts of a usable image."""
    known = {"format": "jpeg", "width": 300, "height": 200, "sha256": "ab", "phash": 1}
    return {**dict.fromkeys(IMAGE_FACTS_TYPE.fieldNames()), **known, **given}


def data_uri(kind: str, digest: str) -> dict[str, Any]:
    return place(0, url=None, url_written=f"data:image/{kind};base64", data_sha256=digest)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (place(0), None),
        (place(0, image=body()), None),
        (place(0, url="http://h.cn/LOGO.png"), "url_word"),
        (place(0, is_frequent=True), "frequent_address"),
        (place(0, image=body(reason="truncated", format=None)), "unusable_image"),
        (place(0, url="http://h.cn/a.gif?x=.jpg"), "format"),
        (place(0, image=body(format="gif")), "format"),
        (place(0, url="http://h.cn/a.gif", image=body()), None),
        (place(0, url="http://h.cn/show?id=3"), None),
        (place(0, url="http://[h.cn/a.gif"), None),
        (data_uri("svg+xml", "cd"), "format"),
        (data_uri("PNG", "cd"), None),
        (place(0, declared_width=149), "size"),
        (place(0, declared_height=20_001), "size"),
        (place(0, declared_width=149, declared_height=None), "size"),
        (place(0, declared_width=149, image=body()), None),
        (place(0, image=body(width=149)), "size"),
        (place(0, declared_width=None), None),
        (place(0, declared_width=401), "aspect"),
        (place(0, declared_height=601), "aspect"),
        (place(0, declared_width=400), None),
    ],
)
def test_an_image_is_dropped_for_the_first_reason_that_applies(
    found: dict[str, Any], reason: str | None
) -> None:
    assert image_reason(found, LIMITS) == reason


def test_limits_that_are_off_drop_nothing() -> None:
    off = with_limits(min_side=None, max_side=None, max_aspect=None, url_words=())
    assert image_reason(place(0, url="http://h.cn/logo.png", declared_width=1), off) is None
    drop = with_limits(keep_unknown_size=False)
    assert image_reason(place(0, declared_width=None), drop) == "unknown_size"


def test_an_image_that_repeats_one_before_it_goes() -> None:
    places = [
        place(4, image=body(phash=0b1)),
        place(1, image=body(phash=0b111111)),
        place(0, image=body(phash=-1)),
        place(2, url="http://h.cn/1.jpg"),
        place(3, url="http://h.cn/4.gif"),
        place(5, url="http://h.cn/other.jpg", image=body(phash=-1 << 6)),
    ]
    kept, dropped = kept_images(places, LIMITS)
    assert [one["place"] for one in kept] == [0, 1, 5]
    assert dropped == {"repeated_address": 1, "repeated_picture": 1, "format": 1}
    kept, dropped = kept_images(places, with_limits(max_distance=None))
    assert [one["place"] for one in kept] == [0, 1, 4, 5]
    # What a dropped image repeats is not looked at.
    kept, _ = kept_images([place(0, is_frequent=True), place(1, url="http://h.cn/0.jpg")], LIMITS)
    assert [one["place"] for one in kept] == [1]


def test_images_lie_between_the_lines_of_the_current_text() -> None:
    extracted, current = "一\n电话 138\n广告\n二\n三", "一\n电话 ***\n二\n三"
    edited = "一\n电话 ***\n广告\n二\n三"
    places = [place(1, 1), place(0, -1), place(2, 2), place(3, 4, declared_width=1)]
    made = interleave([extracted, edited, current], places, LIMITS)
    assert made.reason is None
    assert made.texts == [None, "一\n电话 ***", None, None, "二\n三"]
    assert made.images == [
        "http://h.cn/0.jpg",
        None,
        "http://h.cn/1.jpg",
        "http://h.cn/2.jpg",
        None,
    ]
    assert made.dropped == {"size": 1}
    assert made.metadata[1] is None and made.metadata[0] == {
        **{"place": 0, "url_written": "0.jpg", "url": "http://h.cn/0.jpg", "alt_text": "图0"},
        **{"caption": None, "declared_width": 300, "declared_height": 200},
        **dict.fromkeys(("width", "height", "format", "sha256", "phash")),
    }


def test_an_image_in_a_data_uri_is_named_by_its_digest() -> None:
    made = interleave(["一二"], [data_uri("png", "cd")], LIMITS)
    assert made.images == ["data:cd", None]
    assert made.metadata[0] is not None
    assert (made.metadata[0]["sha256"], made.metadata[0]["url"]) == ("cd", None)


@pytest.mark.parametrize(
    ("text", "places", "refused", "reason", "dropped"),
    [
        ("一二", [], None, "no_image", {}),
        ("一二", [place(0, is_frequent=True)], None, "no_image", {"frequent_address": 1}),
        ("一二", [place(n) for n in range(4)], None, "too_many_images", {OF_REJECTED: 4}),
        ("一", [place(0)], None, "too_short", {OF_REJECTED: 1}),
        (" \n  ", [place(0)], None, "too_short", {OF_REJECTED: 1}),
        ("一二", [place(0)], "opted_out", "opted_out", {OF_REJECTED: 1}),
    ],
)
def test_a_document_is_rejected_by_a_reason_and_its_images_counted(
    text: str,
    places: Sequence[dict[str, Any]],
    refused: str | None,
    reason: str,
    dropped: dict[str, int],
) -> None:
    made = interleave([text], places, LIMITS, refused)
    assert (made.reason, made.texts, made.images, made.metadata) == (reason, [], [], [])
    assert made.dropped == dropped


@given(TEXT, TEXT, st.lists(st.integers(-1, 12), min_size=1, max_size=8))
def test_a_sequence_has_all_of_the_text_and_all_images_in_order(
    extracted: str, current: str, lines: list[int]
) -> None:
    places = [place(number, line) for number, line in enumerate(sorted(lines))]
    anything = with_limits(max_images=None, min_chars=0)
    made = interleave([extracted, current], places, anything)
    assert len(made.texts) == len(made.images) == len(made.metadata)
    if not current.strip():
        assert made.reason == "too_short"
        return
    for text, image, metadata in zip(made.texts, made.images, made.metadata, strict=True):
        assert (text is None) != (image is None) and (metadata is None) == (image is None)
    texts = [text for text in made.texts if text is not None]
    assert "\n".join(texts) == current
    assert all(text.strip() for text in texts)
    shown = [one["place"] for one in made.metadata if one is not None]
    assert shown == list(range(len(places)))
    assert not any(
        one is not None and other is not None
        for one, other in zip(made.texts, made.texts[1:], strict=False)
    )


@given(TEXT, st.lists(st.integers(0, 12), max_size=6))
def test_parts_hold_the_lines_before_an_image(text: str, places: list[int]) -> None:
    """Text before an image has the lines that come before it, but for empty ones."""
    in_order = [(before, number) for number, before in enumerate(sorted(places))]
    lines = text.split("\n")
    seen: list[str] = []
    for part in sequence(text, in_order):
        if isinstance(part, str):
            seen += part.split("\n")
        else:
            before = min(in_order[part][0], len(lines))
            assert [x for x in seen if x.strip()] == [x for x in lines[:before] if x.strip()]
    assert seen == lines


def test_batches_keep_their_other_columns_and_edit_what_is_said_of_images() -> None:
    documents = [
        {"doc_id": "a", "versions": ["一\n二"], "places": [place(0, 0, caption="电话")]},
        {"doc_id": "b", "versions": None, "places": None, "outside": 2},
        {"doc_id": "c", "versions": ["一二"], "places": [place(1), place(2, is_frequent=True)]},
    ] * 50
    rows = [{"refused": None, "outside": None, **one} for one in documents]
    given_columns = {name: [row[name] for row in rows] for name in rows[0]}
    types = {
        "refused": pa.string(),
        "outside": pa.int64(),
        "versions": pa.list_(pa.string()),
    }
    batch = pa.RecordBatch.from_pydict(
        {name: pa.array(column, types.get(name)) for name, column in given_columns.items()}
    )

    def marked(texts: Sequence[str | None]) -> list[str | None]:
        return [None if text is None else text + "*" for text in texts]

    made = pa.Table.from_batches(interleave_batches(LIMITS, marked)([batch])).to_pylist()
    assert [row["doc_id"] for row in made] == ["a", "b", "c"] * 50
    assert made[0]["texts"] == ["一", None, "二"]
    assert made[0]["metadata"][1]["caption"] == "电话*"
    assert made[0]["metadata"][1]["alt_text"] == "图0*"
    assert (made[1]["reason"], made[1]["texts"]) == ("no_image", [])
    assert made[1]["dropped"] == [{"reason": "outside_main_text", "images": 2}]
    assert made[2]["metadata"][0]["caption"] is None
    assert made[2]["dropped"] == [{"reason": "frequent_address", "images": 1}]
