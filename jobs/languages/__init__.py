"""Proposals of language packs, measured on clean text.

In go files of clean text, or the texts of a run, and the pack whose limits are carried over; out
comes the text of a pack. `counts` asks Spark for scripts, words and the distributions of measures,
`limits` carries limits over by their place in a distribution, `proposal` puts a pack together. May
import run, tables and config.
"""
