"""Lists of hosts, URLs and words: read in their published forms, and looked up.

In go list files, and URLs or texts; out come categories, found words and measures of URLs. May
import base.
"""
