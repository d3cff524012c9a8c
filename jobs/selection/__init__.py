"""Selections: which documents become a corpus, by thresholds on what is stored of them.

In come the tables of all stages before; out come corpus, rejected and corpus_jsonl of a selection:
the default one at the top of an output, a named one under ``corpora/NAME``. No score is computed
here. The room imports jobs.run, jobs.transforms, jobs.catalogue, jobs.config, jobs.tables and udfs.
"""
