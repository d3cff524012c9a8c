"""A page's HTML to its title, main text and kind (article, forum, product, ...), and what the page
states about itself: the day of publication, opt-outs. In go pages as UTF-8 bytes or decoded text;
out come text, kinds, dates and directives. May import base.
"""
