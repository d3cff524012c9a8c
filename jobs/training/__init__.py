"""Training of the bundled models: labelled files go in, model files with metrics.json and CARD.md
come out. One room a scorer (quality, domain, toxicity, encoder) over common; tasks.py lists the
tasks. They may import udfs, jobs.config, jobs.catalogue, jobs.tables and, to read the output of a
run, jobs.run; none needs Spark."""
