"""Scorers of image-text pairs: what a model says of an image, a text or both, as one record a pair.

In come texts, bodies of images and records of other scorers; out come records with the columns of
table ``pair_scores/NAME``. `declaration` has the form in which a module declares a scorer,
`jobs/config/scorers.py` the list, `scorer` the scorer as it travels to the executors with its batch
(`Pairs`), `scoring` the pass over the distinct pairs, `pixels` the decoding of images and
`model_folders` the models of transformers. The room imports base, files, images and scorers.
"""
