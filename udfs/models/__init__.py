"""Model formats: fastText files, checked and folded to label logits, language models of characters
as ARPA and compact files, and indexes of benchmark questions.

In go model files, and tokens or code points of texts; out come probabilities of labels, log10
probabilities of lines, and the questions that stand in texts. May import base and tokens.
"""
