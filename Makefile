# One environment, .venv, serves every target: the development lock is the runtime lock and more,
# in the same versions, so `make test` changes nothing under a running `make run`.

PYTHON ?= $(shell python3.11 -c 'import sys; print(sys.executable)' 2>/dev/null || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check

# Not what nobody imports, ccxt's other two copies of each exchange above all.
COMPILE := $(BIN)/python -m compileall -q -j 0 -x '/(async_support|pro|tests?)/'

PORT ?= 8000
DATA_DIR ?= var
FAST ?=

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help run test test-matrix coverage search lint format bench lock clean

help: ## Say what each target does
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

# exec: hookfill is make's own child, so a SIGTERM to make reaches it and make waits for its end.
run: $(VENV)/.runtime ## Start everything (PORT=8000 DATA_DIR=var FAST=1)
	@exec $(BIN)/hookfill up --port $(PORT) --data-dir $(DATA_DIR) $(if $(filter 1 true yes,$(FAST)),--fast)

# To read all tests takes each process ten seconds or more: only files that may hold some are read.
STACKS = tests/end_to_end tests/vectors
PROPERTIES = $$(grep -rl hypothesis tests --include='test_*.py')

SEARCH = $(BIN)/python -m pytest $(PROPERTIES) -m "hypothesis and not e2e" -n 2 --dist loadfile

# Whatever a person has set: what pytest has made of a test is kept for the next process, and so is
# the byte code of all that is started.
test test-matrix coverage search: export PYTHONDONTWRITEBYTECODE =

# These tests at once. Those few that fail are named and tried once more, one by one: a machine that
# stood still for a second is no fault of theirs. What passes only so is a test to mend. A run that
# crashed ends with another code (tests/conftest.py).
TRIED = rm -f .pytest_cache/v/cache/lastfailed; $(BIN)/python -m pytest $(1) $(2) || { [ $$? -eq 1 ] && echo "Once more, one by one:" && \
	$(BIN)/python -m pytest $(1) --last-failed --last-failed-no-failures none --maxfail 1 -v; }

# First what needs no whole stack, each file in one of three processes, since some wait more than they
# work; then the stacks, two at a time. Last, a few examples that were never tried before.
test: lint ## Check everything and run all tests
	$(call TRIED,-m "not e2e and not matrix",-n 3 --dist loadfile --no-loadscope-reorder)
	$(call TRIED,$(STACKS) -m "e2e and not matrix",-n 2 --dist loadgroup)
	$(SEARCH) --hypothesis-profile=few

# `make test` has each vector in one of these places, besides in the process of the test itself.
test-matrix: $(VENV)/.dev ## Run the vectors of all dialects over a stack and at every exchange
	$(BIN)/python -m pytest -m "matrix or pairs" -n 2 --dist loadgroup

# Apart, since tracing takes as long again as the tests themselves.
coverage: $(VENV)/.dev ## Run all tests with coverage, and look for assertions that nothing reaches
	$(BIN)/python -m pytest -m "not e2e and not matrix" -n 2 --dist loadfile --cov --cov-report= --cov-fail-under=0
	$(BIN)/python -m pytest -m "e2e and not matrix" --cov --cov-append --cov-report=term-missing:skip-covered
	$(BIN)/python scripts/never_ran.py

search: $(VENV)/.dev ## Look for new examples that break a property, 500 for each
	$(SEARCH) --hypothesis-profile=search --timeout=3600

lint: $(VENV)/.dev ## Check format, lint, types and imports
	@VENV=$(VENV) scripts/check

format: $(VENV)/.dev ## Put the code into its one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.bench ## Measure everything beside a naive app (BENCH_ARGS="--only webhooks")
	$(BIN)/python -m benchmarks --fast-api $(VENV)/bench $(BENCH_ARGS)

lock: ## Make all lock files anew (LOCK_ARGS=--upgrade)
	$(PYTHON) -m venv .lock-venv
	.lock-venv/bin/python -m pip install --quiet --disable-pip-version-check 'pip-tools>=7.6,<8'
	.lock-venv/bin/pip-compile $(LOCK_ARGS) --output-file=requirements.lock pyproject.toml
	.lock-venv/bin/pip-compile $(LOCK_ARGS) --extra=dev --constraint=requirements.lock \
		--output-file=requirements-dev.lock pyproject.toml
	.lock-venv/bin/pip-compile $(LOCK_ARGS) --constraint=requirements-dev.lock \
		--output-file=benchmarks/requirements.lock benchmarks/requirements.in
	rm -rf .lock-venv

clean: ## Remove the environment, the caches and the reports; keep the data
	rm -rf $(VENV) .lock-venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache .coverage .coverage.* coverage.xml htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# pip is what `venv` makes last: without it the environment is half-made and made again.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit("Hookfill needs Python 3.11 or later; try PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

# The stamps: as long as they are newer than the lock files, nothing is installed. The locks hold
# everything, so nothing is resolved. Byte code is written here, once: a start that has to make it
# takes twice as long, and where PYTHONDONTWRITEBYTECODE is set each start would.
$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/pip
	@echo "Installing what Hookfill needs ..."
	@$(PIP_INSTALL) --no-compile --no-deps --require-hashes -r requirements.lock
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@$(COMPILE) $(VENV)/lib app workers
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime | $(BIN)/pip
	@echo "Installing what the checks and tests need ..."
	@$(PIP_INSTALL) --no-compile --no-deps --require-hashes -r requirements-dev.lock
	@$(COMPILE) $(VENV)/lib
	@touch $@

# What Hookfill is measured beside, and nothing else needs; in a folder of its own, so that no other
# target sees it. Where it cannot be had, the rest is measured without it.
$(VENV)/.bench: benchmarks/requirements.lock $(VENV)/.dev
	@echo "Installing FastAPI into $(VENV)/bench ..."
	@$(PIP_INSTALL) --no-deps --require-hashes --upgrade --target $(VENV)/bench -r $< \
		&& touch $@ || echo "That failed, so it is left out."
