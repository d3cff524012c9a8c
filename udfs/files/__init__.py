"""Files wherever they are: local, s3://, gs://, hdfs://, https:// and hf://. In go URIs; out come
open files, byte ranges and lists of inputs, with retries, and with credentials kept out of every
message. Artifacts are fetched, checked and cached here, and output files appear whole or not at
all. May import base.
"""
