# `make reproduce` and `make test` set up all that they need; `make setup` does only that.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# The newest supported Python, if there is one, and what is tested on it too: the tests that lean on JAX.
NEWER ?= $(shell for python in python3.13 python3.12; do $$python -c "" 2>/dev/null && echo $$python && break; done)
NEWER_VENV := .venv-newer
NEWER_TESTS := $(addprefix tests/test_,$(addsuffix .py,assumptions equations ensemble exact fixed_points integrate losses \
	moments networks predictors proofs trainer wheel))

.PHONY: reproduce test test-newer docs setup lint clean

reproduce: $(VENV)/.ready
	$(BIN)/linbyol reproduce

test: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist loadfile
ifeq ($(NEWER),)
	@echo "Neither Python 3.13 nor 3.12 is here: the newer end of the supported range is not tested (make test NEWER=PYTHON)."
else
	$(MAKE) test-newer
endif

test-newer: $(NEWER_VENV)/.ready
	$(NEWER_VENV)/bin/python -m pytest -n 2 --dist loadfile $(wildcard $(NEWER_TESTS))

docs: $(VENV)/.ready-docs $(if $(wildcard out/figures),,out/gallery)
	$(BIN)/python -m sphinx -n -W --keep-going -q docs out/site
	@echo "Written: out/site/index.html"

out/gallery: $(VENV)/.ready
	$(BIN)/linbyol figure --all --fast --out out/gallery

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(VENV)/.ready-docs: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	@touch $@

$(NEWER_VENV)/.ready: pyproject.toml constraints.txt
	$(NEWER) -m venv $(NEWER_VENV)
	$(NEWER_VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

lint: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) $(NEWER_VENV) out build dist
