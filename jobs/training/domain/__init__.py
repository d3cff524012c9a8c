"""Training of the fastText domain model: texts with subject labels and a list of keywords go in;
the model file, its figures and proposals for new keywords come out. It may import
jobs.training.common and udfs."""
