#!/usr/bin/env bash
# The entry point of the image. Spark on Kubernetes passes "driver ..." or "executor" and sets
# environment variables; any other arguments are run as a command.
set -euo pipefail

role=${1:-}

# Spark passes Java options as SPARK_JAVA_OPT_0, SPARK_JAVA_OPT_1, ...
java_options() {
  local name
  for name in $(compgen -v SPARK_JAVA_OPT_ | sort --version-sort); do
    printf '%s\0' "${!name}"
  done
}

case "$role" in
  driver)
    shift
    exec tini -s -- spark-submit \
      --conf "spark.driver.bindAddress=$SPARK_DRIVER_BIND_ADDRESS" \
      --conf "spark.executorEnv.SPARK_DRIVER_POD_IP=$SPARK_DRIVER_BIND_ADDRESS" \
      --deploy-mode client \
      "$@"
    ;;
  executor)
    shift
    mapfile -d '' -t options < <(java_options)
    exec tini -s -- java "${options[@]}" \
      "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" \
      -cp "${SPARK_CLASSPATH:+$SPARK_CLASSPATH:}$SPARK_HOME/jars/*${SPARK_DIST_CLASSPATH:+:$SPARK_DIST_CLASSPATH}" \
      org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
      --driver-url "$SPARK_DRIVER_URL" \
      --executor-id "$SPARK_EXECUTOR_ID" \
      --cores "$SPARK_EXECUTOR_CORES" \
      --app-id "$SPARK_APPLICATION_ID" \
      --hostname "$SPARK_EXECUTOR_POD_IP" \
      --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" \
      --podName "$SPARK_EXECUTOR_POD_NAME"
    ;;
  *)
    exec "$@"
    ;;
esac
