"""Alignment: how much an image and a text have to do with each other.

In come pairs, or vectors of images and of texts; out come similarities, levels of them, the best
partners of a block, and the lines of a document that its images belong to. `alignment` declares the
scorer, `levels` that of levels. `dual_encoder` runs models of the CLIP family with transformers,
over the pixels of `image_processor`; `label_encoder` the bundled one, an image classifier
(`efficientnet`) against a text encoder. PyTorch is imported on workers alone. The room imports
base, files, images, scorers, encoder and pair_scorers.
"""
