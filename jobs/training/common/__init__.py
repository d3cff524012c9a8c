"""What every training task shares: the task itself, data files, held-out folds, figures and cards,
training and evaluation, regressions on sparse rows, the fastText writer. Labelled files go in;
model files, metrics.json and CARD.md come out. It imports udfs, and no other room of training."""
