"""The page of image-text pairs: counts, contact sheets, and what is shown after a click alone."""

from __future__ import annotations

from jobs.report.page import render
from jobs.report.pair_samples import SampledPair
from jobs.report.pairs import pairs_view
from jobs.run.store import Commit
from tests.jobs.report.made_facts import HOSTILE
from tests.jobs.report.test_page import ATTRIBUTES, ELEMENTS, Parsed

COMMITS = {
    "extract_pairs": {
        wave: Commit("extract_pairs", wave, "", 1.0, 20, kept=15, rejected={"placeholder": 5})
        for wave in (0, 1)
    },
    "measure_images": {0: Commit("measure_images", 0, "", 1.0, 9, kept=7, failed={"truncated": 2})},
    "select_pairs": {
        -1: Commit(
            "select_pairs", -1, "", 1.0, 30, kept=12, rejected={"no_text": 11, "sensitive": 7}
        )
    },
}
COUNTS = [
    {"name": "text_source", "value": "alt", "rows": 12, "bytes": None},
    {"name": "format", "value": "jpeg", "rows": 9, "bytes": 120_000},
    {"name": "format", "value": None, "rows": 3, "bytes": None},
]
KEPT = SampledPair(
    *("kept", "", 0, "http://a.example.cn/1", "http://a.example.cn/x.jpg", "河上的老桥", "alt"),
    is_toxic=False,
    is_nsfw=False,
    size=(640, 480),
    format="jpeg",
    thumbnail="data:image/jpeg;base64,/9j/",
)
TOXIC = KEPT._replace(place=1, text="一句脏话", is_toxic=True)
NSFW = KEPT._replace(place=2, text="海边的照片", is_nsfw=True)
REJECTED = KEPT._replace(
    kind="rejected", reason="no_text", text=None, size=None, format=None, thumbnail=None
)
SENSITIVE = REJECTED._replace(reason="sensitive", text=f"词{HOSTILE}")


def page() -> str:
    return render(
        "report.html.jinja", pairs_view(COMMITS, COUNTS, [KEPT, TOXIC, NSFW, REJECTED, SENSITIVE])
    )


def test_the_page_adds_up_waves_and_says_what_it_found() -> None:
    shown = "".join(Parsed(page()).texts)
    for finding in (
        "12 of 30 image places became pairs",
        "75 % of 12 pairs have the bytes of their image",
        "Most frequent reason: no_text in select_pairs",
        "select_pairs kept 40 % of what it saw",
        "640 x 480",
    ):
        assert finding in shown, finding
    assert shown.count("placeholder") == 1 and "truncated" in shown


def test_named_selections_are_shown_with_what_differs() -> None:
    of = {"name": "noc", "pairs": 7, "with_image": 5, "budget": None}
    of["settings"] = {"select_pairs.min_alignment_level": 3, "select_pairs.where": HOSTILE}
    text = render("report.html.jinja", pairs_view(COMMITS, COUNTS, [KEPT], [of]))
    section = text[text.index('id="selections"') : text.index('id="selected"')]
    shown = "".join(Parsed(section).texts)
    assert "1 named selection beside selected_pairs" in shown
    assert "select_pairs.min_alignment_level = 3" in shown and "with their image" in shown
    assert "<script>" in shown and "<script>" not in section
    assert 'id="selections"' not in page()


def test_what_may_offend_is_shown_after_a_click() -> None:
    text = page()
    hidden = [part.split("</details>")[0] for part in text.split('<details class="hidden">')[1:]]
    for part, words in zip(hidden, ("一句脏话", "海边的照片", "词"), strict=True):
        assert words in part
    assert "data:image/jpeg" in hidden[0] and "data:image/jpeg" in hidden[1]
    assert "河上的老桥" not in "".join(hidden)


def test_the_page_has_no_elements_but_its_own() -> None:
    parsed = Parsed(page())
    assert {name for name, _ in parsed.elements} <= {*ELEMENTS, "img"}
    assert {key for _, of in parsed.elements for key in of} <= {*ATTRIBUTES, "src", "alt"}
    assert all((of["src"] or "").startswith("data:image/jpeg;") for of in parsed.of("img"))
    assert "<script>document.title" in "".join(parsed.texts)
