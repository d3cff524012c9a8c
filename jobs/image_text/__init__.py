"""Stages of images and image-text pairs: bodies and measures of images, measures and rules of
pairs, selections, interleaved documents, releases.

In come the tables `pairs` and `documents` of an output, and image bodies from its WARC files or
from shards. The room imports jobs.publishing, jobs.run, jobs.transforms, jobs.catalogue,
jobs.config, jobs.tables and udfs.
"""
