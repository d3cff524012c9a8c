"""DataFrame -> DataFrame functions over images and image-text pairs: which image a place has, which
of them repeat, which pairs are selected, and documents with their images. They import
transforms.components, transforms.ranks, transforms.rules, transforms.ledger and
transforms.selection.budget.
"""
