"""DataFrame -> DataFrame functions over images and image-text pairs: which of them repeat. They
import transforms.components alone.
"""
