"""Image models: what ONNX networks see in the images of pairs, as pair scorers.

In come RGB pictures and the texts beside them; out come the text that is written in a picture,
probabilities that it is pornographic or has a watermark, and the persons in it. `text_in_image`,
`nsfw`, `watermark` and `persons` declare the scorers, `text_reader` and `classifier` run the
networks with ONNX Runtime on CPUs, one picture at a time, and `onnx_file` reads what a model file
states before Spark starts. ONNX Runtime and RapidOCR are imported on workers alone. The room
imports base, files, scorers and pair_scorers.
"""
