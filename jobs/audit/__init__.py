"""Documents of a run for people to look at: a small table of seeded samples by stage and reason,
with the words, numbers and differences that decided, and the original captures of documents as a
WARC file that replay tools open (`export`, the command export_captures). In go the tables and input
files of a run. May import run and all below it.
"""
