"""The stages of a pipeline, their order and the command line that runs them.

In come a checked request (`jobs.run`), a Spark session and the tables of earlier stages; out come
the tables, commits and ledger of each stage. `stages` is the table of contents: a stage is one
module here or a room of its own, one entry there, and one thin command directly in jobs/.
`application` is a command while it runs, also one that only reads an output: those are declared in
the rooms of their subjects. The room imports the rooms of stages, jobs.run, jobs.transforms,
jobs.catalogue, jobs.config, jobs.tables and udfs, and nothing of them imports it.
"""
