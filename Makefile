# `make up` starts Tidegate, `make test` tests it; both do all their own set-up in .venv.

INSTALL := requirements/install.sh
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help up test lint style types layers tidy soak bench bench-resilience models injections lock wheel clean

help:  ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:  ## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up:  ## start Tidegate in front of a small real model on this machine (options: ARGS)
	@$(INSTALL) git build package local
	@exec $(BIN)/tidegate up $(ARGS)

# xdist would put the files with the fewest tests last, which are the longest; see tests/conftest.py.
# One seed of hashes for both of its processes: a parameter's name may show a set.
test: export PYTHONHASHSEED ?= $(shell shuf -i 0-4294967295 -n 1)
test:  ## run the tests (options: ARGS)
	@$(INSTALL) dev package local javascript
	@marks=$$(requirements/marks.sh 'not soak') && \
	    exec $(PYTEST) --numprocesses 2 --dist loadfile --no-loadscope-reorder -m "$$marks" $(ARGS)

lint:  ## style, types, import layers, sizes and habits
lint: style types layers tidy

style types layers tidy: environment
style:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
types:
	$(BIN)/mypy
layers:
	$(BIN)/lint-imports
tidy:
	$(PYTEST) -q tests/test_tidy.py

.PHONY: environment
environment:
	@$(INSTALL) dev package

soak:  ## the long forms of the tests, and properties with many more examples: hours (options: ARGS)
	@$(INSTALL) dev package local javascript
	@marks=$$(requirements/marks.sh '(soak or hypothesis)') && \
	    HYPOTHESIS_PROFILE=soak $(PYTEST) -m "$$marks" --timeout 14400 $(ARGS)

bench:  ## measure side by side with other gateways, write docs/benchmarks.md (options: ARGS)
	@$(INSTALL) dev package local
	@exec $(BIN)/python -m bench $(ARGS)

bench-resilience:  ## beside LiteLLM and the bare SDK while a provider fails, write docs/resilience-bench.md
	@$(INSTALL) dev package local
	@exec $(BIN)/python -m bench resilience $(ARGS)

models:  ## write what is published of models, from the packages that requirements/models.py names
	@$(INSTALL) dev
	@$(BIN)/python requirements/models.py

injections:  ## learn the weights of the guardrail injection_model from ../shared/evals
	@$(INSTALL) dev
	@exec $(BIN)/python -m bench.injection_weights

lock:  ## resolve the dependencies again and write requirements/*.txt
	@$(INSTALL) dev
	@requirements/lock.sh

wheel:  ## build dist/tidegate-*.whl, the same bytes from the same source
	@$(INSTALL) dev
	$(BIN)/python -m build --wheel --no-isolation --outdir dist

clean:  ## remove what was made: the environment, caches and builds (not the state)
	rm -rf .venv .venv-any-llm examples/typescript/node_modules build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
