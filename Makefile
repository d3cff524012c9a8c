# Two commands do everything on a machine that has Python 3.11 or newer and make: make run and
# make test. `make help` lists every target.

PYTHON ?= python3
SPARK ?=
INPUT ?=
OUTPUT ?=
CONFIG ?= conf/local.toml
INPUT_FORMAT ?=
DATA ?= ../shared/data
EXTRAS ?=

# Many images of Python set it: every process would compile all modules that it imports.
unexport PYTHONDONTWRITEBYTECODE

# Another Spark version has an environment of its own: make test SPARK=4.0.2
VENV := .venv$(if $(SPARK),-spark-$(SPARK))
BIN := $(VENV)/bin
PYSPARK := pyspark$(if $(SPARK),==$(SPARK),>=4.0.2,<5)
PACK ?=
SAMPLE_NAME := sample$(if $(PACK),-$(notdir $(PACK)))
SAMPLE := out/$(SAMPLE_NAME).warc.gz
comma := ,
extras := $(subst $(comma), ,$(EXTRAS))

.PHONY: help install run test lint types format bench models eval-models lock package wheel submit \
  history clean

#: make help        list the targets
help:
	@sed -n 's/^#: //p' Makefile

#: make install     .venv with the project; EXTRAS=test,bert adds extras of pyproject.toml
install: $(VENV)/.installed $(addprefix $(VENV)/.installed-,$(extras))

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "taojin needs Python 3.11 or newer: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { \
	  echo "no venv module: install it (Debian, Ubuntu: python3-venv)" >&2; exit 1; }

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	@echo "installing PySpark and what taojin needs into $(VENV)"
	$(BIN)/python -m pip install --quiet '$(PYSPARK)' --editable .
	@$(BIN)/python -m jobs.run.java_runtime || { \
	  echo "installing a Java runtime into $(VENV)"; \
	  $(BIN)/python -m pip install --quiet --editable '.[java]'; }
	@touch $@

# An extra of pyproject.toml. PyTorch comes with bert and pairs, for scorers that run its models,
# training of an encoder, and models that judge.
$(VENV)/.installed-%: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet '$(PYSPARK)' --editable '.[$*]'
	@touch $@

$(SAMPLE): $(VENV)/.installed $(wildcard tests/sample/*.py tests/sample/pages/*/*) \
  $(wildcard tests/sample/languages/$(PACK)/pages/*)
	@$(BIN)/python -m tests.sample.build_sample $@ $(if $(PACK),--language $(PACK))

# An input's name without the endings that say its format: mine.warc.gz, mine.jsonl.zst -> mine.
INPUT_ENDINGS := .gz .zst .warc .arc .wet .jsonl .ndjson .json .parquet .paths .txt
named = $(if $(filter $(INPUT_ENDINGS),$(suffix $(1))),$(call named,$(basename $(1))),$(1))
INPUT_NAME := $(call named,$(notdir $(patsubst %/,%,$(INPUT:@%=%))))
RUN_OUTPUT := $(or $(OUTPUT),out/$(if $(INPUT),$(INPUT_NAME),$(SAMPLE_NAME)))

# Inputs of one output add up, so an output that is not named is one of this input alone.
ifneq (,$(if $(OUTPUT),,$(and $(filter run,$(MAKECMDGOALS)),$(INPUT))))
  ifneq (,$(strip $(filter-out 1,$(words $(INPUT))) $(foreach mark,* ? [,$(findstring $(mark),$(INPUT)))))
    $(error INPUT names several files: give OUTPUT=FOLDER too)
  endif
  ifeq (,$(filter-out . .. sample,$(INPUT_NAME)))
    $(error INPUT=$(INPUT) cannot give the output its name: give OUTPUT=FOLDER too)
  endif
endif

RELEASE ?=
WITH_RELEASE := $(or $(RELEASE),$(if $(INPUT),,1))

#: make run         the whole pipeline on the bundled sample, into out/sample
#:   INPUT=mine.warc.gz  on your files, into out/mine: WARC, JSON lines or Parquet; a file, a folder
#:                  INPUT='/data/*.warc.gz' OUTPUT=/data/out CONFIG=conf/local.toml INPUT_FORMAT=wet
#:   PACK=aeb       another language pack of conf/languages; without INPUT on its own sample, into
#:                  out/sample-aeb
#:   SET='select.min_quality=0.9' settings; YES=1 agrees to deleting and repeating
#:   RELEASE=1      also a release, into OUTPUT/release: files that load_dataset reads, with a
#:                  card; the sample always has one
run: $(VENV)/.installed $(if $(INPUT),,$(SAMPLE))
	$(BIN)/python -m jobs.run_pipeline --config $(CONFIG) \
	  $(if $(INPUT_FORMAT),--input-format $(INPUT_FORMAT)) \
	  $(if $(SET)$(PACK)$(if $(INPUT),,1),--set $(if $(INPUT)$(PACK),,extract.pairs=true) \
	    $(if $(PACK),language=$(PACK)) $(SET)) \
	  $(if $(YES),--yes) $(if $(WITH_RELEASE),--release $(RUN_OUTPUT)/release) --input $(if $(INPUT),$(INPUT),$(SAMPLE)) --output $(RUN_OUTPUT)

#: make test        lint, types and the quick tests
#:   SUITE=all      lint, types and every test that needs neither PyTorch nor a cluster
#:   SUITE=spark    the quick tests that start Spark; SPARK=4.0.2 takes another Spark
#:   SUITE=bert     models of PyTorch: encoder, vision-language and language models, and their scorers
#:   SUITE=gpu      the encoder on this machine's GPU; they are skipped without one
#:   SUITE=cluster  a cluster of local processes that are killed; make package first
#:   SUITE=airflow  the Airflow example, in an environment of Airflow's own
SUITE ?= unit
SUITES := unit all spark bert gpu cluster airflow
$(if $(filter $(SUITE),$(SUITES)),,$(error SUITE=$(SUITE) is unknown; known are $(SUITES)))
# Each worker has a Spark session of its own, with two task threads. The longest files come first.
WORKERS ?= 2
AIRFLOW ?= .venv-airflow
PARALLEL := --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

NEEDS_bert := $(VENV)/.installed-pairs
NEEDS_gpu := $(VENV)/.installed-bert
NEEDS_airflow := $(AIRFLOW)/.installed

QUIET_MAKE = $(MAKE) --no-print-directory
# mypy has one thread for most of a minute: the tests start beside it, and either may fail.
BESIDE_TYPES = $(QUIET_MAKE) types & types=$$!; status=0; $(1) || status=$$?; \
	  wait $$types || status=$$?; exit $$status

define TEST_unit
	$(QUIET_MAKE) lint
	$(BIN)/python -m jobs.lock_artifacts --check
	$(BIN)/python -m jobs.fetch_artifacts
	$(call BESIDE_TYPES,$(BIN)/python -m pytest -m 'not slow and not bert' $(PARALLEL))
endef
define TEST_all
	$(QUIET_MAKE) lint
	$(BIN)/python -m jobs.lock_artifacts --check
	$(BIN)/python -m jobs.fetch_artifacts
	$(call BESIDE_TYPES,$(BIN)/python -m pytest -m 'not bert' $(PARALLEL))
endef
define TEST_spark
	$(BIN)/python -m jobs.fetch_artifacts
	$(BIN)/python -m pytest -m 'spark and not slow and not bert' $(PARALLEL)
endef
define TEST_bert
	$(BIN)/python -m jobs.fetch_artifacts
	$(BIN)/python -m pytest -m bert $(PARALLEL)
endef
define TEST_gpu
	$(BIN)/python -m pytest tests/gpu
endef
define TEST_cluster
	$(BIN)/python -m jobs.fetch_artifacts
	$(BIN)/python -m pytest tests/cluster $(PARALLEL)
endef
define TEST_airflow
	TAOJIN_PYTHON=$(abspath $(BIN))/python \
	  $(AIRFLOW)/bin/python -m pytest --noconftest tests/airflow
endef

test: $(VENV)/.installed-test $(NEEDS_$(SUITE))
	$(TEST_$(SUITE))

# Airflow pins what this project does not.
$(AIRFLOW)/.installed:
	$(PYTHON) -m venv $(AIRFLOW)
	$(AIRFLOW)/bin/python -m pip install --quiet 'apache-airflow>=3,<4' \
	  'apache-airflow-providers-amazon>=9' 'moto[server]>=5.1' 'pytest>=8.3' 'pytest-timeout>=2.3'
	@touch $@

#: make lint        ruff, and which package may import which
lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

#: make types       mypy
types: $(VENV)/.installed-test
	$(BIN)/mypy

#: make format      what ruff can mend
format: $(VENV)/.installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

#: make bench       the whole pipeline beside other programs, from WARC to documents; QUICK=1
#:   BENCH=fixed    what a run costs however little there is to do, and where that goes
#:   BENCH=stages   documents a second of every stage, on 20,000 pages around the texts of DATA
#:   BENCH=extract  extraction beside inflating and beside other programs; QUICK=1
#:   BENCH=rules    the rules beside the published ones, and what they remove
#:   BENCH=dedup    near deduplication beside other programs, recall, growth; QUICK=1
#:   BENCH=paragraphs  paragraph deduplication, its growth, which lines repeat
#:   BENCH=repair   text repair and script conversion, and what they change
#:   BENCH=scores   segmentation and fastText scorers beside the published way, score parity
#:   BENCH=contamination  the search for benchmark questions, what it finds and its false alarms
#:   BENCH=select   a selection by budget and mix of 1,000,000 stored documents, and its preview
#:   BENCH=bert     tokens a second of the encoder beside the published loop
#:   BENCH=align    pairs a second of scorer alignment beside loops of transformers; GPU=1: on a GPU
#:   BENCH=limits   every stage beside what it cannot do without, Spark's own share; QUICK=1
#:                  FLAME=FILE.svg: a flame graph of its Python processes instead; STAGE=NAME
#:   BENCH=growth   what a document costs in runs of 20,000, 80,000 and 320,000 pages, their memory
#:                  and shuffle; QUICK=1 a tenth; PAGES='20000 80000'
#:   BENCH=check    names every ratio of tests/bench/ratios.json that fell; UPDATE=1 writes them
#:                  DATA=DIR: texts to measure on
BENCH ?= pipeline
BENCHES := pipeline fixed stages extract rules dedup paragraphs repair scores select contamination bert align limits growth check
$(if $(filter $(BENCH),$(BENCHES)),,$(error BENCH=$(BENCH) is unknown; known are $(BENCHES)))
# Other programs have environments of their own: datatrove pins older versions of what this
# project uses.
PEERS := .venv-peers
DATATROVE := .venv-datatrove
JUICER := .venv-juicer
FLAMES := .venv-flame
FLAME ?=
STAGE ?=
PAGES ?=
UPDATE ?=

BENCH_NEEDS_pipeline := $(VENV)/.installed-test $(DATATROVE)/.installed $(JUICER)/.installed
BENCH_NEEDS_extract := $(VENV)/.installed-test $(PEERS)/.installed
BENCH_NEEDS_dedup := $(PEERS)/.installed-dedup
BENCH_NEEDS_scores := $(VENV)/.installed-test
BENCH_NEEDS_contamination := $(VENV)/.installed-test
BENCH_NEEDS_bert := $(VENV)/.installed-bert
BENCH_NEEDS_align := $(VENV)/.installed-bert
BENCH_NEEDS_limits := $(VENV)/.installed-test $(if $(FLAME),$(FLAMES)/bin/py-spy)
BENCH_NEEDS_check := $(VENV)/.installed-test $(PEERS)/.installed-dedup $(DATATROVE)/.installed

define BENCH_pipeline
	$(BIN)/python -m tests.bench.pipeline_rates --data $(DATA) \
	  --datatrove $(DATATROVE)/bin/python --juicer $(JUICER)/bin/python $(if $(QUICK),--quick)
endef
define BENCH_fixed
	$(BIN)/python -m tests.bench.fixed_costs --data $(DATA)
endef
define BENCH_stages
	$(BIN)/python -m tests.bench.build_pages --data $(DATA) --pages 20000 out/bench/pages
	rm -rf out/bench/run
	$(BIN)/python -m jobs.run_pipeline --config $(CONFIG) --input out/bench/pages \
	  --output out/bench/run
	$(BIN)/python -m tests.bench.stage_rates out/bench/run --cores $$(nproc)
endef
define BENCH_extract
	$(BIN)/python -m tests.bench.extract_rates --data $(DATA) --peers $(PEERS)/bin/python \
	  $(if $(QUICK),--quick)
	$(BIN)/python -m tests.bench.reader_parity --data $(DATA)
endef
define BENCH_rules
	$(BIN)/python -m tests.bench.rule_rates --data $(DATA)
	$(BIN)/python -m tests.bench.rule_job_rates --data $(DATA)
	$(BIN)/python -m tests.bench.pack_rates --data $(DATA)
	$(BIN)/python -m tests.bench.reflag_rate
endef
define BENCH_dedup
	$(BIN)/python -m tests.bench.dedup_rates --data $(DATA) --peers $(PEERS)/bin/python \
	  $(if $(QUICK),--quick)
endef
define BENCH_paragraphs
	$(BIN)/python -m tests.bench.paragraph_rates
	$(BIN)/python -m tests.bench.paragraph_lengths --data $(DATA)
endef
define BENCH_repair
	$(BIN)/python -m tests.bench.repair_rates --data $(DATA)
endef
define BENCH_scores
	$(BIN)/python -m tests.bench.score_rates --data $(DATA)
endef
define BENCH_contamination
	$(BIN)/python -m tests.bench.contamination_rates --data $(DATA)
endef
define BENCH_select
	$(BIN)/python -m tests.bench.select_rates
endef
define BENCH_bert
	$(BIN)/python -m tests.bench.bert_rates --data $(DATA)
endef
define BENCH_align
	$(BIN)/python -m tests.bench.alignment_rates $(if $(GPU),--device cuda --pairs 4096)
endef
define BENCH_limits
	$(BIN)/python -m tests.bench.limits --data $(DATA) $(if $(QUICK),--quick) \
	  $(if $(FLAME),--flame $(FLAME) --py-spy $(FLAMES)/bin/py-spy) \
	  $(if $(STAGE),--flame-stage $(STAGE))
endef
define BENCH_growth
	$(BIN)/python -m tests.bench.growth --data $(DATA) $(if $(QUICK),--quick) \
	  $(if $(PAGES),--pages $(PAGES))
endef
define BENCH_check
	$(BIN)/python -m tests.bench.check_ratios --data $(DATA) --peers $(PEERS)/bin/python \
	  --datatrove $(DATATROVE)/bin/python $(if $(UPDATE),--update)
endef

bench: $(VENV)/.installed $(BENCH_NEEDS_$(BENCH))
	$(BENCH_$(BENCH))

$(FLAMES)/bin/py-spy:
	$(PYTHON) -m venv $(FLAMES)
	$(FLAMES)/bin/python -m pip install --quiet 'py-spy>=0.4'

$(PEERS)/.installed:
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet 'datatrove[io,processing]' lxml_html_clean chardet \
	  charset-normalizer faust-cchardet warcio fastwarc
	@touch $@

# text-dedup pins versions of much that its Spark script does not use; datatrove's deduplication
# does not name all that it needs, and fails with the xxhash of today.
$(PEERS)/.installed-dedup: $(PEERS)/.installed
	$(PEERS)/bin/python -m pip install --quiet --no-deps 'text-dedup==0.4.0'
	$(PEERS)/bin/python -m pip install --quiet 'pyspark>=4.0.2,<5' scipy 'rich<14' psutil bitarray \
	  click-option-group fire ftfy tokenizers 'xxhash<3.6'
	@touch $@

# datatrove cuts Chinese words with spaCy and jieba; its deduplication fails with the xxhash of today.
$(DATATROVE)/.installed:
	$(PYTHON) -m venv $(DATATROVE)
	$(DATATROVE)/bin/python -m pip install --quiet 'datatrove[io,processing]==0.10.1' \
	  trafilatura==1.11.0 lxml==6.1.3 lxml_html_clean==0.4.6 warcio==1.8.1 python-magic==0.4.27 \
	  faust-cchardet==3.2.0 fasttext-numpy2-wheel==0.9.2 spacy==3.8.18 jieba==0.42.1 xxhash==3.5.1 \
	  numpy==2.4.6 orjson==3.13.0 loguru==0.7.3 multiprocess==0.70.19
	@touch $@

# What data-juicer would install by itself in the middle of a run is named here. Where it cannot be
# installed, the bench leaves it out and says why.
$(JUICER)/.installed:
	$(PYTHON) -m venv $(JUICER)
	$(JUICER)/bin/python -m pip install --quiet py-data-juicer==1.6.1 aiohttp==3.14.5 ray==2.60.0 \
	  torch==2.13.0 fasttext-numpy2-wheel==0.9.2 opencc==1.1.9 scipy==1.17.1 numpy==2.4.6 \
	  datasets==5.2.0 pyarrow==26.0.1 && touch $@ || echo "data-juicer is left out" >&2

#: make models      train the bundled models again; DATA=DIR
models: $(VENV)/.installed
	$(BIN)/python -m jobs.train_models --data $(DATA) --output conf/artifacts

#: make eval-models  the bundled models' figures in one table, measured where DATA=DIR is there
eval-models: $(VENV)/.installed
	$(BIN)/python -m jobs.train_models --evaluate --output conf/artifacts \
	  $(if $(wildcard $(DATA)),--data $(DATA))

# The bundled lock is for all of the bundled configurations.
#: make lock        choose the version of every artifact that CONFIG names; UPGRADE=NAME: only one
lock: $(VENV)/.installed
	$(BIN)/python -m jobs.lock_artifacts \
	  --config $(CONFIG) $(if $(filter conf/local.toml,$(CONFIG)),conf/quality_bert.toml conf/text_judge.toml conf/pairs.toml conf/alignment.toml conf/variety.toml conf/register.toml conf/yue.toml conf/aeb.toml) \
	  $(if $(UPGRADE),--upgrade $(UPGRADE))

# PySpark is the cluster's own. The environment's loops are compiled by a run over the sample: else
# each worker of the cluster compiles them.
#: make package     dist/: the wheel, an environment, the jobs and their settings, for spark-submit
#:                  EXTRAS=bert: environment-bert.tar.gz, with PyTorch
#:                  CLUSTER_PYTHON=/usr/bin/python3.11: where the cluster has this Python
#:                  REUSE=1: with the machine code that runs of a new checkout have left in it
CLUSTER_PYTHON ?=
REUSE ?=
ENVIRONMENT := build/environment
PACKED := dist/environment$(if $(EXTRAS),-$(subst $(comma),-,$(EXTRAS))).tar.gz

package: wheel $(SAMPLE)
	rm -rf $(ENVIRONMENT)
	$(PYTHON) -m venv $(ENVIRONMENT)
	$(ENVIRONMENT)/bin/python -m pip install --quiet "$$(echo dist/taojin-*.whl)$(if $(EXTRAS),[$(EXTRAS)])"
	$(BIN)/python -m tests.builders.compile_environment $(ENVIRONMENT) $(SAMPLE) $(if $(REUSE),--reuse)
	$(if $(CLUSTER_PYTHON),ln -sf $(CLUSTER_PYTHON) $(ENVIRONMENT)/bin/python3)
	$(if $(CLUSTER_PYTHON),sed -i 's|^home = .*|home = $(dir $(CLUSTER_PYTHON))|' $(ENVIRONMENT)/pyvenv.cfg)
	$(BIN)/venv-pack --quiet --force --prefix $(ENVIRONMENT) --output $(PACKED)
	chmod 0644 $(PACKED)  # venv-pack makes a file that its owner alone can read
	cp $$(grep -l __main__ jobs/*.py) conf/cluster.toml docker/find_gpus.sh \
	  conf/emr/open_gpus.sh dist/

#: make wheel       dist/: the wheel alone
wheel: $(VENV)/.installed-test
	rm -f dist/taojin-*.whl
	$(BIN)/python -m build --wheel --outdir dist .

#: make submit      send a request: CLOUD=emr or dataproc, LAUNCH=ec2-extract (conf/emr/*.json)
#:                  VALUES=my.toml SET='key=value' DRY_RUN=1
CLOUD ?=
submit: $(VENV)/.installed $(if $(CLOUD),$(VENV)/.installed-$(CLOUD))
	@test -n '$(CLOUD)' || { echo "CLOUD=emr or CLOUD=dataproc is needed" >&2; exit 1; }
	@$(BIN)/python -m jobs.submit_run conf/$(CLOUD)/$(LAUNCH).json \
	  --values $(if $(VALUES),$(VALUES),conf/$(CLOUD)/values.toml) $(if $(SET),--set $(SET)) \
	  $(if $(DRY_RUN),--dry-run)

# Of this machine only, until it is interrupted.
#: make history     Spark's history server at http://localhost:18080; EVENTS=DIR of event logs, PORT
PORT ?= 18080
history: $(VENV)/.installed
	@test -n '$(EVENTS)' || { echo "EVENTS=DIR is needed: spark.eventLog.dir of the runs" >&2; exit 1; }
	PYSPARK_DRIVER_PYTHON=$(BIN)/python SPARK_LOCAL_IP=127.0.0.1 \
	SPARK_HISTORY_OPTS='-Dspark.history.fs.logDirectory=$(EVENTS) -Dspark.history.ui.port=$(PORT)' \
	$(BIN)/spark-class org.apache.spark.deploy.history.HistoryServer

#: make clean       remove out, dist and build
clean:
	rm -rf out dist build *.egg-info
