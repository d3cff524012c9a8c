"""The bytes of an image: recognised by what they begin with, checked, decoded within limits, and
measured (width, height, format, digest, perceptual hash); and tar shards of samples as img2dataset
writes them. In go bytes that a crawl found; out come facts, or a named reason for bytes that are no
usable image. May import base.
"""
