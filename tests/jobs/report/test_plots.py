"""Plots as inline SVG: paths and texts with classes, nothing that a page would refuse."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from jobs.report.plots import Axis, Bar, CurveLine, Threshold, curves, histogram, short

AXIS = Axis(0.0, 1.0, [(0.0, "0"), (1.0, "1")], "score")


def elements(svg: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter())


def test_a_histogram_is_paths_and_texts_with_classes() -> None:
    bars = [
        Bar(n / 10, (n + 1) / 10, n + 1, "kept" if n > 4 else "rejected", f"<bin {n}>")
        for n in range(10)
    ]
    svg = histogram('of "<scores>"', bars, AXIS, [Threshold(0.5, "min_quality 0.5")])
    found = elements(svg)
    assert {element.tag for element in found} == {"svg", "path", "text", "title"}
    keys = {key for element in found for key in element.attrib}
    assert not keys & {"style", "id", "clip-path", "href"}
    assert found[0].get("aria-label") == 'of "<scores>"'
    classes = [element.get("class") for element in found]
    assert classes.count("f-kept") == classes.count("f-rejected") == 5
    assert [element.text for element in found if element.tag == "title"] == [
        f"<bin {n}>" for n in range(10)
    ]
    texts = [element.text for element in found if element.tag == "text"]
    assert {"score", "documents", "min_quality 0.5", "0", "1"} <= set(texts)
    assert "#0000" not in svg
    assert len(svg) < 8_000


def test_one_high_bar_makes_the_scale_logarithmic_and_hides_no_other() -> None:
    bars = [Bar(n / 10, (n + 1) / 10, 1, "accent", "") for n in range(9)]
    svg = histogram("", [*bars, Bar(0.9, 1.0, 100_000, "accent", "")], AXIS)
    assert "documents, log scale" in svg
    heights = []
    for path in re.findall(r'class="f-accent" d="([^"]+)"', svg):
        ys = [float(y) for y in re.findall(r"[ML] [\d.]+ ([\d.]+)", path)]
        heights.append(max(ys) - min(ys))
    assert len(heights) == 10
    assert min(heights) > 1


def test_curves_are_lines_and_a_threshold_outside_is_left_out() -> None:
    lines = [
        CurveLine("accent", "documents", [(0.0, 1.0), (0.5, 0.9), (1.0, 0.0)]),
        CurveLine("second", "x", []),
    ]
    svg = curves("kept", lines, AXIS, [Threshold(2.0, "far away")])
    assert "far away" not in svg
    assert "s-accent" in svg and "100 %" in svg


def test_plots_are_the_same_every_time() -> None:
    bars = [Bar(0.1, 0.2, 3, "accent", "x")]
    assert histogram("", bars, AXIS) == histogram("", bars, AXIS)


def test_no_bar_is_a_plot_too() -> None:
    assert histogram("", [], AXIS).startswith("<svg")
    assert short(1_234_567) == "1.23M"
