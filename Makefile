# Two commands: `make demo` and `make test`.  Both make what they need, in this
# checkout: uv in .uv (unless it is installed already) and packages in .venv.

PYTHON ?= python3
UV := $(shell command -v uv || echo $(CURDIR)/.uv/bin/uv)
SYNC = $(UV) sync --quiet --inexact --python $(PYTHON)
BIN := .venv/bin

.PHONY: demo test lint docs wheel clean

# Each target installs its own groups and keeps what others installed.
demo: $(UV)
	$(SYNC) --no-default-groups --group demo
	$(BIN)/python example_suite/demo.py

test: $(UV)
	$(SYNC) --no-default-groups --group test --group stores --group demo
	$(BIN)/python -m pytest -n 2

lint: $(UV)
	$(SYNC) --no-default-groups --group test --group stores --group demo --group lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# The reference page of the checks, from their registry.
docs: $(UV)
	$(SYNC) --no-default-groups --group test
	$(BIN)/llm-diagnosis checks > docs/checks.md

# The wheel must work by itself, far from this checkout and its environment.
wheel: $(UV)
	rm -rf dist build/clean
	$(UV) build --quiet --wheel --python $(PYTHON)
	$(UV) venv --quiet --python $(PYTHON) build/clean
	$(UV) pip install --quiet --python build/clean/bin/python dist/*.whl
	$(PYTHON) tests/wheel/check_wheel.py build/clean/bin/python

$(CURDIR)/.uv/bin/uv:
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet --disable-pip-version-check uv

clean:
	rm -rf .venv .uv build dist .pytest_cache .mypy_cache .ruff_cache
