"""The last decision on every document, and the corpus row that it becomes.

In come the tables of earlier stages as frames; out come verdicts (which stage removed a document,
and why) and corpus rows. Nothing here reads or writes a table, and no text is read before the rows
are decided. The room imports jobs.config, jobs.tables and udfs.
"""
