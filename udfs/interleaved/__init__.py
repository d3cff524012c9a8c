"""Interleaved documents: texts with the images between their lines.

In go the versions of a text and the image places of its page; out comes one sequence of texts and
images, or the reason why there is none. May import base.
"""
