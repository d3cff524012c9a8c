"""Vectors of images, and the texts of a document that its images are matched to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from udfs.alignment.assignment import assigned_lines
from udfs.base.worker import BatchMap, keeps_what_it_loads
from udfs.pair_scorers.pixels import prepared_ahead
from udfs.pair_scorers.scorer import loaded_model

if TYPE_CHECKING:
    from udfs.alignment.alignment import AlignmentModel
    from udfs.pair_scorers.scorer import PairScorer

VECTORS_DDL = "sha256 string, vector binary"
MATCHES_DDL = "doc_id string, position int, matched_text_index int, matched_sim double"
_VECTORS = pa.schema([("sha256", pa.string()), ("vector", pa.binary())])
_MATCHES = pa.schema(
    [
        ("doc_id", pa.string()),
        ("position", pa.int32()),
        ("matched_text_index", pa.int32()),
        ("matched_sim", pa.float64()),
    ]
)


def image_vectors(scorer: PairScorer) -> BatchMap:
    """Return a function for mapInArrow: sha256, body become rows of VECTORS_DDL, vectors as
    float32. An image that cannot be decoded has none.

    Batch: that of Spark; images of one are decoded ahead of the model.
    """

    @keeps_what_it_loads("image_vectors")
    def encode(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            model: AlignmentModel = loaded_model(scorer.files, scorer.load, scorer.options)
            encoder = model.encoder()
            names = batch.column("sha256").to_pylist()
            made = prepared_ahead(
                batch.column("body").to_pylist(),
                encoder.prepare,
                batch=encoder.batch_images,
                threads=model.threads,
            )
            for numbers, images in made:
                vectors = encoder.image_vectors(images).astype("<f4")
                columns = [[names[n] for n in numbers], [vector.tobytes() for vector in vectors]]
                yield pa.RecordBatch.from_arrays(
                    [pa.array(c, f.type) for c, f in zip(columns, _VECTORS, strict=True)],
                    schema=_VECTORS,
                )

    return encode


def matched_texts(scorer: PairScorer) -> BatchMap:
    """Return a function for mapInArrow: documents become rows of MATCHES_DDL, one an image.

    Needs: doc_id, texts (null where an image is, as in table ``interleaved``), images (position,
        vector).
    Batch: the texts of all its documents are encoded together.
    """

    @keeps_what_it_loads("matched_texts")
    def match(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            model: AlignmentModel = loaded_model(scorer.files, scorer.load, scorer.options)
            rows = batch.to_pylist()
            texts = dict.fromkeys(text for row in rows for text in row["texts"] if text)
            vectors, _ = model.encoder().text_vectors(list(texts))
            of_text = dict(zip(texts, vectors, strict=True))
            found = [match for row in rows for match in _matches(row, of_text)]
            yield pa.RecordBatch.from_pylist(found, schema=_MATCHES)

    return match


def _matches(row: dict[str, Any], of_text: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The matches of a document; none for one without a text."""
    places = [place for place, text in enumerate(row["texts"]) if text]
    if not places:
        return
    images = sorted(row["images"], key=lambda image: image["position"])
    own = np.stack([np.frombuffer(image["vector"], "<f4") for image in images])
    lines = np.stack([of_text[row["texts"][place]] for place in places])
    for image, (line, similarity) in zip(images, assigned_lines(own @ lines.T), strict=True):
        yield {
            "doc_id": row["doc_id"],
            "position": image["position"],
            "matched_text_index": places[line],
            "matched_sim": similarity,
        }
