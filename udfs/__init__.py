"""Pure functions on bytes, str, Series and Arrow batches, and a thin Spark wrapper for each.

Nothing here imports ``jobs``: every module can be used and tested without Spark.
"""
