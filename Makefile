# Everything a person does with Tallyport from a checkout. `make` lists it.
PYTHON ?= python3
CHROMIUM ?= chromium
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Options of the verbs: make up ARGS="--port 9000", make test T=tests/unit ARGS="-x -k money"
ARGS ?=
# Where a company signs its own certificates, only the system knows them.
export UV_SYSTEM_CERTS = true
T ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo up down status test journeys check format proto bench chaos clean browser

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## Make .venv with exactly the locked packages (again only when the lock changed)

$(INSTALLED): requirements.lock requirements-installer.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else \
	  "Python 3.11, 3.12 or 3.13 is needed, this is %d.%d: make setup PYTHON=python3.13" % v)'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  echo "Python cannot make virtual environments here: apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-installer.lock \
	  || echo "no uv here, going on with pip (slower)"
	@$(BIN)/uv --version >/dev/null 2>&1 && \
	  $(BIN)/uv pip sync -q --compile-bytecode --require-hashes --python $(BIN)/python requirements.lock && \
	  $(BIN)/uv pip install -q --no-deps --no-build-isolation --python $(BIN)/python --editable . || { \
	  echo "installing with pip, which takes a minute"; \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation --editable .; }
	@touch $@

demo: setup ## Start everything with demo data and print one address with ready logins (Ctrl-C stops)
	@exec $(BIN)/tallyport up --demo $(ARGS)

up: setup ## Start everything, data kept from the last time (Ctrl-C stops)
	@exec $(BIN)/tallyport up $(ARGS)

down: setup ## Stop what `demo` or `up` started elsewhere
	@$(BIN)/tallyport down

status: setup ## What runs, how much memory it takes
	@$(BIN)/tallyport status

test: setup $(if $(T),$(if $(findstring journeys,$(T)),browser),browser) ## All tests but chaos; T=path for some
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -m "not chaos" $(or $(T),-n 3 --dist loadgroup) $(ARGS)

journeys: setup browser ## Only the whole stack in a real browser
	@$(BIN)/pytest -m journey tests/journeys $(ARGS)

check: setup ## Style, types, contracts, migrations
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m devstack.protos --check
	@$(BIN)/python -m devstack.protos --lint
	@$(BIN)/python -m devstack.migrations_lint

format: setup ## Put the source into the house style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

proto: setup ## Generate gen/ from proto/
	@$(BIN)/python -m devstack.protos

bench: setup ## Measure, write bench/results/latest.json
	@$(BIN)/python -m bench $(ARGS)

chaos: setup ## Long fault tests: kill, lose, repeat
	@$(BIN)/pytest -m chaos $(T) $(ARGS)

clean: ## Remove what was built and installed; the stack's data stay (tallyport up --fresh forgets them)
	@test ! -x $(BIN)/tallyport || $(BIN)/tallyport down
	@rm -rf $(VENV) build tallyport.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Chromium for the journeys: installed where we may, else said how. In CI its absence is a failure.
browser:
	@command -v $(CHROMIUM) >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium; \
	  else \
	    echo "Chromium is missing, journeys need it: sudo apt-get install chromium"; test "$$CI" != true; \
	  fi; }
