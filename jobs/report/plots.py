"""Plots of a report: inline SVG whose text is text and whose colours are classes of the page.

matplotlib draws, and its output is reduced to paths and texts: no style attribute, which the page's
content security policy would refuse, no id, no colour. A class such as ``f-kept`` is a fill and
``s-kept`` a stroke; the page's style sheet gives them the colours of the reader's scheme. Texts are
made by the caller: nothing of the data is drawn. matplotlib is imported when the first plot is
drawn.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any
from xml.etree import ElementTree

from markupsafe import Markup, escape

WIDTH, HEIGHT = 360, 200
"""Units of a plot, one pixel each where the page is as wide as a telephone."""

ROLES = ("accent", "second", "third", "kept", "rejected", "failed", "ink", "muted", "line")
"""What a colour stands for; the style sheet has the colours."""

_FONT = 11.0
_MAX_BARS = 120
_LOG_FROM = 40.0
"""A highest bar over the median one, from which heights are drawn to a log scale."""
_LOWER, _UPPER = 1.02, 1.13
"""Heights of two rows of text above a plot."""
_LOG_FOOT = 0.7
"""Where bars begin on a log scale: below one document."""
_SVG = "{http://www.w3.org/2000/svg}"
_LONG = re.compile(r"\d+\.\d+")
_ATTRIBUTES = ("stroke-width", "stroke-dasharray", "stroke-linecap", "opacity", "fill-opacity")
_TEXT_ATTRIBUTES = ("x", "y", "font-size", "font-weight", "text-anchor", "transform")


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram."""

    left: float
    right: float
    height: float
    role: str
    title: str
    """What a reader sees who points at it."""


@dataclass(frozen=True)
class Axis:
    """The horizontal axis of a plot."""

    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    """Place and text of each tick."""
    label: str


@dataclass(frozen=True)
class Threshold:
    """A vertical line at a setting."""

    at: float
    label: str


@dataclass(frozen=True)
class CurveLine:
    """A line of a plot of curves, its points from left to right."""

    role: str
    label: str
    points: Sequence[tuple[float, float]]


def preload() -> None:
    """Import what draws: 0.5 s and more, while Spark or Java does something else."""
    from matplotlib.backends import backend_svg  # noqa: F401
    from matplotlib.figure import Figure  # noqa: F401


def histogram(
    label: str, bars: Sequence[Bar], axis: Axis, thresholds: Sequence[Threshold] = ()
) -> Markup:
    """Draw a histogram, to a log scale where one bar is far higher than the others.

    Args:
        label: What the plot shows, for readers who do not see it.
    """
    bars = [bar for bar in bars if bar.height > 0][:_MAX_BARS]
    heights = sorted(bar.height for bar in bars)
    is_log = bool(heights) and heights[-1] > _LOG_FROM * heights[len(heights) // 2]
    with _figure(axis, "documents, log scale" if is_log else "documents") as drawing:
        axes = drawing.axes
        foot = _LOG_FOOT if is_log else 0.0
        for number, bar in enumerate(bars):
            gap = 0.08 * (bar.right - bar.left)
            (patch,) = axes.bar(
                bar.left + gap / 2,
                bar.height - foot,
                bar.right - bar.left - gap,
                bottom=foot,
                align="edge",
                color=_ink(bar.role),
                linewidth=0,
            )
            patch.set_gid(f"t{number}")
        if is_log:
            axes.set_yscale("log")
            axes.set_ylim(foot, heights[-1] * 1.6)
            axes.tick_params(axis="y", which="minor", length=0)
            axes.yaxis.set_minor_formatter(lambda *_: "")
        else:
            axes.set_ylim(0, (heights[-1] if heights else 1) * 1.1)
            axes.locator_params(axis="y", nbins=4, integer=True)
        axes.yaxis.set_major_formatter(lambda value, _: short(value))
        drawing.threshold_lines(thresholds)
        titles = {f"t{number}": bar.title for number, bar in enumerate(bars)}
        return drawing.svg(label, titles)


def curves(
    label: str, lines: Sequence[CurveLine], axis: Axis, thresholds: Sequence[Threshold] = ()
) -> Markup:
    """Draw lines of shares, 0 to 1, over an axis."""
    with _figure(axis, "kept") as drawing:
        axes = drawing.axes
        for number, line in enumerate(lines):
            xs, ys = zip(*line.points, strict=True) if line.points else ((), ())
            (drawn,) = axes.plot(xs, ys, color=_ink(line.role), linewidth=1.8)
            drawn.set_gid(f"t{number}")
        axes.set_ylim(0, 1.04)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
        drawing.threshold_lines(thresholds)
        titles = {f"t{number}": line.label for number, line in enumerate(lines)}
        return drawing.svg(label, titles)


def short(value: float) -> str:
    """Return a count in few characters.

    >>> short(950), short(12_000), short(3_400_000), short(2.5e9), short(0.7)
    ('950', '12k', '3.4M', '2.5G', '0.7')
    """
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


class _Drawing:
    """A matplotlib figure with one pair of axes, in the manner of the page."""

    def __init__(self, axis: Axis, y_label: str) -> None:
        from matplotlib import rc_context
        from matplotlib.figure import Figure

        self._rc = rc_context(
            {"svg.fonttype": "none", "svg.hashsalt": "report", "font.size": _FONT}
        )
        self._rc.__enter__()
        self._figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72))
        self._figure.patch.set_visible(False)
        self.axes: Any = self._figure.add_axes((0.125, 0.2, 0.85, 0.66))
        self.axes.patch.set_visible(False)
        self.axes.set_axisbelow(True)
        self.axes.set_xlim(axis.low, axis.high)
        self.axes.set_xticks([at for at, _ in axis.ticks], [text for _, text in axis.ticks])
        self.axes.tick_params(length=0, pad=4, labelcolor=_ink("muted"))
        self.axes.grid(axis="y", color=_ink("line"), linewidth=0.8)
        for side in ("top", "right", "left"):
            self.axes.spines[side].set_visible(False)
        self.axes.spines["bottom"].set(color=_ink("muted"), linewidth=0.8)
        # Left of the plot the label would be turned: it stands above, where it is read.
        self.axes.text(
            -0.13, _UPPER, y_label, transform=self.axes.transAxes, color=_ink("muted"), ha="left"
        )
        self.axes.set_xlabel(axis.label, color=_ink("muted"), labelpad=4)

    def __enter__(self) -> _Drawing:
        return self

    def __exit__(self, *_: object) -> None:
        self._rc.__exit__(None, None, None)

    def threshold_lines(self, thresholds: Iterable[Threshold]) -> None:
        """Draw settings as dashed vertical lines with their values above the plot."""
        low, high = self.axes.get_xlim()
        for row, threshold in zip(cycle((_LOWER, _UPPER)), thresholds, strict=False):
            if not low <= threshold.at <= high:
                continue
            self.axes.axvline(threshold.at, color=_ink("ink"), linewidth=1.2, linestyle=(0, (3, 2)))
            is_right = threshold.at > low + 0.6 * (high - low)
            self.axes.text(
                threshold.at,
                row,
                threshold.label,
                transform=self.axes.get_xaxis_transform(),
                color=_ink("ink"),
                ha="right" if is_right else "left",
            )

    def svg(self, label: str, titles: Mapping[str, str]) -> Markup:
        """Return the drawing as the page has it."""
        drawn = io.BytesIO()
        self._figure.savefig(drawn, format="svg", metadata={"Date": None})
        root = ElementTree.fromstring(drawn.getvalue())
        inner = "".join(_reduced(root, titles, None))
        return Markup(
            f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{escape(label)}">{inner}</svg>'
        )


def _figure(axis: Axis, y_label: str) -> _Drawing:
    return _Drawing(axis, y_label)


def _ink(role: str) -> str:
    """A colour that stands for a role until the SVG is reduced."""
    return f"#0000{ROLES.index(role) + 1:02x}"


_ROLE_OF = {_ink(role): role for role in ROLES}


def _reduced(node: Any, titles: Mapping[str, str], title: str | None) -> Iterator[str]:
    """Reduce a tree of matplotlib's to paths and texts, in order.

    Args:
        title: Of the nearest group with one.
    """
    kind = node.tag.removeprefix(_SVG)
    title = titles.get(node.get("id", ""), title)
    style: dict[str, str] = {}
    for declaration in node.get("style", "").split(";"):
        name, _, value = declaration.partition(":")
        style[name.strip()] = value.strip()
    if kind == "path":
        yield _element("path", {"d": _rounded(node.get("d", "").replace("\n", ""))}, style, title)
    elif kind == "text":
        given = {**style, **{name: node.get(name) for name in ("x", "y", "transform")}}
        given["font-size"] = given.get("font-size", "").removesuffix("px")
        if (given["transform"] or "").startswith("rotate(-0"):
            del given["transform"]
        shown = {name: _rounded(given[name]) for name in _TEXT_ATTRIBUTES if given.get(name)}
        yield _element("text", shown, {"fill": style.get("fill", "")}, None, node.text or "")
    elif kind not in ("defs", "metadata"):
        for child in node:
            yield from _reduced(child, titles, title)


def _element(
    name: str,
    attributes: Mapping[str, str],
    style: Mapping[str, str],
    title: str | None,
    text: str = "",
) -> str:
    classes = [
        f"{kind[0]}-{_ROLE_OF[style[kind]]}"
        for kind in ("fill", "stroke")
        if style.get(kind) in _ROLE_OF
    ]
    given = {
        **({"class": " ".join(classes)} if classes else {}),
        **({"fill": "none"} if style.get("fill") == "none" else {}),
        **attributes,
        **{key: _rounded(style[key]) for key in _ATTRIBUTES if key in style},
    }
    shown = "".join(f' {key}="{escape(value)}"' for key, value in given.items())
    inner = (f"<title>{escape(title)}</title>" if title else "") + str(escape(text))
    return f"<{name}{shown}>{inner}</{name}>" if inner else f"<{name}{shown}/>"


def _rounded(numbers: str) -> str:
    """Shorten the numbers of an attribute to tenths of a pixel.

    >>> _rounded("M 12.3456 7.04 L 3 9.96")
    'M 12.3 7 L 3 10'
    """
    return _LONG.sub(lambda match: f"{float(match[0]):.1f}".removesuffix(".0"), numbers)
