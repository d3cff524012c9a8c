"""Noise of image-text pairs, as pure functions: mixtures over scores, losses in blocks, nearest
images of texts and texts of images, words and entities of a text that an image may show.

In come scores, embeddings and texts; out come probabilities, similarities and places. Embeddings are
float16 and of length one, as table `pair_scores/alignment` stores them. The room imports udfs.base.
"""
