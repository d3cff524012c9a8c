"""Training of the fastText quality model: labelled pages, and pages made from them, go in; the
model file and its figures come out. A variant also learns from scores of quality_bert, read from
the tables of a run. It may import jobs.training.common, jobs.run.store, jobs.tables and udfs."""
