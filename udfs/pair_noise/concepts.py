"""The scorer ``concepts``: nouns of a text, and words of a vocabulary that its image shows.

A text names some of what an image shows. Its own nouns have the similarity of each to the image;
the words of the vocabulary that are nearest to the image are what a text may lack (NEVLP completes
texts with them).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DoubleType,
    StringType,
    StructField,
    StructType,
)

from udfs.base.settings import ArtifactKey, ConfigError, Count, PositiveCount, Share
from udfs.pair_noise.word_similarity import (
    ALIGNMENT,
    DECIMALS,
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

    from udfs.base.array_types import Float32Array
    from udfs.pair_noise.word_similarity import EncodingModel
    from udfs.scorers.scorer import Record

NAME = "concepts"


@dataclass(frozen=True)
class ConceptsSettings:
    """Nouns of a text and words that its image shows, with their similarity to the image; needs
    scorer ``alignment`` with ``alignment.vectors``."""

    vocabulary: Annotated[str, ArtifactKey("names")] | None = None
    """A file of words, one a line, or an artifact's name: nouns that are not in it are no concepts,
    and ``of_image`` words of it are looked for. Off: every noun of a text is a concept."""
    most: PositiveCount = 16
    """Most nouns of a text, the first ones."""
    of_image: Count = 5
    """Words of the vocabulary that are nearest to an image, whether its text has them or not."""


@dataclass(frozen=True)
class ConceptsLimits:
    """Keys of [select_pairs] that look at concepts."""

    min_concept_similarity: Share | None = None
    """Least similarity to the image of the noun of a text that is nearest to it; a text without a
    noun has none (``no_concept``). As CC3M, whose texts have a word for what a classifier sees.
    Off by default."""


RESULT_TYPE = result_type(
    StructField(  # by similarity, highest first, then by word; empty where there is none
        "concepts",
        ArrayType(
            StructType(
                [
                    StructField("text", StringType()),
                    StructField("similarity", DoubleType()),
                    StructField("in_text", BooleanType()),  # whether the text has it
                ]
            )
        ),
    ),
)

Options = tuple[ConceptsSettings, PairScorer]


class ConceptModel:
    """The model of texts, and the vocabulary with its vectors."""

    def __init__(
        self, settings: ConceptsSettings, model: EncodingModel, vocabulary: Sequence[str] | None
    ) -> None:
        self.settings = settings
        self.model = model
        self.vocabulary = vocabulary
        self.known = None if vocabulary is None else frozenset(vocabulary)

    def nouns(self, text: str) -> list[str]:
        """The concepts that a text has."""
        from udfs.pair_noise.nouns import nouns_of

        nouns = [noun for noun in nouns_of(text) if self.known is None or noun in self.known]
        return nouns[: self.settings.most]

    def nearest(self, images: Float32Array) -> list[list[tuple[str, float]]]:
        """The words of the vocabulary that are nearest to each image, with their similarity."""
        import numpy as np

        if self.vocabulary is None or not self.settings.of_image:
            return [[] for _ in images]
        products = np.round((images @ self._vectors.T).astype(np.float64), DECIMALS)
        order = np.argsort(-products, axis=1, kind="stable")[:, : self.settings.of_image]
        return [
            [(self.vocabulary[word], float(of_image[word])) for word in words]
            for of_image, words in zip(products, order.tolist(), strict=True)
        ]

    @cached_property
    def _vectors(self) -> Float32Array:
        vectors, _ = self.model.encoder().text_vectors(self.vocabulary or ())
        return vectors


def score_concepts(pairs: Pairs, model: ConceptModel) -> list[Record]:
    """Find the concepts of every pair."""
    images = stored_vectors(pairs.others[ALIGNMENT])
    nouns = [model.nouns(text or "") for text in pairs.texts]
    own = similarities_to_images(nouns, images, model.model)
    records = []
    for of_text, values, of_image in zip(nouns, own, model.nearest(images), strict=True):
        found = dict(of_image) | dict(zip(of_text, values, strict=True))
        ordered = sorted(found.items(), key=lambda one: (-one[1], one[0]))
        concepts = [
            {"text": word, "similarity": value, "in_text": word in of_text}
            for word, value in ordered
        ]
        records.append({"concepts": concepts, "failure": None})
    return records


def load(files: Loaded, options: Options) -> ConceptModel:
    """The model of ``alignment`` and the words of the vocabulary."""
    from udfs.pair_noise.gazetteer import read_names

    settings, alignment = options
    path = files.get("vocabulary")
    return ConceptModel(
        settings, alignment_model(alignment), None if path is None else read_names(path)
    )


def _make(settings: ConceptsSettings, files: PairScorerFiles, fitted: Fitted) -> PairScorer:
    options = (settings, files.scorer(ALIGNMENT))
    keys = ("vocabulary",) if settings.vocabulary is not None else ()
    own = tuple((key, files.shipped(key)) for key in keys)
    return PairScorer(NAME, RESULT_TYPE, load, score_concepts, own, options)


def _is_without_concept(scores: Column, least: float) -> Column:
    from pyspark.sql import functions as F

    return ~F.exists(scores["concepts"], lambda one: one["in_text"] & (one["similarity"] >= least))


def _check(settings: ConceptsSettings, limits: object, files: KnownFiles) -> None:
    from udfs.pair_noise.gazetteer import MAX_VOCABULARY, NamesFileError, read_names

    names = read_known(f"{NAME}.vocabulary", files.get("vocabulary"), read_names, NamesFileError)
    if names is not None and len(names) > MAX_VOCABULARY:
        raise ConfigError(
            f"{NAME}.vocabulary: {len(names):,} words: every image is compared with all of them; "
            f"at most {MAX_VOCABULARY:,}"
        )


CONCEPTS = PairScorerDeclaration(
    name=NAME,
    settings=ConceptsSettings,
    result_type=RESULT_TYPE,
    make=_make,
    reads=(TEXT,),
    reads_nouns=True,
    needs=lambda settings: (ALIGNMENT,),
    check=_check,
    check_needed=check_vectors,
    limits=ConceptsLimits,
    rejections=(
        Rejection(
            "no_concept",
            "min_concept_similarity",
            _is_without_concept,
        ),
    ),
)
