# Everything is installed into .venv and cached in .cache, both inside this folder.
# The newest Python of setup.cfg's versions that this machine has; say PYTHON=... for another.
PYTHON ?= $(shell .ci/pythons | head -n 1)
BIN := .venv/bin
MODELS := tfidf_linear,transformer,minilm_l6_h384
DEMO_RUNS := runs/demo/minilm_l6_h384,runs/demo/student,runs/demo/transformer,runs/demo/tfidf_linear

export KERASNLP_LAB_CACHE ?= $(CURDIR)/.cache
export MPLCONFIGDIR ?= $(CURDIR)/.cache/matplotlib
export IPYTHONDIR ?= $(CURDIR)/.cache/ipython
export JUPYTER_DATA_DIR ?= $(CURDIR)/.cache/jupyter
INSTALL := $(BIN)/python -m pip install --quiet --no-cache-dir --disable-pip-version-check --no-compile -c constraints.txt
# pip would compile one file after the other; some packages hold files that are no valid Python.
# A fifth of all code is the packages' own tests, which nobody imports.
COMPILE := $(BIN)/python -m compileall -q -j 0 -x '/tests?/' .venv/lib >/dev/null || true

# Longest files first, each whole on one worker: tests/schedule.py. Four workers keep two cores busy;
# slow tests start processes of their own, so that three do.
PYTEST := $(BIN)/python -m pytest --dist loadscope --no-loadscope-reorder

.PHONY: demo test check faults slow pythons notebooks lint docs clean help benchmarks
.DEFAULT_GOAL := help

help:
	@echo "make demo   install, train two classifiers and a baseline, distil a BERT, compare, export, classify"
	@echo "make test   install, lint, check types and imports, run the tests: about 12 minutes on two cores"
	@echo "make check  the same without the tests that need TensorFlow: about a minute"
	@echo "make slow   the tests that make test leaves out"
	@echo "make faults the same, and kill trainings at random moments, resume them, and compare to the last bit"
	@echo "make pythons  install, train, export, predict and explain on each supported Python there is"
	@echo "make docs   the documentation, into site/: open site/index.html"
	@echo "make notebooks  run the notebooks and keep their outputs; KERASNLP_LAB_TEST_DATA has sms_spam/"
	@echo "make bench-NAME  benchmarks/NAME.py, with ARGS='--rounds 3'; make benchmarks: all, some hours"
	@echo "make clean  remove .venv, .cache, runs and site"

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "found no Python of the versions that setup.cfg names: install one, or say make PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/.installed: setup.cfg pyproject.toml constraints.txt | .venv/bin/python
	@echo "installing TensorFlow and the rest into .venv: a few minutes, once"
	$(INSTALL) -e .
	@$(COMPILE)
	@touch $@

# It includes the installation above, so that a fresh clone resolves and compiles once.
.venv/.installed-dev: setup.cfg pyproject.toml constraints.txt | .venv/bin/python
	@echo "installing TensorFlow, the tools and the rest into .venv: a few minutes, once"
	$(INSTALL) -e ".[dev]"
	@$(COMPILE)
	@touch .venv/.installed $@

demo: .venv/.installed
	rm -rf runs/demo
	$(BIN)/kerasnlp-lab compare --dataset news_sample --models $(MODELS) --output runs/demo
	$(BIN)/kerasnlp-lab distil runs/demo/minilm_l6_h384 --output runs/demo/student
	$(BIN)/kerasnlp-lab compare --runs $(DEMO_RUNS) --output runs/demo/with_student
	$(BIN)/kerasnlp-lab export runs/demo/transformer --to runs/demo/exported/transformer
	$(BIN)/kerasnlp-lab export runs/demo/minilm_l6_h384 --to runs/demo/exported/minilm_l6_h384
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python examples/classify_headlines.py runs/demo/exported/minilm_l6_h384

faults: slow .venv/.installed-dev
	$(BIN)/python -m tests.faults.kill_many --kills 50 --hub-kills 6

slow: .venv/.installed-dev
	$(PYTEST) -n 3 -m slow

pythons: .venv/.installed-dev
	$(BIN)/python -m tests.pythons

notebooks: .venv/.installed-dev
	$(BIN)/python -m tests.notebooks $(ARGS)

BENCHMARKS := start tokenizing input_pipeline from_scratch_train from_scratch_predict machine_limit latency predict fine_tune accuracy

bench-%: .venv/.installed
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python benchmarks/$*.py $(ARGS)

benchmarks: $(BENCHMARKS:%=bench-%)

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/.installed-dev
	$(BIN)/properdocs build --strict

test: lint
	$(PYTEST) -n 4

check: lint
	$(PYTEST) -n 3 --without-tensorflow -q -r fE

clean:
	rm -rf .venv .cache runs site
