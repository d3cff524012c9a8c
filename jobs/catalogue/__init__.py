"""Artifacts: which models, word lists and label sets a run uses, and their files.

In come the catalogue (every version of every artifact), the lock (the versions that runs use) and a
configuration; out come locked artifacts, their checked files in the cache, and what executors need
to get them. `jobs.lock_artifacts` resolves the versions. The room imports jobs.config and
udfs.files and udfs.base alone.
"""
