"""Commands of images and image-text pairs, one module each; as those of jobs/, they parse arguments
and run a stage or a reader. May import jobs.pipeline and the rooms below it.
"""
