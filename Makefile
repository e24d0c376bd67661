# make run · make test · make check · make bench · make stop · make reset
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PY := .venv/bin/python
MODE ?= demonstration
export MODE
.PHONY: help install install-dev run stop reset test check bench format

help:
	@echo "make run     the site with its own database and broker on http://localhost:$${PORT:-8000} (PORT, DATA_DIR)"
	@echo "make stop    stop it from elsewhere      make reset   delete the demonstration data, after asking"
	@echo "make test    bring what the tests need and run them      make check   format, lint, types, contracts"
	@echo "make bench   every benchmark"

install:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found. Install it, or name it: make PYTHON=/path/to/python3.11 run"; exit 1; }
	@$(PYTHON) tools/install.py

install-dev:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found. Install it, or name it: make PYTHON=/path/to/python3.11 test"; exit 1; }
	@$(PYTHON) tools/install.py --dev

run: install
	@exec $(PY) -m charity_site.stack run --with-parent

stop:
	@test -x $(PY) && exec $(PY) -m charity_site.stack stop || echo "Nothing was running."

reset: install
	@exec $(PY) -m charity_site.stack reset

test: install-dev
	@$(PY) tools/test_tools.py
	$(PY) -m pytest -n 2 $(ARGS)

check: install-dev
	@$(PY) tools/check.py

bench: install-dev
	@test -f benchmarks/run.py || { echo "There is no benchmarks/run.py yet."; exit 1; }
	$(PY) benchmarks/run.py $(ARGS)

format: install-dev
	$(PY) -m ruff format . && $(PY) -m ruff check --fix .
