"""A judge of whether texts are toxic: a file of verdicts, and a local model that adds to it.

The file holds one JSON object a line: ``{"sha256": digest of the text, "label": ...}``. A second
run reads the verdicts from it and needs no model.

The model is a classifier or a causal language model of transformers, loaded from a folder; nothing
is downloaded. A long text is judged in pieces and is toxic where one of them is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from jobs.training.common.task import TrainingError
from udfs.scorers.toxicity import BENIGN, TOXIC

LABELS = (BENIGN, TOXIC)

Ask = Callable[[Sequence[str]], Iterator[bool]]
"""Yields whether each text is toxic."""

TEXT = "{text}"
TEMPLATE = (
    "下面的网络文本是否侮辱他人或群体，或者推销赌博、色情、诈骗？"
    "医学、法律、新闻、文学中提到这些内容的不算。只回答“是”或“否”。\n"
    f"文本：{TEXT}\n"
    "回答："
)
"""Prompt of a causal model, which answers `YES` or `NO`."""
YES, NO = "是", "否"

_CLASSIFIER_CHARS = 400  # of a piece: within the 512 tokens that an encoder of Chinese reads
_CAUSAL_CHARS = 2_000


class JudgeError(TrainingError):
    """Verdicts or their judge cannot be used; the message names the file."""


class Judge:
    """Verdicts of a file, completed by a model.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, ask: Ask | None = None) -> None:
        """Read the file.

        Args:
            path: May be missing when there is a model.
            ask: The model; None for the file alone.
        Raises:
            JudgeError: the file cannot be read, a line is no verdict, or two verdicts on a text
                differ.
        """
        self.path = path
        self._ask = ask
        self._verdicts = {} if ask is not None and not path.exists() else _read(path)

    def verdicts(self, texts: Sequence[str]) -> list[str | None]:
        """Return the label of each text; None where the file has no verdict and there is no model.

        Every new verdict is written at once, so that a run that stops continues where it was.
        """
        digests = [digest_of(text) for text in texts]
        if self._ask is not None:
            unknown = {
                digest: text
                for digest, text in zip(digests, texts, strict=True)
                if digest not in self._verdicts
            }
            with self.path.open("a", encoding="utf-8") as file:
                answers = self._ask(list(unknown.values()))
                for digest, is_toxic in zip(unknown, answers, strict=True):
                    label = TOXIC if is_toxic else BENIGN
                    self._verdicts[digest] = label
                    file.write(json.dumps({"sha256": digest, "label": label}) + "\n")
                    file.flush()
        return [self._verdicts.get(digest) for digest in digests]


def digest_of(text: str) -> str:
    """Return the key of a text in a file of verdicts: SHA-256 of its UTF-8, 64 hex digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _read(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise JudgeError(f"{path}: cannot be read: {error}") from error
    verdicts: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            digest, label = row["sha256"], row["label"]
        except (ValueError, TypeError, KeyError) as error:
            raise JudgeError(
                f'{path}: line {number}: expected {{"sha256": ..., "label": ...}}'
            ) from error
        if label not in LABELS:
            raise JudgeError(
                f"{path}: line {number}: label {label!r}: expected {' or '.join(LABELS)}"
            )
        if verdicts.setdefault(digest, label) != label:
            raise JudgeError(
                f"{path}: line {number}: {label} contradicts an earlier verdict on {digest}"
            )
    return verdicts


def model_judge(folder: Path, toxic: str | None = None, template: str = TEMPLATE) -> Ask:
    """Load a model as a judge of texts.

    Args:
        folder: As transformers saves one, with its tokenizer and weights as safetensors.
        toxic: The label of a classifier that means toxic.
        template: Prompt of a causal model, with ``{text}`` in it.
    Raises:
        JudgeError: the model is of another kind, the label is not the classifier's, the template
            has no ``{text}``, or transformers is not installed.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise JudgeError(f"{folder}: cannot be read: {error}") from error
    kinds = " ".join(config.get("architectures") or [])
    try:
        if "ForSequenceClassification" in kinds:
            return _asking(_classifier(folder, toxic), _CLASSIFIER_CHARS)
        if "ForCausalLM" in kinds or "LMHeadModel" in kinds:
            return _asking(_causal(folder, template), _CAUSAL_CHARS)
    except ImportError as error:
        raise JudgeError(f'{error.name} is not installed: pip install "taojin[bert]"') from error
    raise JudgeError(
        f"{folder}: architectures = {kinds or None}: expected ForSequenceClassification or "
        "ForCausalLM"
    )


def _asking(is_toxic: Callable[[str], bool], chars: int) -> Ask:
    def ask(texts: Sequence[str]) -> Iterator[bool]:
        for text in texts:
            yield any(is_toxic(text[at : at + chars]) for at in range(0, len(text), chars))

    return ask


def _classifier(folder: Path, toxic: str | None) -> Callable[[str], bool]:
    from transformers import AutoModelForSequenceClassification

    tokenizer, model = _loaded(folder, AutoModelForSequenceClassification)
    labels: dict[str, int] = model.config.label2id
    if toxic not in labels:
        raise JudgeError(
            f"{folder}: --judge-toxic {toxic}: expected one of its labels: {', '.join(labels)}"
        )

    def is_toxic(piece: str) -> bool:
        logits = model(**tokenizer(piece, return_tensors="pt", truncation=True)).logits[0]
        return int(logits.argmax()) == labels[toxic]

    return is_toxic


def _causal(folder: Path, template: str) -> Callable[[str], bool]:
    from transformers import AutoModelForCausalLM

    if TEXT not in template:
        raise JudgeError(f"--judge-template: expected {TEXT} in it, where the text goes")
    tokenizer, model = _loaded(folder, AutoModelForCausalLM)
    yes, no = (tokenizer(word, add_special_tokens=False)["input_ids"][:1] for word in (YES, NO))
    if yes == no:
        raise JudgeError(
            f"{folder}: its tokenizer gives {YES} and {NO} the same first token: use another model"
        )

    def is_toxic(piece: str) -> bool:
        # One replacement: a text may contain {text} itself.
        question = template.replace(TEXT, piece, 1)
        if tokenizer.chat_template:
            question = tokenizer.apply_chat_template(
                [{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True
            )
        # The chat template has already added the special tokens.
        inputs = tokenizer(
            question, return_tensors="pt", add_special_tokens=not tokenizer.chat_template
        )
        logits = model(inputs["input_ids"]).logits[0, -1]
        return bool(logits[yes[0]] > logits[no[0]])

    return is_toxic


def _loaded(folder: Path, kind: Any) -> tuple[Any, Any]:
    """The tokenizer of a folder, and its model without gradients."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = kind.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    return tokenizer, model.eval().requires_grad_(False)
