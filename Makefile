# Greenroom. `make demo` shows it, `make test` proves it; both set up .venv by themselves.

# The newest Python that is here, runs (a version manager's shim may not) and that the lock has wheels for.
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
PYTHON ?= $(shell for python in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	$$python -c '$(SUITABLE)' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# From the oldest on; the universal lock has the newer ones' rows too.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11

.DEFAULT_GOAL := help
.PHONY: help venv demo test check mutants pythons unit long bench bench-media corpus assets pictures chromium deploy lock clean

help:
	@echo "make demo           real photos through the whole of it on this machine; ONCE=1 approves, shows and stops"
	@echo "make test           make check, and every test"
	@echo "make check          ruff, mypy, import-linter, cfn-lint"
	@echo "make mutants        breaks one promise at a time in a copy, and names what no test notices; ARGS=\"sha256\" chooses"
	@echo "make pythons        the cheap tests on every other Python that this machine has"
	@echo "make long           ten minutes of video at 30 frames a second through a stack of its own"
	@echo "make bench          how fast it is"
	@echo "make bench-media    how fast media is made, against what one would use instead; ARGS=\"--rounds 15\""
	@echo "make corpus         greenroom try over a folder of any files, as a table; DIR=..."
	@echo "make assets         the site's scripts and styles"
	@echo "make pictures       the machines' drawings"
	@echo "make deploy         to the AWS account that the environment names; ARGS=\"--approver ada@example.com ...\""
	@echo "make lock           requirements.lock anew, from pyproject.toml"
	@echo "make clean          removes what was built; .venv and your gallery stay"

venv: $(READY)

$(READY): requirements.lock pyproject.toml
	@found=$$($(or $(PYTHON),python3) -V 2>/dev/null) || found="no Python"; \
	$(or $(PYTHON),false) -c '$(SUITABLE)' 2>/dev/null || { \
		echo "Greenroom needs Python 3.11 to 3.14 and finds $$found: install one of these, or name it (make PYTHON=/path/to/python3.14)" >&2; \
		exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
		|| { echo "$(PYTHON) -m venv failed; on Debian: apt install python3-venv"; exit 2; }
	@$(BIN)/python -c '$(SUITABLE)' 2>/dev/null \
		|| { echo "$(VENV) was made with a Python that Greenroom does not run on: remove that folder, and try again" >&2; exit 2; }
	@echo "Installing into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(READY)

demo: $(READY)
	@$(BIN)/python -m infra.local.demo $(if $(ONCE),--once)

test: check chromium
	$(BIN)/python -m pytest $(ARGS)
	$(BIN)/python -m tests.pythons

# The same for one's own choice of them: make pythons ARGS="/path/to/python3.14"
pythons: $(READY)
	$(BIN)/python -m tests.pythons $(ARGS)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint infra/templates/*.yaml

mutants: $(READY)
	@$(BIN)/python -m tests.mutants $(ARGS)

unit: $(READY)
	$(BIN)/python -m pytest tests/unit $(ARGS)

# The ten-minute test once more, with a real film's frames: half an hour on two cores.
long: $(READY)
	GREENROOM_TAPE_RATE=30 $(BIN)/python -m pytest tests/e2e/test_ten_minutes.py -s $(ARGS)

bench: $(READY)
	$(BIN)/python -m tests.benchmarks $(ARGS)

# What Greenroom is compared with stays out of .venv: the project needs none of it.
RIVALS := .venv-bench/.ready tests/benchmarks/node_modules/.ready

.venv-bench/.ready: tests/benchmarks/requirements.txt $(READY)
	@test -x .venv-bench/bin/python || $(BIN)/python -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

tests/benchmarks/node_modules/.ready: tests/benchmarks/package-lock.json $(READY)
	@cd tests/benchmarks && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

bench-media: $(READY) $(RIVALS)
	$(BIN)/python -m tests.benchmarks.media $(ARGS)

corpus: $(READY)
	@test -n "$(DIR)" || { echo "Name a folder: make corpus DIR=path/to/files"; exit 2; }
	@$(BIN)/python -m tests.benchmarks.corpus "$(DIR)"

assets: $(READY)
	$(BIN)/python -m infra.dev.assets

pictures: $(READY)
	$(BIN)/python -m infra.dev.drawings

chromium: $(READY)
	@$(BIN)/python -m infra.dev.chromium

deploy: $(READY)
	$(BIN)/greenroom deploy $(ARGS)

# Every version exactly, for all Pythons and machines at once.
lock: $(READY)
	@$(LOCK) --extra local --extra test --output-file requirements.lock pyproject.toml

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .aws-sam infra/*/*/node_modules
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
