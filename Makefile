# `make up` starts Tidegate, `make test` tests it; both do all their own set-up in .venv.

INSTALL := requirements/install.sh
BIN := .venv/bin
ENGINE := $(BIN)/python -c "from tidegate.boot import local_model as m; raise SystemExit(m.available() is not None)"

.DEFAULT_GOAL := help
.PHONY: help up test lint soak bench lock wheel clean

help:  ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up:  ## start Tidegate in front of a small real model on this machine (options: ARGS)
	@$(INSTALL) core build package local
	@exec $(BIN)/tidegate up $(ARGS)

test:  ## run the tests (options: ARGS)
	@$(INSTALL) dev package local
	@if $(ENGINE); then marks="not soak"; \
	else marks="not soak and not engine"; echo "tidegate: tests of the local model left out"; fi; \
	exec $(BIN)/python -m pytest -m "$$marks" $(ARGS)

lint:  ## style, types, import layers, sizes and habits
	@$(INSTALL) dev package local
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_tidy.py

soak:  ## the long forms of the tests: hours
	@$(INSTALL) dev package local
	exec env HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest -m soak --timeout 14400 $(ARGS)

bench:  ## measure side by side with other gateways, write docs/benchmarks.md (options: ARGS)
	@$(INSTALL) dev package local
	exec $(BIN)/python -m bench $(ARGS)

lock:  ## resolve the dependencies again and write requirements/*.txt
	@$(INSTALL) dev
	BIN=$(BIN) requirements/lock.sh

wheel:  ## build dist/tidegate-*.whl, the same bytes from the same source
	@$(INSTALL) dev
	$(BIN)/python -m build --wheel --no-isolation --outdir dist

clean:  ## remove what was made: the environment, caches and builds (not the state)
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
