"""Model formats: fastText files, checked and folded to label logits, and language models of
characters as ARPA and compact files.

In go model files, and tokens or code points of texts; out come probabilities of labels, and log10
probabilities of lines. May import base and tokens.
"""
