"""Noise of image-text pairs: what pairs are worth beside all others, and what texts name.

In come scores, embeddings and texts; out come probabilities of noise, weights of captions, the most
similar images of texts, words and entities that an image may show. Modules with a declaration are
scorers of pairs; the others are pure functions on arrays and texts. Embeddings are float16, as the
tables of scorers store them. The room imports base, scorers and pair_scorers.
"""
