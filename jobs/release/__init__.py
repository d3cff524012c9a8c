"""Releases: a corpus as files that people load, with a card that says what they are.

In go the corpus of a run, or of a named selection, and the settings of [release]; out come Parquet
and JSON lines in the layout of the Hugging Face Hub, README.md as a dataset card, checksums.sha256
and run.json. `exclusions` reads what a release must leave out, `rows` labels the rows, `layout`
deals them to files, `files` writes these in Python workers, with `lines` for JSON, `facts` and
`card` say what came out, `place` puts all of it where it belongs, `release` does these in order,
`command` for release_corpus, and `stage` at the end of a pipeline. May import run, catalogue,
transforms, tables and config.
"""
