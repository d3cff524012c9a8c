"""Constants that trained models depend on: versions of the code that makes their tokens, and
fastText's label marker.

A model is used only with the versions of its training. This module imports nothing, so that a
command that only reads the catalogue stays cheap.
"""

SEGMENTATION = "1"
"""Version of `udfs.tokens.segment`: the words of a text."""
FORM_TOKENS = "1"
"""Version of `udfs.tokens.forms`."""
SHAPE_TOKENS = "1"
"""Version of `udfs.tokens.shape_tokens`."""

LABEL_PREFIX = "__label__"
"""What fastText writes before a label's name."""
