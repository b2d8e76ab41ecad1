# make demo   score the demo clips, from nothing but Python >= 3.10
# make test   run the tests
# make kit    fetch the starter kit's models (demo does it by itself)
# make lint   ruff, yamllint, codespell

PYTHON ?= python3
VENV ?= .venv
BIN := $(abspath $(VENV))/bin
READY := $(VENV)/.installed

.PHONY: demo test kit lint clean

demo: $(READY)
	cd recipes/WhatAreTheyDoing && $(BIN)/python evaluate.py hparams/judge.yaml

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" -n auto --maxprocesses 4 --dist loadfile

kit: $(READY)
	$(BIN)/python -m speechbrain_jasco.starter

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/yamllint --no-warnings .
	$(BIN)/codespell

# Installed anew when the dependencies change.
$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 10) else "Python 3.10 or newer is needed; say make PYTHON=python3.x")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -e ".[starter,judges,report,build,test]"
	touch $(READY)

clean:
	rm -rf $(VENV) recipes/WhatAreTheyDoing/results
