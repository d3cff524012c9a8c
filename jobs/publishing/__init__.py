"""What every release has: files that are whole, hashed and the same each time, and their place.

`place` puts a release where it belongs, all of it at once; `exclusions` reads what it must leave
out and `excluded` finds the rows; `files` writes rows in Python workers, with `lines` for JSON and
`schema` for the columns, and `written` brings them there; `origins` says what the commits of an
output know, `card_text` writes YAML and tables of a card. For the rooms whose commands release
something: release and image_text. May import run, transforms, tables and config.
"""
