"""What a page states of the products that it sells: JSON-LD, microdata and Open Graph to one form.

In go pages as UTF-8 bytes with their addresses; out come products, as rows of a table and as items
of WebShop's file. May import base and html.
"""
