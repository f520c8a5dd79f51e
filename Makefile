# make demo    the germline workflow on real reads, scored against truth
# make test    the test suite
# make lint    what CI checks before the tests
# make clean   remove what these made
#
# PYTHON=python3.12 chooses the Python, DEMO=folder where the demo goes.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	2>/dev/null && echo "$$p" && exit; done; echo python3)
DEMO ?= lingqu-demo
BIN := .venv/bin
PROCESSES := $(shell expr $$(nproc) + 1)  # many tests wait for other processes

.PHONY: demo test lint setup clean

demo: setup
	@$(BIN)/lingqu demo $(DEMO)

test: setup
	$(BIN)/python -m pytest -n $(PROCESSES) --maxprocesses 8 --dist loadfile

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check workflows

setup:
	@$(PYTHON) envs/bootstrap.py

clean:
	rm -rf .venv .pytest_cache .hypothesis .ruff_cache build dist lingqu-demo
