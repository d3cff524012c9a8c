"""The page of a report: facts -> one HTML file that loads nothing.

Everything from data is escaped by the template, and characters that a reader would not see, or
that would turn the line around, are shown by their code point. The content security policy allows
the style sheet and the script of the page by their digests, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from jobs.report.tables import share, shown_number

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)
"""Control characters, ANSI escapes among them, marks of direction, and characters without width."""


def report_page(facts: Mapping[str, Any], audit: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return the page of a run.

    Args:
        facts: As `jobs.report.facts.gather_facts` has them.
        audit: Rows of the table audit.
    """
    from jobs.report.views import report_view

    return render("report.html.jinja", report_view(facts, audit))


def render(template: str, values: Mapping[str, Any]) -> str:
    """Fill a template of this room."""
    style, script = (Markup(_text(name)) for name in ("report.css", "report.js"))
    policy = (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    page: str = (
        _environment()
        .get_template(template)
        .render(values, style=style, script=script, policy=Markup(policy))
    )
    return page.lstrip()


def visible(value: object) -> object:
    """Return a text with the characters that nobody sees shown by their code points.

    >>> visible("a\\x1b[31m\\u202eb"), visible(None)
    ('a⟨1B⟩[31m⟨202E⟩b', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, str) and not isinstance(value, Markup):
        return _HIDDEN.sub(lambda match: f"⟨{ord(match[0]):02X}⟩", value)
    return value


@cache
def _environment() -> Any:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_text),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = shown_number
    environment.filters["share"] = share
    environment.filters["thousands"] = lambda value: f"{value:,}"
    environment.filters["compact"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment


def _text(name: str) -> str:
    """Read a file of this room, which may lie in a wheel."""
    return files("jobs.report").joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    found = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{found}'"
