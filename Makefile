# One clear command per job. `make` alone says which.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# what runs is never built here; what the tests need may be, by the locked setuptools that was installed before it
RUNS := $(PIP) --only-binary :all: --require-hashes --requirement
TESTS := $(PIP) --no-build-isolation --require-hashes --requirement
# the package itself has no hash: what builds it is locked, and nothing is fetched beside
OWN := $(PIP) --no-deps --no-build-isolation --editable .
WORKERS ?= $(shell nproc 2>/dev/null || echo 2)
ARGS ?=

KILLS ?= 200
SETS ?= 500
ACCIDENTS ?= 300
PRESS ?= 600
PAGE ?= 60

.PHONY: help install screenshots lock sbom known-faults demo test test-unit test-long check fmt bench clean fuzz

help:
	@echo "make demo        the records of all connected systems become visa statuses that an API answers (ARGS=--once to end after)"
	@echo "make test        every test; starts a real Apache Kafka and Connect, PostgreSQL, MariaDB and RabbitMQ where none is given"
	@echo "make test-long   200 random kills of each kind of process, 500 worlds by several and on Spark, 300 accidents of bus and store, ten minutes of pressed doors, a minute of the open page (KILLS=200 SETS=500 ACCIDENTS=300 PRESS=600 PAGE=60; an hour)"
	@echo "make test-unit   the quick tests alone: no server, no killed processes"
	@echo "make check       formatting, lint, types, import rule, published schemas"
	@echo "make fmt         format"
	@echo "make bench       the benchmarks (minutes); figures on standard output"
	@echo "make screenshots the pictures of docs/console.md anew, by a Chromium of this machine (Debian: apt-get install chromium)"
	@echo "make fuzz        coverage-guided fuzzers over every format, SECONDS=600 each; findings in var/fuzz"
	@echo "make install     $(VENV) with the command visabus"
	@echo "make lock        requirements.txt and requirements-dev.txt anew, with hashes, from pyproject.toml and constraints.txt"
	@echo "make sbom        var/sbom.json (CycloneDX) and var/licences.txt: what this installation is made of"
	@echo "make known-faults   ask a database on the network for known faults of the locked packages"

$(VENV)/.installed: pyproject.toml requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 2))' || { echo "Python 3.11.2 or newer is needed; set PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Debian: apt-get install python3-venv"; exit 1; }
	@echo "installing into $(VENV) ..."
	@$(RUNS) requirements.txt
	@$(OWN)
	@touch $@

$(VENV)/.dev: $(VENV)/.installed requirements-dev.txt
	@echo "installing what the tests need ..."
	@$(TESTS) requirements-dev.txt
	@touch $@

install: $(VENV)/.installed
	@echo "$(BIN)/visabus --help"

demo: $(VENV)/.installed
	@$(BIN)/visabus demo $(ARGS)

test: $(VENV)/.dev
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-long: $(VENV)/.dev
	@VISABUS_TEST_KILLS=$(KILLS) VISABUS_TEST_SETS=$(SETS) VISABUS_TEST_ACCIDENTS=$(ACCIDENTS) VISABUS_TEST_DOOR_SECONDS=$(PRESS) VISABUS_TEST_PAGE_SECONDS=$(PAGE) $(BIN)/python -m pytest -n $(WORKERS) \
		tests/faults/test_accidents.py tests/faults/test_kills.py tests/faults/test_lookups.py tests/faults/test_processes.py tests/faults/test_doors.py tests/faults/test_connect.py tests/services/console/test_browser.py \
		tests/services/dataflow/test_spark.py $(ARGS)

test-unit: $(VENV)/.dev
	@$(BIN)/python -m pytest -n $(WORKERS) -m "not connect and not kafka and not mariadb and not postgres and not rabbitmq and not slow" $(ARGS)

check: $(VENV)/.dev
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/visabus schemas check

fmt: $(VENV)/.dev
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix .

bench: $(VENV)/.dev
	@$(BIN)/python -m tests.benchmarks.store $(ARGS)
	@$(BIN)/python tests/benchmarks/bus_speed.py
	@PYTHONPATH=tests $(BIN)/python tests/benchmarks/signatures.py
	@$(BIN)/python -m tests.benchmarks.deadlines
	@$(BIN)/python -m tests.benchmarks.extremes
	@$(BIN)/python tests/benchmarks/adapters_speed.py
	@$(BIN)/python tests/benchmarks/recovery.py
	@$(BIN)/python tests/benchmarks/lookups.py
	@$(BIN)/python tests/benchmarks/rename_to_view.py

screenshots: $(VENV)/.dev
	@PYTHONPATH=tests:. $(BIN)/python tests/screenshots.py

clean:
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .hypothesis

# uv asks an index for the hashes of all files of a release at once; the index is pip's own, if one is set
LOCK := $(VENV)/lock/bin/uv pip compile pyproject.toml --constraint constraints.txt --generate-hashes --python-version 3.11 \
	--no-header --no-annotate --no-emit-index-url --quiet --group build $(if $(PIP_INDEX_URL),--default-index $(PIP_INDEX_URL))

lock:
	@test -x $(VENV)/lock/bin/uv || { $(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install --quiet uv==0.13.9; }
	@$(LOCK) --output-file requirements.txt
	@$(LOCK) --extra dev --output-file requirements-dev.txt

sbom: $(VENV)/.dev
	@$(BIN)/python deploy/supply/sbom.py var

known-faults:
	@test -x $(VENV)/faults/bin/pip-audit || { $(PYTHON) -m venv $(VENV)/faults && $(VENV)/faults/bin/pip install --quiet pip-audit==2.10.1; }
	@$(VENV)/faults/bin/pip-audit --require-hashes --disable-pip --requirement requirements.txt

SECONDS ?= 60

fuzz: $(VENV)/.dev
	@$(PIP) --constraint constraints.txt atheris
	@PYTHONPATH=tests:. $(BIN)/python tests/fuzz/run.py $(SECONDS)
