"""Constants that trained models depend on: versions of the tokenizers, and names of labels.

A model is used only with the versions that it was trained with. This module imports nothing, so
that a command that only reads the catalogue starts fast.
"""

SEGMENTATION = "1"
"""Version of `udfs.tokens.segment`: the words of a text."""
FORM_TOKENS = "2"
"""Version of `udfs.tokens.forms`."""
SHAPE_TOKENS = "1"
"""Version of `udfs.tokens.shape_tokens`."""
FOLDING = "1"
"""Version of `udfs.folding`: what is folded, and where."""

LABEL_PREFIX = "__label__"
"""Prefix of a label's name in fastText's files."""
UNDETERMINED = "und"
"""Language of a text without letters, and of one that a model says nothing of (ISO 639-2)."""
