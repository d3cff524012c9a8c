"""Training of the toxicity model and of the two character language models behind perplexity:
labelled lines and pages go in; model files and figures come out. Toxicity can also be fitted in
rounds, with verdicts of a judge. It may import jobs.training.common and udfs."""
