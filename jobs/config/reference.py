"""Print the table of all settings as Markdown: section, key, type, default, meaning.

python -m jobs.config.reference
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import sys
import types
import typing
from collections.abc import Iterator
from itertools import pairwise
from textwrap import dedent
from typing import Annotated, Any, Literal, get_args, get_origin

from jobs.config.remembered import toml_value
from jobs.config.sections import section_types
from udfs.base.settings import Bounds

_HEAD = "| key | value | default | meaning |\n| --- | --- | --- | --- |"


@dataclasses.dataclass(frozen=True)
class Setting:
    """One key of the configuration, as the reference shows it."""

    section: str
    key: str
    values: str
    """Type with its bounds, or the words that it may be; ``or off`` where a limit can be switched
    off."""
    default: str
    """As TOML has it."""
    meaning: str


def settings() -> Iterator[Setting]:
    """Every key of every section, in the order of the dataclasses."""
    for section, parts in section_types().items():
        for part in parts:
            hints = typing.get_type_hints(part, include_extras=True)
            meanings = attribute_docs(part)
            for field in dataclasses.fields(part):
                yield Setting(
                    section,
                    field.name,
                    _values(hints[field.name]),
                    _default(field),
                    meanings.get(field.name, ""),
                )


def reference() -> str:
    """All settings as Markdown: a heading, a sentence and a table for each section."""
    listed = list(settings())
    blocks = []
    for section, parts in section_types().items():
        about = " ".join(line for part in parts[:1] for line in _first_paragraph(part).split())
        rows = [
            f"| `{s.key}` | {_cell(s.values)} | {_code(s.default)} | {_cell(s.meaning)} |"
            for s in listed
            if s.section == section
        ]
        blocks.append("\n".join([f"### [{section}]", "", about, "", _HEAD, *rows]))
    return "\n\n".join(blocks) + "\n"


def attribute_docs(settings_type: type) -> dict[str, str]:
    """Field -> the string that follows it in the source of a dataclass or of its bases, on one
    line."""
    found: dict[str, str] = {}
    for base in reversed(settings_type.__mro__):
        if not dataclasses.is_dataclass(base):
            continue
        (class_node,) = ast.parse(dedent(inspect.getsource(base))).body
        body = typing.cast(ast.ClassDef, class_node).body
        for node, following in pairwise(body):
            if (
                isinstance(node, ast.AnnAssign)
                and isinstance(node.target, ast.Name)
                and isinstance(following, ast.Expr)
                and isinstance(following.value, ast.Constant)
            ):
                found[node.target.id] = " ".join(str(following.value.value).split())
    return found


def _first_paragraph(settings_type: type) -> str:
    return inspect.cleandoc(settings_type.__doc__ or "").partition("\n\n")[0]


def _values(hint: Any) -> str:
    """What a key takes, in words.

    >>> _values(int | None), _values(Literal["gz", "zst"]), _values(tuple[str, ...])
    ('whole number, or off', '`gz`, `zst`', 'list of strings')
    >>> share = Annotated[float, Bounds(least=0, most=1)]
    >>> _values(share | None), _values(dict[str, share])
    ('number, 0 to 1, or off', 'table of numbers, 0 to 1')
    """
    if get_origin(hint) in (types.UnionType, typing.Union):
        kinds = [_values(part) for part in get_args(hint) if part is not type(None)]
        return ", ".join([*kinds, "or off"])
    if get_origin(hint) is Literal:
        return ", ".join(f"`{word}`" for word in get_args(hint))
    if get_origin(hint) in (tuple, dict):
        of_item = get_args(hint)[1 if get_origin(hint) is dict else 0]
        kind, comma, bounds = _values(of_item).partition(",")
        return f"{'table' if get_origin(hint) is dict else 'list'} of {kind}s{comma}{bounds}"
    if get_origin(hint) is Annotated:
        bounds_words = [mark.words() for mark in hint.__metadata__ if isinstance(mark, Bounds)]
        return ", ".join([_values(get_args(hint)[0]), *bounds_words])
    return {int: "whole number", float: "number", str: "string", bool: "true or false"}[hint]


def _default(field: dataclasses.Field[Any]) -> str:
    """A default as it is written in TOML."""
    if field.default is not dataclasses.MISSING:
        return toml_value(field.default)
    factory = typing.cast(Any, field.default_factory)
    return toml_value(factory())


def _code(text: str) -> str:
    return f"`{text}`"


def _cell(text: str) -> str:
    """A text as a cell of a table: reST's double backquotes become single ones."""
    return text.replace("``", "`").replace("|", "\\|")


def main() -> int:
    """Print the reference; returns the exit status."""
    sys.stdout.write(reference())
    return 0


if __name__ == "__main__":
    sys.exit(main())
