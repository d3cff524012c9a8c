"""What every other room builds on: texts as arrays of code points, tables that classify characters,
the plausibility of decoded text, counts of a page's bytes, functions compiled by numba, and what
a Python worker may ask Spark. In go texts, bytes and arrays; out come arrays, counts and scores.
This room imports no other room.
"""
