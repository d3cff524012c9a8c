"""Training tasks of the bundled models: pure functions, no input or output, no Spark."""
