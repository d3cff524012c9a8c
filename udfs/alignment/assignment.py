"""The lines of a document that its images belong to.

Source: MMC4 (arXiv 2304.06939), section 3: a bipartite assignment of images to sentences with the
largest sum of similarities, each sentence at most one image; images beyond the number of sentences
get the nearest one.
"""

from __future__ import annotations

from udfs.base.array_types import Float32Array


def assigned_lines(similarity: Float32Array) -> list[tuple[int, float]]:
    """Return the line of each image, and their similarity.

    Args:
        similarity: Of images and lines, shape (images, lines), lines at least one.

    >>> import numpy as np
    >>> assigned_lines(np.float32([[0.9, 0.8], [0.7, 0.1]]))
    [(1, 0.8), (0, 0.7)]
    >>> assigned_lines(np.float32([[0.5], [0.25]]))
    [(0, 0.5), (0, 0.25)]
    """
    from scipy.optimize import linear_sum_assignment

    lines = similarity.argmax(axis=1)
    images, assigned = linear_sum_assignment(similarity, maximize=True)
    lines[images] = assigned
    return [
        (int(line), round(float(similarity[image, line]), 5)) for image, line in enumerate(lines)
    ]
