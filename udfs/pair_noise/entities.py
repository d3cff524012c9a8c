"""The scorer ``entities``: the entities that a text names, and the one that its image shows.

Names are those of a gazetteer, such as titles of an encyclopedia. Of those in a text the one whose
name is nearest to the image is chosen.

Source: MOFI (arXiv 2306.07952), which finds entities of alternative texts and chooses by CLIP.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pyspark.sql.types import (
    ArrayType,
    DoubleType,
    IntegerType,
    StringType,
    StructField,
    StructType,
)

from udfs.base.settings import ArtifactKey, ConfigError
from udfs.pair_noise.word_similarity import (
    ALIGNMENT,
    alignment_model,
    check_vectors,
    similarities_to_images,
    stored_vectors,
)
from udfs.pair_scorers.declaration import TEXT, Fitted, PairScorerDeclaration, PairScorerFiles
from udfs.pair_scorers.scorer import Loaded, Pairs, PairScorer, result_type
from udfs.scorers.declaration import KnownFiles, Rejection, read_known

if TYPE_CHECKING:
    from pyspark.sql import Column

    from udfs.pair_noise.gazetteer import Gazetteer
    from udfs.pair_noise.word_similarity import EncodingModel
    from udfs.scorers.scorer import Record

NAME = "entities"


@dataclass(frozen=True)
class EntitiesSettings:
    """Entities that a text names, with the similarity of each name to the image; needs scorer
    ``alignment`` with ``alignment.vectors``."""

    gazetteer: Annotated[str, ArtifactKey("names")] | None = None
    """A file of names, one a line, or an artifact's name; the scorer needs one. Names of one
    character are skipped; of overlapping ones the longest counts; a name begins and ends where a
    word does, and has a noun."""


@dataclass(frozen=True)
class EntitiesLimits:
    """Keys of [select_pairs] that look at entities."""

    require_entity: bool = False
    """Whether pairs are left out whose text names no entity (``no_entity``)."""


RESULT_TYPE = result_type(
    StructField(  # in the order of the text; empty where it names none
        "entities",
        ArrayType(
            StructType(
                [
                    StructField("text", StringType()),
                    StructField("start", IntegerType()),  # code points before it
                    StructField("similarity", DoubleType()),
                ]
            )
        ),
    ),
    StructField("chosen", StringType()),  # the most similar one, the first of equal ones
)


@dataclass(frozen=True)
class EntityModel:
    """The model of texts, and the names."""

    model: EncodingModel
    gazetteer: Gazetteer


def score_entities(pairs: Pairs, model: EntityModel) -> list[Record]:
    """Find the entities of every pair."""
    mentions = [model.gazetteer.mentions(text or "") for text in pairs.texts]
    names = [[mention.text for mention in of_text] for of_text in mentions]
    images = stored_vectors(pairs.others[ALIGNMENT])
    values = similarities_to_images(names, images, model.model)
    records = []
    for of_text, of_names in zip(mentions, values, strict=True):
        found = [
            {"text": mention.text, "start": mention.start, "similarity": value}
            for mention, value in zip(of_text, of_names, strict=True)
        ]
        best = max(zip(of_names, of_text, strict=True), key=lambda one: one[0], default=None)
        records.append(
            {"entities": found, "chosen": None if best is None else best[1].text, "failure": None}
        )
    return records


def load(files: Loaded, alignment: PairScorer) -> EntityModel:
    """The model of ``alignment`` and the gazetteer."""
    from udfs.pair_noise.gazetteer import Gazetteer, read_names

    return EntityModel(alignment_model(alignment), Gazetteer(read_names(files["gazetteer"])))


def _make(settings: EntitiesSettings, files: PairScorerFiles, fitted: Fitted) -> PairScorer:
    own = (("gazetteer", files.shipped("gazetteer")),)
    return PairScorer(NAME, RESULT_TYPE, load, score_entities, own, files.scorer(ALIGNMENT))


def _is_without_entity(scores: Column, is_on: bool) -> Column:
    from pyspark.sql import functions as F

    return (F.size(scores["entities"]) == 0) & F.lit(is_on)


def _check(settings: EntitiesSettings, limits: object, files: KnownFiles) -> None:
    from udfs.pair_noise.gazetteer import NamesFileError, read_names

    if settings.gazetteer is None:
        raise ConfigError(f'{NAME}.gazetteer = "off": scorer {NAME} needs a file of names')
    read_known(f"{NAME}.gazetteer", files.get("gazetteer"), read_names, NamesFileError)


ENTITIES = PairScorerDeclaration(
    name=NAME,
    settings=EntitiesSettings,
    result_type=RESULT_TYPE,
    make=_make,
    reads=(TEXT,),
    reads_nouns=True,
    needs=lambda settings: (ALIGNMENT,),
    check=_check,
    check_needed=check_vectors,
    limits=EntitiesLimits,
    rejections=(
        Rejection(
            "no_entity",
            "require_entity",
            _is_without_entity,
        ),
    ),
)
