"""taojin's commands: each module directly in this package is ``python -m jobs.NAME``, or a script
for spark-submit.

The stages of a pipeline, their order, and what each reads and writes are the table
`jobs.pipeline.stages`; ``python -m jobs.pipeline.stages`` prints it. The other commands need no
Spark. Apart from the commands the package has tables.py, the schema of every table, and rooms:
config <- catalogue, transforms <- run <- selection <- pipeline <- the commands; launch and training
beside them.
"""
