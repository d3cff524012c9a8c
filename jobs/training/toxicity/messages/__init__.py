"""Short messages made by a grammar: offers of gambling, sexual services, fraud and forbidden goods,
insults, and ordinary messages on the same subjects. Tables of templates go in; labelled texts come
out, the same for the same seed. It imports nothing of the project but errors of training."""
