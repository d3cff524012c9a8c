"""Repair of texts: damage by encodings, input methods and templates undone, script converted.

Texts go in; repaired or converted texts and the number of changes of each kind come out, or None
where nothing changes. `mojibake` also measures how much of a text was decoded with the wrong table.
The room may import base.
"""
