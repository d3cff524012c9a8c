"""DataFrame -> DataFrame functions over images and image-text pairs: which image a place has, and
which of them repeat. They import transforms.components alone.
"""
