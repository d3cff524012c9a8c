"""Training of the bundled models: labelled files go in, model files with metrics.json and CARD.md
come out. One room a scorer (quality, domain, toxicity, encoder) over common; tasks.py lists the
tasks. They may import udfs and jobs.tables, and quality also jobs.run.store; none needs Spark."""
