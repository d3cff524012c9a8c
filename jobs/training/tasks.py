"""The training tasks by name."""

from __future__ import annotations

from collections.abc import Callable

from jobs.training.common.task import Found, Task
from jobs.training.domain.task import DOMAIN
from jobs.training.encoder.page_task import QUALITY_PAGE, fit_page
from jobs.training.encoder.stages_task import QUALITY_BERT_STAGES, fit_quality_encoder
from jobs.training.quality.task import QUALITY
from jobs.training.toxicity.perplexity_task import PERPLEXITY
from jobs.training.toxicity.task import TOXICITY

TASKS = {task.name: task for task in (QUALITY, DOMAIN, PERPLEXITY, TOXICITY)}
"""Those that take minutes and nothing beyond what jobs need: all that are trained unasked."""
ENCODER_TASKS: dict[str, tuple[Task, Callable[..., Found]]] = {
    "quality-bert": (QUALITY_PAGE, fit_page),
    "quality-bert-stages": (QUALITY_BERT_STAGES, fit_quality_encoder),
}
"""Those that take PyTorch, with their fit, which can go on from checkpoints."""
