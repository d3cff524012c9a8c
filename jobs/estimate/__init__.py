"""The dry run with a bill: what a request would take, from a run over a sample of its files.

In come a checked request and the stages of a pipeline; out comes a bill: documents, characters,
tokens, bytes, core hours and money for the whole request, each with an interval. `sampling` draws
the files, `dry_run` runs the stages over them in a place of their own, `spark_costs` and
`measuring` read what that took and gave, `intervals` and `unique_share` are the statistics, `bill`
puts the two together, `prices` reads conf/prices.toml and `bill_text` writes it out. The room
imports jobs.run, jobs.config and jobs.tables; jobs.pipeline calls it.
"""
