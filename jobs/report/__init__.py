"""report: what a run did, as facts (run.json) and as one HTML page that loads nothing.

In go the commits, the tables of an output and its configuration; out come run.json,
report/index.html, and report/against.html where another output is compared. Facts are counted by
Spark, plots are drawn by matplotlib, and the page is a Jinja2 template. It imports run,
transforms, tables and config.
"""
