#!/bin/sh
# Print the GPUs of this machine or container in the format of Spark's resource discovery:
# {"name": "gpu", "addresses": ["0", "1"]}
set -eu
found=$(nvidia-smi --query-gpu=index --format=csv,noheader)
addresses=$(printf '%s\n' "$found" | sed 's/.*/"&"/' | paste -s -d , -)
printf '{"name": "gpu", "addresses": [%s]}\n' "$addresses"
