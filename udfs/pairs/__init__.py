"""Image places: where a page names an image, with its address, its texts and its context, and
measures of the texts that rules look at. In go a page as UTF-8 bytes, its URL and its main text;
out come one row for each place, and counts of those that were rejected, by reason. May import
base, html.
"""
