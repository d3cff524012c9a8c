"""How well an image leads back to a text: the texts nearest to it, compared with the text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from udfs.base.array_types import Float16Array
from udfs.pair_noise.embeddings import similarities, unit_rows, vectors_of


def cycle_score(own: Float16Array, back: Float16Array) -> float:
    """Mean cosine of a text and the texts nearest to an image.

    An image whose nearest texts are the text itself and one that says the same comes near 1; one
    that leads to other texts gets their similarity. The mean is taken over all of them, the text
    itself included, since the largest would be 1 for every image that leads back at all.

    Args:
        own: Sentence embedding of the text, of any length, shape (width,).
        back: Those of the texts nearest to the image, shape (texts, width), at least one.
    Source:
        SynC (arXiv 2507.18616), which says that a caption is compared with those that an image
        retrieves.
    """
    cosines = similarities(unit_rows(own[None]), unit_rows(back))
    return float(cosines[0].sum() / len(back))


def cycle_pass(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Function for mapInArrow: adds cycle_score.

    Batch: text_key, image_key, similarity, own (bytes of float16), back (array of the same); the
    first three and cycle_score (double) out.

    Raises:
        udfs.pair_noise.embeddings.WrongEmbedding: embeddings differ in width.
    """
    names = ["text_key", "image_key", "similarity"]
    for batch in batches:
        own = vectors_of(batch.column("own"))
        scores = [
            cycle_score(own[row], vectors_of(batch.column("back")[row].values))
            for row in range(batch.num_rows)
        ]
        columns = [batch.column(name) for name in names]
        yield pa.RecordBatch.from_arrays(
            [*columns, pa.array(np.array(scores, dtype=np.float64))], names=[*names, "cycle_score"]
        )
