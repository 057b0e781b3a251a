# A fresh machine needs Python 3.11 or newer and nothing else: `make run`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help run test test-all lint format site lock clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/'

run: $(READY) ## Run every method on every task and build the leaderboard
	$(BIN)/python -m tool_bench run --all

test: $(READY) ## Run the fast tests
	$(BIN)/python -m pytest -m "not slow"

test-all: $(READY) ## Run all tests
	$(BIN)/python -m pytest

lint: $(READY) ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY) ## Mend style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

site: $(READY) ## Build the leaderboard from the stored results
	$(BIN)/python -m tool_bench site build

lock: ## Resolve the dependencies anew and pin them
	$(PYTHON) -m venv --clear $(VENV)
	rm -f $(READY)
	$(BIN)/python -m pip install --quiet ".[dev]"
	{ echo "# Every package at one version; made by 'make lock'."; \
	  $(BIN)/python -m pip freeze --all --exclude pip --exclude tool-bench \
	    | sed "s/^\(torch==[0-9.]*\)+cpu$$/\1/"; } > requirements.lock

clean: ## Remove what was made here; results and caches stay
	rm -rf $(VENV) build site/public .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(READY)
