# Two commands do everything on a machine that has Python 3.11 or newer and make:
#   make run     install what is missing, run the whole pipeline on the bundled sample
#   make test    install what is missing, run lint, types and tests

PYTHON ?= python3
SPARK ?=
INPUT ?=
OUTPUT ?= out/sample
CONFIG ?= conf/local.toml
INPUT_FORMAT ?= warc
DATA ?= ../shared/data

# Another Spark version has an environment of its own: make test SPARK=4.0.2
VENV := .venv$(if $(SPARK),-spark-$(SPARK))
BIN := $(VENV)/bin
PYSPARK := pyspark$(if $(SPARK),==$(SPARK),>=4.0.2,<5)
SAMPLE := out/sample.warc.gz

.PHONY: help install install-test run test lint types format bench bench-extract bench-rules bench-dedup bench-paragraphs bench-repair bench-scores bench-bert lock models eval-models package wheel test-cluster test-airflow test-bert test-gpu submit-emr submit-dataproc history clean

help:
	@sed -n 's/^#   //p' Makefile
	@echo "make run INPUT='/data/*.warc.gz' OUTPUT=/data/out CONFIG=conf/local.toml"
	@echo "make test SPARK=4.0.2   the tests on another Spark"
	@echo "make package [EXTRAS=bert]   dist/: the wheel, an environment, the jobs, for spark-submit"
	@echo "make submit-emr LAUNCH=ec2-extract VALUES=FILE DRY_RUN=1   conf/emr; submit-dataproc too"
	@echo "make history EVENTS=DIR Spark's history server over a folder of event logs"
	@echo "make bench DATA=DIR     documents a second of every stage"
	@echo "make bench-extract DATA=DIR [QUICK=1]   extraction beside inflating and beside peers"
	@echo "make bench-rules DATA=DIR   documents a second of the rules, and what they remove"
	@echo "make lock [UPGRADE=NAME]   the newest artifacts of the catalogue, or one, into its lock"
	@echo "make bench-dedup DATA=DIR [QUICK=1]   near deduplication beside peers, recall, growth"
	@echo "make bench-paragraphs DATA=DIR   paragraph deduplication, growth, what lines repeat"
	@echo "make bench-repair DATA=DIR  documents a second of text repair and conversion, their effect"
	@echo "make bench-scores DATA=DIR  documents a second of segmentation and scorers, score parity"
	@echo "make bench-bert DATA=DIR   tokens a second of the BERT scorer beside the published loop"
	@echo "make test-bert          the tests of the BERT scorer and its training, with PyTorch"
	@echo "make test-gpu           the encoder on this machine's GPU; skips, and says why, without one"
	@echo "make models DATA=DIR    train the bundled models again"
	@echo "make eval-models [DATA=DIR]   their figures in one table; measured anew what no training saw"

install: $(VENV)/.installed

install-test: $(VENV)/.installed-test

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "taojin needs Python 3.11 or newer: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { \
	  echo "no venv module: install it (Debian, Ubuntu: python3-venv)" >&2; exit 1; }

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet '$(PYSPARK)' --editable .
	@$(BIN)/python -m jobs.run.java_runtime || $(BIN)/python -m pip install --quiet --editable '.[java]'
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet '$(PYSPARK)' --editable '.[test]'
	@touch $@

$(SAMPLE): $(VENV)/.installed $(wildcard tests/sample/*.py tests/sample/pages/*/*)
	@$(BIN)/python -m tests.sample.build_sample $@

run: $(VENV)/.installed $(if $(INPUT),,$(SAMPLE))
	$(BIN)/python -m jobs.run_pipeline --config $(CONFIG) --input-format $(INPUT_FORMAT) \
	  --input $(if $(INPUT),$(INPUT),$(SAMPLE)) --output $(OUTPUT)

# Each worker has a Spark session of its own, with two task threads. The longest files come first.
WORKERS ?= 2
test: lint types
	$(BIN)/python -m jobs.lock_artifacts --check
	$(BIN)/python -m jobs.fetch_artifacts
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-test
	$(BIN)/mypy

format: $(VENV)/.installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Which version of every artifact that CONFIG asks for is used: artifacts.lock beside the catalogue.
# The bundled lock is for all of the bundled configurations.
lock: $(VENV)/.installed
	$(BIN)/python -m jobs.lock_artifacts \
	  --config $(CONFIG) $(if $(filter conf/local.toml,$(CONFIG)),conf/quality_bert.toml) \
	  $(if $(UPGRADE),--upgrade $(UPGRADE))

models: $(VENV)/.installed
	$(BIN)/python -m jobs.train_models --data $(DATA) --output conf/artifacts

eval-models: $(VENV)/.installed
	$(BIN)/python -m jobs.train_models --evaluate --output conf/artifacts \
	  $(if $(wildcard $(DATA)),--data $(DATA))

# Documents a second of every stage, on 20,000 pages around the texts of DATA.
bench: $(VENV)/.installed
	$(BIN)/python -m tests.bench.build_pages --data $(DATA) --pages 20000 out/bench/pages
	rm -rf out/bench/run
	$(BIN)/python -m jobs.run_pipeline --config $(CONFIG) --input out/bench/pages \
	  --output out/bench/run
	$(BIN)/python -m tests.bench.stage_rates out/bench/run --cores $$(nproc)

# Extraction beside plain inflating and beside other pipelines, which live in an environment of
# their own: datatrove pins older versions of what this project uses.
PEERS := .venv-peers

$(PEERS)/.installed:
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet 'datatrove[io,processing]' lxml_html_clean chardet \
	  charset-normalizer faust-cchardet warcio fastwarc
	@touch $@

bench-extract: $(VENV)/.installed-test $(PEERS)/.installed
	$(BIN)/python -m tests.bench.extract_rates --data $(DATA) --peers $(PEERS)/bin/python \
	  $(if $(QUICK),--quick)
	$(BIN)/python -m tests.bench.reader_parity --data $(DATA)

# Documents a second of the rules beside the published ones, and what they remove of DATA.
bench-rules: $(VENV)/.installed
	$(BIN)/python -m tests.bench.rule_rates --data $(DATA)
	$(BIN)/python -m tests.bench.pack_rates --data $(DATA)
	$(BIN)/python -m tests.bench.reflag_rate

# text-dedup pins versions of much that its Spark script does not use; datatrove's deduplication
# does not name all that it needs, and fails with the xxhash of today.
$(PEERS)/.installed-dedup: $(PEERS)/.installed
	$(PEERS)/bin/python -m pip install --quiet --no-deps 'text-dedup==0.4.0'
	$(PEERS)/bin/python -m pip install --quiet 'pyspark>=4.0.2,<5' scipy 'rich<14' psutil bitarray \
	  click-option-group fire ftfy tokenizers 'xxhash<3.6'
	@touch $@

# Documents a core-second of near deduplication, recall and growth, beside other programs.
bench-dedup: $(VENV)/.installed $(PEERS)/.installed-dedup
	$(BIN)/python -m tests.bench.dedup_rates --data $(DATA) --peers $(PEERS)/bin/python \
	  $(if $(QUICK),--quick)

# Documents a core-second of paragraph deduplication, its growth, and which lines repeat in DATA.
bench-paragraphs: $(VENV)/.installed
	$(BIN)/python -m tests.bench.paragraph_rates
	$(BIN)/python -m tests.bench.paragraph_lengths --data $(DATA)

# Documents a second of text repair and of script conversion, and what they change of DATA.
bench-repair: $(VENV)/.installed
	$(BIN)/python -m tests.bench.repair_rates --data $(DATA)

# Documents a second of segmentation and all fastText scorers beside the published way, and how far
# the scores of both are apart.
bench-scores: $(VENV)/.installed-test
	$(BIN)/python -m tests.bench.score_rates --data $(DATA)

# PyTorch is only for the scorer quality_bert, its training, and models that judge: elsewhere their
# tests are skipped.
$(VENV)/.installed-bert: $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet '$(PYSPARK)' --editable '.[bert]'
	@touch $@

bench-bert: $(VENV)/.installed-bert
	$(BIN)/python -m tests.bench.bert_rates --data $(DATA)

test-bert: $(VENV)/.installed-bert
	$(BIN)/python -m pytest tests/udfs/encoder/test_segments.py tests/udfs/encoder/test_quality_bert.py \
	  tests/jobs/training/test_encoder_stages.py tests/jobs/training/test_judge.py tests/jobs/test_train_encoder.py \
	  tests/udfs/encoder/test_page_head.py tests/udfs/encoder/test_bundled_encoder.py \
	  tests/jobs/test_quality_bert_job.py tests/jobs/test_distillation_job.py

test-gpu: $(VENV)/.installed-bert
	$(BIN)/python -m pytest tests/gpu

# What a cluster needs of the project: the wheel; an environment of it and its dependencies, for
# --archives; the jobs and the settings that spark-submit is given. PySpark is the cluster's own.
# The environment's loops are compiled by a run over the sample, as its workers else do it each.
# CLUSTER_PYTHON is where the cluster's machines have the Python of this version, where that is
# another place than here: make package PYTHON=python3.11 CLUSTER_PYTHON=/usr/bin/python3.11
# EXTRAS are those of pyproject.toml that its jobs need: make package EXTRAS=bert writes
# environment-bert.tar.gz, with PyTorch, beside the environment that is there without them.
CLUSTER_PYTHON ?=
EXTRAS ?=
comma := ,
ENVIRONMENT := build/environment
PACKED := dist/environment$(if $(EXTRAS),-$(subst $(comma),-,$(EXTRAS))).tar.gz

package: wheel $(SAMPLE)
	rm -rf $(ENVIRONMENT)
	$(PYTHON) -m venv $(ENVIRONMENT)
	$(ENVIRONMENT)/bin/python -m pip install --quiet "$$(echo dist/taojin-*.whl)$(if $(EXTRAS),[$(EXTRAS)])"
	$(BIN)/python -m tests.builders.compile_environment $(ENVIRONMENT) $(SAMPLE)
	$(if $(CLUSTER_PYTHON),ln -sf $(CLUSTER_PYTHON) $(ENVIRONMENT)/bin/python3)
	$(if $(CLUSTER_PYTHON),sed -i 's|^home = .*|home = $(dir $(CLUSTER_PYTHON))|' $(ENVIRONMENT)/pyvenv.cfg)
	$(BIN)/venv-pack --quiet --force --prefix $(ENVIRONMENT) --output $(PACKED)
	cp $$(grep -l __main__ jobs/*.py) conf/cluster.toml docker/find_gpus.sh \
	  conf/emr/open_gpus.sh dist/

wheel: $(VENV)/.installed-test
	rm -f dist/taojin-*.whl
	$(BIN)/python -m build --wheel --outdir dist .

# Executors, workers and drivers of a cluster of local processes are killed; make package first.
test-cluster: $(VENV)/.installed-test
	$(BIN)/python -m jobs.fetch_artifacts
	$(BIN)/python -m pytest tests/cluster

# The Airflow example, in an environment of its own: Airflow pins what this project does not.
AIRFLOW ?= .venv-airflow
test-airflow: $(VENV)/.installed-test
	test -x $(AIRFLOW)/bin/python || $(PYTHON) -m venv $(AIRFLOW)
	$(AIRFLOW)/bin/python -m pip install --quiet 'apache-airflow>=3,<4' \
	  'apache-airflow-providers-amazon>=9' 'moto[server]>=5.1' 'pytest>=8.3' 'pytest-timeout>=2.3'
	TAOJIN_PYTHON=$(abspath $(BIN))/python \
	  $(AIRFLOW)/bin/python -m pytest --noconftest tests/airflow

# A request to EMR or Dataproc: make submit-emr LAUNCH=ec2-extract VALUES=my.toml DRY_RUN=1
submit-emr submit-dataproc: submit-%: $(VENV)/.installed
	$(BIN)/python -c 'import $(if $(findstring emr,$*),boto3,google.cloud.dataproc)' 2>/dev/null || \
	  $(BIN)/python -m pip install --quiet --editable '.[$*]'
	@$(BIN)/python -m jobs.submit_run conf/$*/$(LAUNCH).json \
	  --values $(if $(VALUES),$(VALUES),conf/$*/values.toml) $(if $(SET),--set $(SET)) \
	  $(if $(DRY_RUN),--dry-run)

# http://localhost:18080, of this machine only, until it is interrupted.
PORT ?= 18080
history: $(VENV)/.installed
	@test -n '$(EVENTS)' || { echo "EVENTS=DIR is needed: spark.eventLog.dir of the runs" >&2; exit 1; }
	PYSPARK_DRIVER_PYTHON=$(BIN)/python SPARK_LOCAL_IP=127.0.0.1 \
	SPARK_HISTORY_OPTS='-Dspark.history.fs.logDirectory=$(EVENTS) -Dspark.history.ui.port=$(PORT)' \
	$(BIN)/spark-class org.apache.spark.deploy.history.HistoryServer

clean:
	rm -rf out dist build *.egg-info
