"""Encoder: the scorer that runs a BERT model on the segments of a text, on GPUs or CPUs.

In come texts and an encoder's file (weights, tokenizer and head in one safetensors file); out come
scores of segments and of whole texts. `quality_bert` declares the scorer, `segments` and `inputs`
cut texts to the encoder's inputs, `batches`, `model` and `weights` run it with PyTorch. PyTorch is
imported on workers alone. The room imports base, files, tokens and scorers.
"""
