# One clear command per job. `make` alone says which.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
WORKERS ?= $(shell nproc 2>/dev/null || echo 2)
ARGS ?=

KILLS ?= 200
SETS ?= 500
ACCIDENTS ?= 300
PRESS ?= 600

.PHONY: help install demo test test-unit test-long check fmt bench clean fuzz

help:
	@echo "make demo        the records of all connected systems become visa statuses that an API answers (ARGS=--once to end after)"
	@echo "make test        every test; starts a real Apache Kafka and Connect, PostgreSQL, MariaDB and RabbitMQ where none is given"
	@echo "make test-long   200 random kills of each kind of process, 500 worlds by several, 300 accidents of bus and store, ten minutes of pressed doors (KILLS=200 SETS=500 ACCIDENTS=300 PRESS=600; an hour)"
	@echo "make test-unit   the quick tests alone: no server, no killed processes"
	@echo "make check       formatting, lint, types, import rule, published schemas"
	@echo "make fmt         format"
	@echo "make bench       the benchmarks (minutes); figures on standard output"
	@echo "make fuzz        coverage-guided fuzzers over every format, SECONDS=600 each; findings in var/fuzz"
	@echo "make install     $(VENV) with the command visabus"

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Debian: apt-get install python3-venv"; exit 1; }
	@echo "installing into $(VENV) ..."
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	@echo "installing what the tests need ..."
	@$(PIP) --editable '.[dev]'
	@touch $@

install: $(VENV)/.installed
	@echo "$(BIN)/visabus --help"

demo: $(VENV)/.installed
	@$(BIN)/visabus demo $(ARGS)

test: $(VENV)/.dev
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-long: $(VENV)/.dev
	@VISABUS_TEST_KILLS=$(KILLS) VISABUS_TEST_SETS=$(SETS) VISABUS_TEST_ACCIDENTS=$(ACCIDENTS) VISABUS_TEST_DOOR_SECONDS=$(PRESS) $(BIN)/python -m pytest -n $(WORKERS) \
		tests/faults/test_accidents.py tests/faults/test_kills.py tests/faults/test_lookups.py tests/faults/test_processes.py tests/faults/test_doors.py $(ARGS)

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

clean:
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .hypothesis

SECONDS ?= 60

fuzz: $(VENV)/.dev
	@$(PIP) atheris
	@PYTHONPATH=tests:. $(BIN)/python tests/fuzz/run.py $(SECONDS)
