#!/bin/bash
# A bootstrap action of EMR on EC2. YARN isolates the GPU of a container by the devices controller of
# cgroups version 1, which the machines no longer mount by default.
# Source: Amazon EMR, "Use the Nvidia RAPIDS Accelerator for Apache Spark", for EMR 7.
set -euo pipefail
sudo mkdir -p /spark-rapids-cgroup/devices
sudo mount -t cgroup -o devices cgroupv1-devices /spark-rapids-cgroup/devices
sudo chmod -R a+rwx /spark-rapids-cgroup
