"""Duplicates: keys of texts, URLs and paragraphs, MinHash signatures and the clusters that follow.

In go Arrow batches of documents, of band keys and of candidate groups; out come fingerprints, links
between documents, similarities, removed documents and the spans that texts lose. The joins between
these steps are in jobs/transforms. May import base.
"""
