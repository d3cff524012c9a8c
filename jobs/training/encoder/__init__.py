"""Training of quality_bert, the encoder that scores quality: the documents of jobs.training.quality
and a pretrained encoder go in; a safetensors file and its figures come out. It may import
jobs.training.common, jobs.training.quality and udfs; PyTorch is imported when a task runs."""
