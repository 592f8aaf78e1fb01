# Carewright's menu. Needs Python 3.11 or newer and make; everything else is installed into .venv from the lock files.
#   make up ARGS="--port 9000"      pass arguments on
#   make up PYTHON=python3.13       choose the Python
PYTHON ?=
ARGS ?=
BIN := .venv/bin
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.PHONY: help up test check format bench bench-planner sbom lock clean

help:  ## Show this menu
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

up: .venv/installed  ## Start Carewright: its databases, the demonstration hospital, the server
	@exec $(BIN)/carewright up $(ARGS)

test: .venv/installed-dev  ## Run every test, tier by tier
	@exec $(BIN)/python tests/run.py $(ARGS)

check: .venv/installed-dev  ## Lint, types, laws, house rules, contracts; weaknesses, secrets, licences, advisories
	@echo "== lint"      && $(BIN)/ruff check . && $(BIN)/ruff format --check .
	@echo "== types"     && $(BIN)/mypy
	@echo "== laws"      && $(BIN)/lint-imports --no-logo
	@echo "== house rules, contracts" && $(BIN)/pytest -q tests/tidy tests/contracts
	@echo "== weaknesses" && $(BIN)/bandit -q -c pyproject.toml -r src tools && echo "none found"
	@echo "== secrets"   && $(BIN)/python tools/secret_scan.py
	@echo "== licences"  && $(BIN)/python tools/licences.py
	@echo "== advisories" && $(BIN)/python tools/advisories.py

format: .venv/installed-dev  ## Put the source in order
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

bench: .venv/installed-dev  ## Measure, and write docs/benchmarks.md
	@exec $(BIN)/python -m bench $(ARGS)

bench-planner: .venv/installed-dev  ## Measure the planner against bounds and best known values
	@exec $(BIN)/python -m bench.planner $(ARGS)

sbom: .venv/installed-dev  ## Write sbom.cdx.json, the bill of materials (CycloneDX)
	@exec $(BIN)/python tools/sbom.py

lock:  ## Choose the newest allowed dependencies anew (needs uv)
	@command -v uv >/dev/null || { echo "This target needs uv: https://docs.astral.sh/uv"; exit 1; }
	uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		pyproject.toml --group build -o requirements.lock
	uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

clean:  ## Remove what was installed and cached; the data directory stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/installed: requirements.lock pyproject.toml
	@python=$$(sh tools/python.sh $(PYTHON)) && "$$python" tools/install.py requirements.lock
	@touch $@

.venv/installed-dev: requirements-dev.lock pyproject.toml
	@python=$$(sh tools/python.sh $(PYTHON)) && "$$python" tools/install.py requirements-dev.lock
	@touch $@ .venv/installed
