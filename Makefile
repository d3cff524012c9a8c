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

.PHONY: help install install-test run test lint types format bench bench-extract bench-rules models package clean

help:
	@sed -n 's/^#   //p' Makefile
	@echo "make run INPUT='/data/*.warc.gz' OUTPUT=/data/out CONFIG=conf/local.toml"
	@echo "make test SPARK=4.0.2   the tests on another Spark"
	@echo "make package            dist/*.whl for spark-submit --py-files"
	@echo "make bench DATA=DIR     documents a second of every stage"
	@echo "make bench-extract DATA=DIR [QUICK=1]   extraction beside inflating and beside peers"
	@echo "make bench-rules DATA=DIR   documents a second of the rules, and what they remove"
	@echo "make models             train the bundled models again from DATA"

install: $(VENV)/.installed

install-test: $(VENV)/.installed-test

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "taojin needs Python 3.11 or newer: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { \
	  echo "no venv module: install it (Debian, Ubuntu: python3-venv)" >&2; exit 1; }

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet '$(PYSPARK)' --editable .
	@$(BIN)/python -m jobs.java_runtime || $(BIN)/python -m pip install --quiet --editable '.[java]'
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet '$(PYSPARK)' --editable '.[test]'
	@touch $@

$(SAMPLE): $(VENV)/.installed $(wildcard tests/sample/*.py tests/sample/pages/*/*)
	@$(BIN)/python -m tests.sample.build_sample $@

run: $(VENV)/.installed $(if $(INPUT),,$(SAMPLE))
	$(BIN)/python -m jobs.run_pipeline --config $(CONFIG) --input-format $(INPUT_FORMAT) \
	  --input $(if $(INPUT),$(INPUT),$(SAMPLE)) --output $(OUTPUT)

test: lint types
	$(BIN)/python -m jobs.fetch_artifacts
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-test
	$(BIN)/mypy

format: $(VENV)/.installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

models: $(VENV)/.installed
	$(BIN)/python -m jobs.train_models --data $(DATA) --output conf/artifacts

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

package: $(VENV)/.installed-test
	$(BIN)/python -m build --wheel --outdir dist .

clean:
	rm -rf out dist build *.egg-info
