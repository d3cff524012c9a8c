"""Own-made pages of ten families, with the text that an extractor should find in each.

The templates follow the markup habits of forum, question, news, encyclopedia, shop and other
systems; texts are those of a folder of data. README.md says what each family gives. Imports udfs
nowhere: whatever trains or judges an extractor can read it.
"""
