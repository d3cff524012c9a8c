"""A judge of texts, and the file of its verdicts. No Spark.

Whatever judges, a verdict is written down: ``{"sha256": of the text, "label": ...}``, one JSON
object a line. A second run reads it there, and needs no judge.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from udfs.toxicity import BENIGN, TOXIC

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
