"""A page's HTML to its title and main text, and what the page states about itself: the day of
publication, opt-outs. In go pages as UTF-8 bytes or decoded text; out come text, dates and
directives. May import base.
"""
