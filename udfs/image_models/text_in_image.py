"""Text that is written in an image, and whether it is the text beside it.

A pair whose text stands in its image teaches a model to read and not to see; DanQing leaves out
pairs that match by such text alone. The text of a shop's sign, a poster or a screenshot is found
here, and how much of the pair's text is in it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

from pyspark.sql.types import DoubleType, IntegerType, StringType, StructField

from udfs.base.settings import Bounds, ConfigError, Model, Share
from udfs.image_models.onnx_file import checked_header
from udfs.pair_scorers.declaration import Fitted, PairScorerDeclaration
from udfs.pair_scorers.scorer import Loaded, Pairs, PairScorer, result_type
from udfs.scorers.declaration import KnownFiles, Rejection, ScorerFiles

if TYPE_CHECKING:
    from opencc import OpenCC

    from udfs.base.array_types import UInt8Array
    from udfs.image_models.text_reader import ReadPicture, TextReader
    from udfs.scorers.scorer import Record

NAME = "text_in_image"

_FILES = ("detector", "recogniser", "direction")
_CHARACTERS = "character"
"""Property of a recogniser's file: its characters, one a line."""


@dataclass(frozen=True)
class TextInImageSettings:
    """Text that is written in an image (extra ocr; Python 3.11 and 3.12)."""

    detector: Model = "ocr_detector"
    """Artifact name of the network that finds lines of text, or a path to its ONNX file."""
    recogniser: Model = "ocr_recogniser"
    """The network that reads a line; its file has the property ``character``."""
    direction: Model = "ocr_direction"
    """The network that tells lines that stand on their head."""
    max_side: Annotated[int, Bounds(least=64, most=2000)] = 960
    """Longer side in pixels of an image as it is read; larger ones are reduced."""


@dataclass(frozen=True)
class TextInImageLimits:
    """Keys of [select_pairs] that look at text in images."""

    max_text_overlap: Share | None = None
    """Highest share of a pair's text that is also written in its image (``ocr_only``)."""
    max_text_covered: Share | None = None
    """Highest share of an image that text covers (``text_covers_image``)."""


RESULT_TYPE = result_type(
    StructField("image_text", StringType()),  # lines as read; empty without any
    StructField("lines", IntegerType()),
    StructField("confidence", DoubleType()),  # mean of the lines; null without lines
    StructField("covered", DoubleType()),  # share of the image's area
    # Share of the letters of the pair's text that are written in the image: see text_overlap.
    StructField("overlap", DoubleType()),
)


def text_overlap(text: str, image_text: str) -> float:
    """Return the share of a text's letters that are written in an image, too.

    A letter (or digit) counts where it and its neighbour are written one after the other in the
    image. Upper case, full width, traditional script, spaces, line ends and punctuation make no
    difference.

    Returns:
        0 to 1; 0 for a text without letters.

    >>> text_overlap("夏季大減價！", "夏季 大减价\\n全场五折"), text_overlap("雪山日出", "SALE")
    (1.0, 0.0)
    >>> text_overlap("夏季新品", "夏季大减价"), text_overlap("!", "!")
    (0.5, 0.0)
    """
    letters, written = _letters(text), _letters(image_text)
    if len(letters) < 2:
        return float(bool(letters) and letters in written)
    known = {written[at : at + 2] for at in range(len(written) - 1)}
    found = [letters[at : at + 2] in known for at in range(len(letters) - 1)]
    counted = sum(
        before or after for before, after in zip([False, *found], [*found, False], strict=True)
    )
    return counted / len(letters)


def _letters(text: str) -> str:
    """The letters and digits of a text, in one width, case and script."""
    plain = _simplifier().convert(unicodedata.normalize("NFKC", text)).casefold()
    return "".join(filter(str.isalnum, plain))


@lru_cache(maxsize=1)
def _simplifier() -> OpenCC:
    from opencc import OpenCC

    return OpenCC("t2s")


def score_pairs(pairs: Pairs, reader: TextReader) -> Sequence[Record]:
    """Read the images of a batch, each once, and compare what is written with each pair's text."""
    from udfs.image_models.pictures import records_of_pictures

    def read(picture: UInt8Array) -> dict[str, Any]:
        return record_of(reader.read(picture))

    records = records_of_pictures(pairs, RESULT_TYPE, read)
    return [
        record
        if record["image_text"] is None
        else {**record, "overlap": text_overlap(text or "", record["image_text"])}
        for text, record in zip(pairs.texts, records, strict=True)
    ]


def record_of(read: ReadPicture) -> dict[str, Any]:
    """The columns that follow from an image alone."""
    lines = read.lines
    return {
        "image_text": "\n".join(line.text for line in lines),
        "lines": len(lines),
        "confidence": sum(line.confidence for line in lines) / len(lines) if lines else None,
        "covered": read.covered,
    }


def _load(files: Loaded, settings: TextInImageSettings) -> TextReader:
    from udfs.image_models.text_reader import TextReader

    return TextReader(files["detector"], files["recogniser"], files["direction"], settings.max_side)


def _make(settings: TextInImageSettings, files: ScorerFiles, fitted: Fitted) -> PairScorer:
    shipped = tuple((key, files.shipped(key)) for key in _FILES)
    return PairScorer(NAME, RESULT_TYPE, _load, score_pairs, shipped, settings)


def _check(settings: TextInImageSettings, limits: object, files: KnownFiles) -> None:
    headers = {key: checked_header(NAME, key, files) for key in _FILES}
    recogniser = headers["recogniser"]
    if recogniser is not None and _CHARACTERS not in recogniser.properties:
        raise ConfigError(
            f"{NAME}.recogniser: {files['recogniser'].path}: has no property {_CHARACTERS!r}, the "
            "list of what it reads"
        )


TEXT_IN_IMAGE = PairScorerDeclaration(
    name=NAME,
    settings=TextInImageSettings,
    result_type=RESULT_TYPE,
    make=_make,
    check=_check,
    limits=TextInImageLimits,
    rejections=(
        Rejection("ocr_only", "max_text_overlap", lambda scores, most: scores["overlap"] > most),
        Rejection(
            "text_covers_image", "max_text_covered", lambda scores, most: scores["covered"] > most
        ),
    ),
)
