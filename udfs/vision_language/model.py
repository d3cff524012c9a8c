"""A packed generative model in a Python worker: unpacked, and loaded once for each device."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from udfs.base.worker import cores_of_task
from udfs.encoder.quality_bert import device_of_task
from udfs.vision_language.questions import Answer, AnswerSettings, Query

if TYPE_CHECKING:
    from udfs.vision_language.generator import Generator
    from udfs.vision_language.vllm_engine import VllmGenerator


class GenerativeModel:
    """A folder of transformers, and the model loaded once for each device in use."""

    def __init__(self, folder: Path, settings: AnswerSettings, scorer: str) -> None:
        """Hold what is loaded at the first question.

        Args:
            folder: As transformers saved it.
            scorer: Its name, for messages.
        """
        cores = cores_of_task()
        if cores is not None:  # before the first use, which makes the tokenizer's threads
            os.environ["RAYON_NUM_THREADS"] = str(cores)
        self.folder = folder
        self.settings = settings
        self.scorer = scorer
        self._loaded: dict[str, Generator | VllmGenerator] = {}

    def answers(self, questions: Sequence[Query]) -> list[Answer]:
        """Return the answer to each question, in their order, whatever the order of batches.

        Raises:
            ModuleNotFoundError: PyTorch, transformers or the chosen engine is not installed.
        """
        device = device_of_task(self.settings.device)
        if device not in self._loaded:
            self._loaded[device] = self._load(device)
        return self._loaded[device].answers(questions)

    def _load(self, device: str) -> Generator | VllmGenerator:
        try:
            import torch
            from transformers.utils import logging

            from udfs.vision_language.generator import Generator
            from udfs.vision_language.vllm_engine import VllmGenerator, is_installed
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f'scorer {self.scorer} needs pip install "taojin[pairs]"', name=error.name
            ) from error
        logging.disable_progress_bar()
        if cores := cores_of_task():
            torch.set_num_threads(cores)  # else every task would take all cores of the machine
        wanted = self.settings.engine
        if wanted == "vllm" and not is_installed():
            raise ModuleNotFoundError(f"{self.scorer}.engine = 'vllm': vLLM is not installed")
        if wanted == "vllm" or (wanted == "auto" and device != "cpu" and is_installed()):
            return VllmGenerator(self.folder, self.settings)
        generator = Generator(self.folder, self.settings, device)
        print(
            f"{self.scorer}: {generator.dtype} on {device}, {torch.get_num_threads()} threads, "
            f"{generator.budget:,} tokens a batch",
            file=sys.stderr,
        )
        return generator
