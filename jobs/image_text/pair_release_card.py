"""The dataset card of a release of pairs: README.md, and one in the folder of each other format.

Everything in it comes from `jobs.image_text.pair_release_facts`, so that the same release has the
same card.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from jobs.config.image_settings import INTERLEAVED_FORMAT, LINKS, WEBDATASET, ReleasePairsConfig
from jobs.publishing.card_text import (
    columns_table,
    front_matter,
    funnel_tables,
    settings_table,
    size_category,
    table,
)
from jobs.publishing.schema import features

_TASKS = {
    WEBDATASET: ["image-to-text", "text-to-image", "zero-shot-image-classification"],
    LINKS: ["image-to-text", "text-to-image", "zero-shot-image-classification"],
    INTERLEAVED_FORMAT: ["image-text-to-text", "text-generation"],
}
_FORMATS = {
    WEBDATASET: """\
`webdataset/ENDING/NNNNN.tar`: members KEY.jpg (or .png, .gif, .webp, .bmp, .avif), KEY.txt with the
text and KEY.json with key, caption, status, error_message and the fields below, as img2dataset
writes them; images are as found, never encoded again. Beside each, NNNNN.parquet has the same rows
and NNNNN_stats.json their counts. A shard has images of one format, since `datasets` gives all
samples the members of the first; its samples are drawn at random from all of that format. In
KEY.json a field that is not known is "" or -1, in Parquet null; `exif` and `error_message` are
null in every sample. `opt_outs` are joined by commas.""",
    LINKS: """\
`links/data/*.parquet`: addresses and texts, in COYO's columns as far as they are measured
(`image_phash` in 16 hexadecimal digits), then what is known of the page. Width, height, hash,
format and bytes are null where no image was found. `id` is doc_id and the place's number on its
page.""",
    INTERLEAVED_FORMAT: """\
`interleaved/data/*.parquet`: documents in OBELICS' columns. At each place of `texts` and `images`
exactly one is not null; an image is its address, or data: and the SHA-256 of an image that the
page itself holds. `metadata` is a JSON list as long as they are, null at texts;
`general_metadata` a JSON object.""",
}
_OWNERS = """\
A licence covers the compilation. Images and texts belong to those who made them: `license` is the
Creative Commons address that a page links to, and says what the page claims, nothing more. Pages
come from the open web and may have changed since."""
_LIMITS = """\
- Texts are what pages state beside an image: they may describe it, its page, or nothing of it. No
  model has compared image and text, unless a column says so.
- No column says whether an image shows nudity, violence, faces or watermarks: that is not measured.
  `toxicity_label` and `toxicity_score` are of the page's text.
- Sizes and hashes are of the bodies that were found; an address may have another image by now."""


def card(
    facts: Mapping[str, Any], settings: ReleasePairsConfig, schemas: Mapping[str, pa.Schema]
) -> str:
    """Return the card of a release.

    Args:
        facts: Of `release_facts`, with ``endings``.
        schemas: Format -> columns of its rows, in order; of webdataset the fields of KEY.json.
    """
    first = next(iter(schemas))
    licence = settings.licence or "None is stated (`release_pairs.licence`)"
    blocks = [
        _head(facts, settings, first, schemas[first], f"{first}/"),
        f"# {settings.title}",
        *([] if settings.description is None else [settings.description.strip()]),
        *_counts(facts),
        *_loading(facts, schemas, first),
        *_columns(schemas),
        *_described(facts),
        "## Thresholds and choices\n\n" + settings_table(facts["settings"]),
        "## Funnel\n\n" + funnel_tables(facts),
        *_opt_outs(facts, settings),
        "## Known limits\n\n" + _LIMITS,
        f"## Licence\n\n{licence}. {_OWNERS}",
        *_versions(facts),
    ]
    return "\n\n".join(blocks) + "\n"


def format_card(
    facts: Mapping[str, Any], settings: ReleasePairsConfig, name: str, schema: pa.Schema
) -> str:
    """Return the card in the folder of another format than the first, which is a dataset by itself:
    datasets reads all files of a dataset in one format."""
    return (
        f"{_head(facts, settings, name, schema, '')}\n\n# {settings.title}\n\n"
        f"Format `{name}` of [this release](../README.md); its card says what the rows are.\n"
    )


def configurations(facts: Mapping[str, Any], name: str) -> list[tuple[str, str]]:
    """Return name and pattern of the files of each configuration of a format.

    A pattern is relative to the folder of the format.

    >>> configurations({"endings": {"jpg": {"samples": 9}, "png": {"samples": 1}}}, "webdataset")
    [('jpg', 'jpg/*.tar'), ('png', 'png/*.tar')]
    >>> configurations({}, "links")
    [('default', 'data/*.parquet')]
    """
    if name == WEBDATASET:
        return [(ending, f"{ending}/*.tar") for ending in facts["endings"]]
    return [("default", "data/*.parquet")]


def sample_features(ending: str, fields: pa.Schema) -> list[dict[str, Any]]:
    """Return the columns that `datasets` has for shards of an ending."""
    own = [{"name": name, "dtype": "string"} for name in ("key", "caption", "status")]
    null = {"name": "error_message", "dtype": "null"}
    of_json = [
        {"name": of["name"], "dtype": "null"} if of["name"] == "exif" else of
        for of in features(fields)
    ]
    return [
        {"name": ending, "dtype": "image"},
        {"name": "json", "struct": [*own, null, *of_json]},
        {"name": "txt", "dtype": "string"},
        {"name": "__key__", "dtype": "string"},
        {"name": "__url__", "dtype": "string"},
    ]


def _head(
    facts: Mapping[str, Any],
    settings: ReleasePairsConfig,
    name: str,
    schema: pa.Schema,
    folder: str,
) -> str:
    """Return the front matter of a card.

    Args:
        folder: Of the format, as the card names it: with a slash at its end, or empty.
    """
    rows = next(of["released"] for of in facts["formats"] if of["format"] == name)
    found: dict[str, Any] = {"pretty_name": settings.title, "language": [facts["language"]]}
    if settings.licence is not None:
        found["license"] = settings.licence
    found |= {"task_categories": _TASKS[name], "size_categories": [size_category(rows)]}
    chosen = configurations(facts, name)
    split = "train" if name == WEBDATASET else settings.split
    if chosen:
        found["configs"] = [
            {
                "config_name": config,
                **({"default": True} if number == 0 else {}),
                "data_files": [{"split": split, "path": folder + pattern}],
            }
            for number, (config, pattern) in enumerate(chosen)
        ]
        found["dataset_info"] = [
            {
                "config_name": config,
                "features": sample_features(config, schema)
                if name == WEBDATASET
                else features(schema),
            }
            for config, _ in chosen
        ]
    return front_matter(found)


def _counts(facts: Mapping[str, Any]) -> Iterator[str]:
    rows = [(f"`{of['format']}`", of["seen"], of["released"]) for of in facts["formats"]]
    yield "## Counts\n\n" + table(("format", "rows of the table", "released"), rows)
    left_out = [
        (f"`{of['format']}`", why["reason"], why["rows"])
        for of in facts["formats"]
        for why in of["left_out"]
    ]
    if left_out:
        yield table(("format", "left out because of", "rows"), left_out)
    if not any(of["released"] for of in facts["formats"]):
        yield "**This release is empty**: no row was left by what the sections below say."


def _loading(
    facts: Mapping[str, Any], schemas: Mapping[str, pa.Schema], first: str
) -> Iterator[str]:
    names = ", ".join(f"`{config}`" for config, _ in configurations(facts, first))
    others = "".join(
        f" `{name}/` is a dataset by itself, with a card." for name in schemas if name != first
    )
    shards = ""
    for ending, of in list(facts["endings"].items())[:1]:
        numbers = f"{of['first_shard']:05d}..{of['last_shard']:05d}"
        shards = (
            "\n\n```python\nimport webdataset\n\n"
            f'shards = "webdataset/{ending}/{{{numbers}}}.tar"\n'
            f'webdataset.WebDataset(shards, shardshuffle=False).decode("pil").to_tuple("{ending}", '
            '"txt", "json")\n```'
        )
    yield (
        "## Loading\n\n```python\nfrom datasets import load_dataset\n\n"
        f'load_dataset("FOLDER OR NAME OF THIS DATASET", split="train")\n```{shards}\n\n'
        f"Configurations: {names or 'none'}.{others} `checksums.sha256` has the digest of every "
        "file (`sha256sum -c checksums.sha256`), `run.json` the facts of this card as JSON."
    )


def _columns(schemas: Mapping[str, pa.Schema]) -> Iterator[str]:
    for name, schema in schemas.items():
        named = [(field.name, field.type) for field in schema]
        yield f"## Format `{name}`\n\n{_FORMATS[name]}\n\n" + columns_table(named)


def _described(facts: Mapping[str, Any]) -> Iterator[str]:
    heads = {
        "text_sources": "where the text comes from",
        "image_formats": "format of the image",
        "domains": "domain of the page",
        "toxicity_labels": "toxicity_label of the page",
        "licenses": "licence that the page links to",
    }
    if facts["pairs"]:
        yield "## Pairs"
    for name, head in heads.items():
        if rows := [(of["value"], of["pairs"]) for of in facts["pairs"].get(name, ())]:
            yield table((head, "pairs"), rows)


def _opt_outs(facts: Mapping[str, Any], settings: ReleasePairsConfig) -> Iterator[str]:
    rows = [(of["value"], of["pairs"]) for of in facts["pairs"].get("opt_outs", ())]
    contact = settings.contact or "none is stated (`release_pairs.contact`)"
    said = ""
    if rows:
        said = " Pages of released pairs state these:\n\n" + table(("opt-out", "pairs"), rows)
    elif facts["pairs"]:
        said = " No page of a released pair states one."
    yield (
        "## Takedown and opt-out\n\nOpt-outs are read from the page, its headers and robots rules "
        "where the run reads these; which of them leave a pair out is a choice of the rules above."
        f"{said}\n\nContact: {contact}. Name images or pages by URL, host, `doc_id` or the SHA-256 "
        "of the image or text; the next release leaves them out, and counts them by kind."
    )


def _versions(facts: Mapping[str, Any]) -> Iterator[str]:
    if facts["versions"]:
        yield f"Made with {', '.join(f'{name} {of}' for name, of in facts['versions'].items())}."
