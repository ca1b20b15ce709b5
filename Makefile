# Everything a newcomer or a machine calls. `make` alone lists it.

VENV     := .venv
BIN      := $(VENV)/bin
EXAMPLE  := examples/qingdao-2022/announcement.yaml
SECOND   := examples/qingdao-2022/script-second-act.yaml
# What the tests need from Debian: a browser with Chinese fonts, servers of the machine itself beside the wheels', and
# an SMS gateway with a carrier to try it.
PACKAGES := chromium fonts-noto-cjk postgresql redis-server kannel kannel-extras
PIP      := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo up test chaos check lint types layers bench bench-large system-deps lock migration clean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## Rehearse the Qingdao outage as it was planned, and then as it might have gone (about two minutes)
	@$(BIN)/broadcaster rehearse $(EXAMPLE) --data var/demo --from "2022-02-18 10:00" --vendors
	@echo && echo "second act: four days more, then back two days early; until then a gateway that is no help"
	@$(BIN)/broadcaster rehearse $(EXAMPLE) --data var/demo/second-act --from "2022-02-18 10:00" --script $(SECOND)

up: $(VENV)/.run ## Leave everything running on this machine until Ctrl-C
	@$(BIN)/broadcaster up

test: $(VENV)/.dev ## Run the whole test suite
	@if [ "$$(id -u)" = 0 ] && ! dpkg -s $(PACKAGES) >/dev/null 2>&1; then $(MAKE) system-deps; fi
	@# The tests start hundreds of processes, none of which should compile the product anew.
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist worksteal

chaos: $(VENV)/.dev ## Campaigns with 100 kills and every other fault, then 5,000 random lives (half an hour; CHAOS_KILLS, LIVES and seeds)
	@$(BIN)/python -m tests.chaos var/chaos
	@$(BIN)/python -m tests.lives var/lives

check: lint types layers test ## Lint, types, layers and tests

lint: $(VENV)/.dev ## Style
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/.dev ## Types, strictly, over source and tests
	@$(BIN)/mypy

layers: $(VENV)/.dev ## Who may import whom
	@$(BIN)/lint-imports

bench: $(VENV)/.run ## Measure how fast it is, beside others' ways of doing it (minutes; a quiet machine)
	@$(BIN)/python -m bench

bench-large: $(VENV)/.run ## The same with ten million recipients (about half an hour, 20 GB of disk)
	@$(BIN)/python -m bench --large

system-deps: ## Install what the tests need from Debian (as root)
	apt-get update -qq
	@# Debian starts a gateway that it installs: one that was not here before is stopped, and stays so.
	@dpkg -s kannel >/dev/null 2>&1 || new=yes; \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(PACKAGES) || exit 1; \
	  if [ "$$new" ]; then update-rc.d kannel disable 2>/dev/null; service kannel stop || true; fi

lock: $(VENV)/.dev ## Write the hash locks anew from pyproject.toml (needs `uv` on the PATH)
	uv pip compile -q pyproject.toml --extra embedded --group build --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header -o requirements/run.txt
	uv pip compile -q pyproject.toml --all-extras --group build --group dev -c requirements/run.txt --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements/dev.txt

migration: $(VENV)/.dev ## Write the migration from the last one to tables.py: make migration MESSAGE="what changed"
	@$(BIN)/python -m broadcaster.storage.new_migration "$(MESSAGE)"

clean: ## Remove everything that was made
	rm -rf $(VENV) var dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@if ! python3 -c 'import ensurepip' 2>/dev/null; then \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv; \
	  else echo "python3 has no venv here; as root: apt-get install python3-venv"; exit 1; fi; fi
	@python3 -m venv $(VENV)

$(VENV)/.run: $(BIN)/python requirements/run.txt pyproject.toml
	@echo "installing the locked dependencies into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@echo "installing what the tests need into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@
