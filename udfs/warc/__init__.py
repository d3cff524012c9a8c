"""WARC and ARC files to records, and records to HTTP responses, whatever state the file is in. In
go byte streams or byte ranges of files; out come records and, for every stretch that gave none,
a Damage with its place and reason. May import base and files.
"""
