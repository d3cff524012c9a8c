"""The training tasks by name."""

from __future__ import annotations

from jobs.training.domain import DOMAIN
from jobs.training.perplexity import PERPLEXITY
from jobs.training.quality import QUALITY
from jobs.training.toxicity import TOXICITY

TASKS = {task.name: task for task in (QUALITY, DOMAIN, TOXICITY, PERPLEXITY)}
