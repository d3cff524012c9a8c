"""Kinds of harm: which of them a toxic text is, by a model beside that of toxicity.

The model is a supervised fastText file whose labels are kinds and whose words are grams, as those
of the model of short texts. It reads the worst span of each text that is toxic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from udfs.base.settings import ConfigError
from udfs.scorers.declaration import KnownFiles, read_known
from udfs.scorers.scorer import model_of

if TYPE_CHECKING:
    from udfs.files.artifacts import ArtifactFile

INSULT, GAMBLING, PORNOGRAPHY = "insult", "gambling", "pornography"
FRAUD, BLACK_MARKET = "fraud", "black_market"
KINDS = (INSULT, GAMBLING, PORNOGRAPHY, FRAUD, BLACK_MARKET)
"""Insults of a person or a group; offers of gambling; sexual offers; offers by which people are
cheated of money; offers of what is forbidden to sell, such as accounts, invoices or clicks."""


def likeliest_kinds(texts: Sequence[str], kinds: ArtifactFile) -> list[str | None]:
    """The likeliest kind of each text, whatever its toxicity; None for one without a gram.

    Args:
        kinds: The model.
    """
    if not texts:
        return []
    from udfs.models.fasttext_model import load_fasttext
    from udfs.tokens.grams import gram_tokens

    model, grams = model_of(kinds, load_fasttext), gram_tokens(texts)
    chosen = model.probabilities(grams).argmax(axis=1).tolist()
    return [
        model.labels[column] if own else None for column, own in zip(chosen, grams, strict=True)
    ]


def check_kinds(name: str, kinds: str | None, limits: Iterable[str], files: KnownFiles) -> None:
    """Check the model of kinds, as far as it is on this machine, and the kinds that have limits.

    Args:
        name: The scorer's.
        kinds: The setting that names the model; None where it is off.
        limits: Kinds that ``min_label_scores`` names.
    Raises:
        ConfigError: a label or a limit of an unknown kind, or a limit without the model.
    """
    key = f"{name}.min_label_scores"
    if unknown := sorted(set(limits) - set(KINDS)):
        raise ConfigError(f"{key}: no kind {unknown[0]!r}; known kinds: {', '.join(KINDS)}")
    if kinds is None:
        if given := list(limits):
            raise ConfigError(
                f"{key} = {given}: has no effect while {name}.kinds is off: set both or neither"
            )
        return
    from udfs.models.fasttext_file import ModelFileError, read_fasttext_header

    header = read_known(f"{name}.kinds", files.get("kinds"), read_fasttext_header, ModelFileError)
    if header is not None and (unknown := sorted(set(header.labels) - set(KINDS))):
        raise ConfigError(
            f"{name}.kinds = {kinds!r}: its label {unknown[0]!r} is no kind; known kinds: "
            f"{', '.join(KINDS)}"
        )
