# dpanet: `make demo` shows it working, `make test` checks it. Nothing else has to be done by hand.

PYTHON ?= python3
VENV   ?= .venv
PIP    := $(VENV)/bin/python -m pip --disable-pip-version-check
USABLE := $(VENV)/bin/python
READY  := $(VENV)/.ready
CHECKS := $(VENV)/.ready-develop
PAGES  := $(VENV)/.ready-docs

.PHONY: help demo test check format docs docs-pictures docs-reference
.DEFAULT_GOAL := help

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1  \2/p' Makefile

demo: $(READY) ## deblur a simulated pair, say how much was won
	@$(VENV)/bin/dpanet demo --overwrite

test: $(CHECKS) ## formatting, lint, types, tests: all of it
	@echo "format"; $(VENV)/bin/ruff format --check --quiet . || { echo "run: make format"; exit 1; }
	@echo "lint";   $(VENV)/bin/ruff check --quiet .
	@echo "types";  $(VENV)/bin/mypy --no-error-summary
	@echo "tests";  $(VENV)/bin/pytest

check: test

format: $(CHECKS) ## put the formatting in order
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

docs: $(PAGES) ## build the site of these docs in build/docs, and say where a link is dead
	@$(VENV)/bin/zensical build --clean --strict
	@echo "open build/docs/index.html"

docs-reference: $(CHECKS) ## write the reference of commands and of Python names anew
	@$(VENV)/bin/python -m tools.command_reference
	@$(VENV)/bin/python -m tools.api_reference

docs-pictures: $(CHECKS) ## make the pictures of the docs anew (with Chromium)
	@$(VENV)/bin/python -m tools.docs_pictures
	@$(VENV)/bin/python -m tools.app_pictures
	@$(VENV)/bin/python -m tools.report_picture
	@$(VENV)/bin/python -m tools.comparison_picture

$(READY): pyproject.toml constraints.txt | $(USABLE)
	@echo "installing dpanet: some 90 MB the first time; pip says what it does"
	@$(PIP) install -c constraints.txt -e .
	@echo "installed"
	@touch $@

# torch first and on its own: it is by far the largest, and its version is pinned.
$(CHECKS): $(READY)
	@echo "installing what the tests need: about 5 minutes more the first time, most of them for torch"
	@$(PIP) install -c constraints.txt torch
	@$(PIP) install -c constraints.txt -e '.[develop]'
	@touch $@

$(PAGES): $(READY)
	@$(PIP) install -c constraints.txt -e '.[docs]'
	@touch $@

$(USABLE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "dpanet needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "creating $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "$(PYTHON) cannot create a virtual environment; install its venv module" >&2; exit 1; }
