"""Folding of disguised writing, for scorers: texts as a reader takes them, beside stored ones.

Texts go in; out come those that change, folded, with the place of every character in the text as
it is stored. Styled, circled and emoji letters and digits become plain ones, invisible marks and
signs inside words go, and a table of homophones, look-alikes, split characters and initials is
applied in its contexts. Models that were trained on folded texts depend on every table: a change
takes a new version in base/model_constants. The room may import base.
"""
