"""A judge of texts, and the file of its verdicts. No Spark.

Whatever judges, a verdict is written down: ``{"sha256": of the text, "label": ...}``, one JSON
object a line. A second run reads it there, and needs no judge.

A local model of transformers as a judge of texts: a classifier, or one that goes on with text.

Nothing is fetched. A text is judged in pieces and is toxic where one of them is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from udfs.scorers.toxicity import BENIGN, TOXIC

LABELS = (BENIGN, TOXIC)

Ask = Callable[[Sequence[str]], Iterator[bool]]
"""Whether each text is toxic, one after another."""


class JudgeError(ValueError):
    """Verdicts or their judge cannot be used; the message names the file."""


class Judge:
    """Verdicts of a file, and of whoever is asked where it has none.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, ask: Ask | None = None) -> None:
        """Read the file.

        Args:
            path: It need not be there where somebody is asked.
            ask: None where only the file is.
        Raises:
            JudgeError: it cannot be read, a line is no verdict, or two differ on a text.
        """
        self.path = path
        self._ask = ask
        self._verdicts = {} if ask is not None and not path.exists() else _read(path)

    def verdicts(self, texts: Sequence[str]) -> list[str | None]:
        """The label of each text; None where there is no verdict, and nobody to ask.

        What is asked is written down at once, so that a run that stops goes on where it was.
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
    """What a text is called in a file of verdicts: SHA-256 of its UTF-8, 64 hex digits."""
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
            raise JudgeError(f"{path}: line {number}: is no verdict") from error
        if label not in LABELS:
            raise JudgeError(f"{path}: line {number}: label {label!r} is none of {LABELS}")
        if verdicts.setdefault(digest, label) != label:
            raise JudgeError(f"{path}: line {number}: another verdict on {digest}")
    return verdicts


TEXT = "{text}"
TEMPLATE = (
    "下面的网络文本是否侮辱他人或群体，或者推销赌博、色情、诈骗？"
    "医学、法律、新闻、文学中提到这些内容的不算。只回答“是”或“否”。\n"
    f"文本：{TEXT}\n"
    "回答："
)
"""What a causal model is asked; it answers `YES` or `NO`."""
YES, NO = "是", "否"

_CLASSIFIER_CHARS = 400  # of a piece: within the 512 tokens that an encoder of Chinese reads
_CAUSAL_CHARS = 2_000


def model_judge(folder: Path, toxic: str | None = None, template: str = TEMPLATE) -> Ask:
    """A model's opinion of texts.

    Args:
        folder: As transformers saves one, with its tokenizer and weights as safetensors.
        toxic: The label of a classifier that stands for toxic.
        template: A causal model's question, with ``{text}`` in it.
    Raises:
        JudgeError: it is neither kind, the label is not the classifier's, or the template has no
            place for a text; or what it takes is not installed.
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
        raise JudgeError(f"{folder}: its labels are {', '.join(labels)}: which of them is toxic?")

    def is_toxic(piece: str) -> bool:
        logits = model(**tokenizer(piece, return_tensors="pt", truncation=True)).logits[0]
        return int(logits.argmax()) == labels[toxic]

    return is_toxic


def _causal(folder: Path, template: str) -> Callable[[str], bool]:
    from transformers import AutoModelForCausalLM

    if TEXT not in template:
        raise JudgeError(f"the judge's template has no {TEXT}")
    tokenizer, model = _loaded(folder, AutoModelForCausalLM)
    yes, no = (tokenizer(word, add_special_tokens=False)["input_ids"][:1] for word in (YES, NO))
    if yes == no:
        raise JudgeError(f"{folder}: its tokenizer does not tell {YES} from {NO}")

    def is_toxic(piece: str) -> bool:
        # One replacement: a text may have the mark in it, too.
        question = template.replace(TEXT, piece, 1)
        if tokenizer.chat_template:
            question = tokenizer.apply_chat_template(
                [{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True
            )
        # A chat's text begins with its special tokens already.
        inputs = tokenizer(
            question, return_tensors="pt", add_special_tokens=not tokenizer.chat_template
        )
        logits = model(inputs["input_ids"]).logits[0, -1]
        return bool(logits[yes[0]] > logits[no[0]])

    return is_toxic


def _loaded(folder: Path, kind: Any) -> tuple[Any, Any]:
    """Its tokenizer and its model, which only answers."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = kind.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    return tokenizer, model.eval().requires_grad_(False)
