"""Generative models: questions about images, texts or both, answered in words.

In come prompts, texts and pixels, and the folder of a model of transformers, as one file; out come
answers, captions, and scores that are read from answers. `generator` runs a model with transformers
and `vllm_engine` with vLLM, over the `inputs` of its processor; `captioner` and `judge` declare
scorers of pairs, `text_judge` one of documents by a `rubric`. PyTorch is imported on workers alone.
The room imports base, files, scorers, pair_scorers and encoder.
"""
