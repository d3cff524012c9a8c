"""Made messages as training documents, and what of the grammar a card says."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from jobs.training.common.examples import Document
from jobs.training.common.task import Found
from jobs.training.toxicity.messages import grammar
from udfs.scorers import toxicity
from udfs.tokens.tokenizer import token_lines

MADE = "made"
"""Kind of documents that are made messages."""
ORDINARY = "ordinary"
"""Main label of those without harm; that of the others is their kind of harm, so that folds, which
spread main labels, leave those of all other units as they are without made messages."""


def made_documents() -> list[Document]:
    """Return the made messages; the unit of each is its family, and its note the kind of harm.

    Raises:
        TrainingError: a table of the grammar cannot be used.
    """
    messages = grammar.made_messages(
        grammar.SEED, grammar.OFFERS_OF_FAMILY, grammar.ORDINARY_OF_FAMILY
    )
    lines = token_lines([m.text for m in messages], [toxicity.bundled_tokenizer()])[0]
    return [
        Document(
            line,
            (ORDINARY, toxicity.BENIGN) if m.kind is None else (m.kind, toxicity.TOXIC),
            f"made: {m.family}",
            MADE,
            text=m.text,
            note=m.kind or ORDINARY,
        )
        for line, m in zip(lines, messages, strict=True)
    ]


@lru_cache(maxsize=1)
def described_grammar() -> Found:
    """Return the numbers of families and templates, and the digest of all tables."""
    families = grammar.read_families()
    digest = hashlib.sha256()
    for path in sorted(grammar.FOLDER.glob("*.toml")):
        digest.update(path.read_bytes())
    return {
        "made_seed": grammar.SEED,
        "made_families": len(families),
        "made_templates": sum(len(family.lines) for family in families),
        "made_tables_sha256": digest.hexdigest(),
    }
