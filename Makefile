# Two commands first: `make demo` and `make test`.  Both make what they need, in this
# checkout: uv in .uv (unless it is installed already) and packages in .venv.

PYTHON ?= python3
UV := $(shell command -v uv || echo $(CURDIR)/.uv/bin/uv)
SYNC = $(UV) sync --quiet --inexact --python $(PYTHON)
BIN := .venv/bin

# Plugins that people have beside this one, and the pytests it is tried with.
PLUGINS := asyncio cov html randomly rerunfailures subtests timeout xdist
OLDEST := 8.0.0
PYTESTS := $(OLDEST) 8.1.2 8.2.2 8.3.5 8.4.2 9.0.3 9.1.1
COMPAT = build/compat

.PHONY: demo test lint docs wheel plugins oldest pytests fuzz clean

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

# The reference pages, from the code; then all pages as a site in build/site.
docs: $(UV)
	$(SYNC) --no-default-groups --group test --group docs
	$(BIN)/python docs/generate.py
	$(BIN)/sphinx-build -q -W --keep-going -n -b html docs build/site

# The wheel must work by itself, far from this checkout and its environment.
wheel: $(UV)
	rm -rf dist build/clean
	$(UV) build --quiet --wheel --python $(PYTHON)
	$(UV) venv --quiet --python $(PYTHON) build/clean
	$(UV) pip install --quiet --python build/clean/bin/python dist/*.whl
	$(PYTHON) tests/wheel/check_wheel.py build/clean/bin/python

# One suite beside each plugin, with the newest pytest: the diagnosis must be the
# same as without it.
plugins: $(UV)
	rm -rf $(COMPAT)
	$(UV) venv --quiet --python $(PYTHON) $(COMPAT)
	$(UV) pip install --quiet --python $(COMPAT)/bin/python \
	    . $(PLUGINS:%=pytest-%)
	$(COMPAT)/bin/python tests/compat/check_plugins.py

# The same under older pytests, beside pytest-xdist alone.
oldest: $(UV)
	$(MAKE) --no-print-directory pytests PYTESTS=$(OLDEST)

pytests: $(UV)
	rm -rf $(COMPAT)
	$(UV) venv --quiet --python $(PYTHON) $(COMPAT)
	for version in $(PYTESTS); do \
	    $(UV) pip install --quiet --python $(COMPAT)/bin/python \
	        . pytest-xdist pytest==$$version && \
	    $(COMPAT)/bin/python tests/compat/check_plugins.py || exit 1; \
	done

# Whatever a file or an answer holds: a located message, or a result.
FUZZ_EXAMPLES ?= 10000
fuzz: $(UV)
	$(SYNC) --no-default-groups --group test
	FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/python -m pytest tests/test_fuzz.py

$(CURDIR)/.uv/bin/uv:
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet --disable-pip-version-check uv

clean:
	rm -rf .venv .uv build dist .pytest_cache .mypy_cache .ruff_cache
