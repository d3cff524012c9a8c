"""Words and further tokens of texts, as the hashes that models know them by.

In go texts and tokenizer settings; out come tokens as arrays, or token lines for training: jieba's
words, single characters, and tokens for the form and the shape of a page. Models depend on every
token: a changed one takes a new version in base/model_constants. May import base, files and
folding.
"""
