"""DataFrame -> DataFrame functions over images and image-text pairs: which image a place has, which
of them repeat, and which pairs are selected. They import transforms.components, transforms.rules,
transforms.ledger and transforms.selection.budget.
"""
