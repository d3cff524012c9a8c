"""The loss of the published regression."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional


def published_loss(
    scores: Any, targets: Any, weights: Any, shares: tuple[float, float, float]
) -> Any:
    """Shares of the squared error, of wrongly ordered pairs, and of the angle between both.

    Batch:
        Scores, targets and weights, float32 (texts,); a scalar. The pairs take (texts, texts).
    Source:
        ChineseWebText 1.0 (BERTEval), after Wang et al. 2022 (NAACL, 2022.naacl-main.249), whose
        ranking this is: a pair whose targets differ costs what its scores are apart the wrong way,
        one whose targets are level what they are apart. The published script asks the scores
        themselves which of two is better, so that its ranking loss is 0 whatever the targets.
    """
    of_errors, of_pairs, of_angle = shares
    error = (weights * (scores - targets) ** 2).mean()
    apart = scores[:, None] - scores[None, :]
    order = torch.sign(targets[:, None] - targets[None, :])
    order = torch.where(order == 0, -torch.sign(apart), order)
    pair_weights = (weights[:, None] + weights[None, :]) / 2
    ranking = torch.relu(-order * apart * pair_weights).mean()
    root = weights.sqrt()
    angle = 1 - functional.cosine_similarity(scores * root, targets * root, dim=0)
    return of_errors * error + of_pairs * ranking + of_angle * angle
