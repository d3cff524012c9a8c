"""Measures: everything that rules can test.

The text pass edits documents (repair, script conversion, masking) and computes the measures of the
result, of the URL and of the host lists. Arrow batches with doc_id, url, opt_outs and text go in;
batches of `schema.PASSED_ARROW_SCHEMA` come out, a row for each document. `schema` holds the names
and types and imports no computation. The room may import base, files, repair, pii and lists.
"""
