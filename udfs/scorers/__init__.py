"""Scorers: what a model says of a text, as one record for each text.

In come the texts of a batch, or their tokens, and a model's file; out come records with the columns
of the scorer's table. A module declares one scorer: its settings, files, result type, corpus
columns, limits of the selection, checks, and how it is made (`declaration` has the form,
`jobs/config/scorers.py` the list); `scoring` runs all scorers in one pass. The room imports base,
files, lists, tokens and models.
"""
