"""Versions of what trained models depend on in the code; of no weight, so that a command that only
looks at the catalogue loads nothing else.

A model is used with no other version than that of its training.
"""

SEGMENTATION = "1"
"""Of `udfs.segment`: the words of a text."""
FORM_TOKENS = "1"
"""Of `udfs.form_tokens`."""
SHAPE_TOKENS = "1"
"""Of `udfs.shape_tokens`."""
