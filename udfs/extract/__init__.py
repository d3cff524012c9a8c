"""A Python worker's pass over one input file: records in; documents, failures and counts by reason
out. Reads WARC, ARC, WET, JSONL and Parquet files, and single ranges of them. May import base,
files, warc, charset, html, images and products.
"""
