"""Releases: a corpus as files that people load, with a card that says what they are.

In go the corpus of a run, or of a named selection, and the settings of [release]; out come Parquet
and JSON lines in the layout of the Hugging Face Hub, README.md as a dataset card, checksums.sha256
and run.json. `rows` labels the rows, `layout` deals them to files, `facts` and `card` say what came
out, `release` does these in order, `command` for release_corpus, and `stage` at the end of a
pipeline; `products` writes tables of products. May import publishing, run, catalogue, transforms,
tables and config.
"""
