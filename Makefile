# make quickstart   install, train a small network on drawn faces, test it: a table, a report, pictures
# make test         the same environment with test extras, and the test suite
# make test-slow    the tests that take minutes
# make coverage     the suite once more: how many lines of facelmk/ it runs, in per cent (at least 90)
# make lint         style (ruff check, ruff format) and types (mypy)
# make faults       the fault table: which of its cases tests show, and which are open
# make docs         the site of the docs, in docs/_build/index.html
# make release      source archive and wheel in dist/, checked and tried in a bare environment; nothing is uploaded
# make install      the environment alone               make clean   remove it
#
# PYTHON=python3.11   the Python to use              TORCH=keep      use the torch that this Python already has
# VENV=.venv          the folder of the environment  OPTIONS="..."   added to the quick start's train and test
# TESTS=tests/cli     which tests to run             PINS=none      the newest versions instead of the pinned ones
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: quickstart test test-slow coverage lint faults docs release install preflight clean

PYTHON ?= $(shell for p in python3.11 python3 python; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
            2>/dev/null && echo $$p && exit; done; echo python3)
TORCH ?= pinned
PINS ?= pinned
VENV ?= .venv
WORK_DIR ?= work_dirs/quickstart
OPTIONS ?=
TESTS ?= tests

BIN := $(VENV)/bin
READY := $(VENV)/.ready-$(TORCH)$(if $(filter none,$(PINS)),-newest)
READY_TESTS := $(READY)-tests
READY_DOCS := $(READY)-docs
READY_RELEASE := $(READY)-release
CONSTRAINTS := $(VENV)/constraints.txt
PINNED := $(if $(filter none,$(PINS)),/dev/null,requirements/constraints.txt)
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 $(BIN)/python -m pip install -c $(CONSTRAINTS)
# of the many lines that pip prints, show the progress and the errors
QUIET := 2> >(grep -v '^WARNING' >&2)
PROGRESS := $(QUIET) | awk '/^ *(Collecting|Processing) /{n = split($$2, path, "/"); print "  fetching " path[n]} \
    /^ *Installing collected/{print "  unpacking"} {fflush()}'

quickstart: $(READY)
	@$(BIN)/facelmk train quickstart --work-dir $(WORK_DIR) --resume $(OPTIONS)
	@$(BIN)/facelmk test quickstart "$$(ls -t $(WORK_DIR)/best_NME_epoch_*.pth | head -n 1)" \
	    --work-dir $(WORK_DIR) --baseline --report $(WORK_DIR)/report $(OPTIONS)

test: $(READY_TESTS)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m 'not slow' $(TESTS)

test-slow: $(READY_TESTS)
	@$(BIN)/python -m pytest -m slow $(TESTS)

# left out: a process without rights, which cannot write its lines, and a limit of seconds, which counting exceeds
coverage: $(READY_TESTS)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 -m 'not slow' --cov --cov-report=term \
	    --deselect tests/faults/test_machine.py::test_a_read_only_work_dir \
	    --deselect tests/faults/test_weight_bombs.py::test_twenty_megabytes_are_answered_within_two_seconds \
	    $(if $(filter tests,$(TESTS)),--cov-fail-under=90) $(TESTS)

faults: $(READY_TESTS)
	@OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m pytest -n 2 -q -p faults.counting -m fault $(TESTS)

lint: $(READY_TESTS)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

docs: $(READY_DOCS)
	@OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build
	@echo "docs/_build/index.html"

release: $(READY_RELEASE)
	@$(BIN)/python tools/release.py --constraints $(CONSTRAINTS)

install: $(READY)

preflight:
	@$(PYTHON) tools/preflight.py $(if $(filter keep,$(TORCH)),--keep-torch)

$(READY): requirements/runtime.txt requirements/constraints.txt setup.py
	@$(MAKE) --no-print-directory preflight
	@echo "installing into $(VENV) with $$($(PYTHON) --version), torch: $(TORCH)"
	@$(PYTHON) -m venv --clear $(if $(filter keep,$(TORCH)),--system-site-packages) $(VENV)
ifeq ($(TORCH),keep)
	@$(PYTHON) -c 'import sysconfig; print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' \
	    > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/kept.pth"
	@grep -v '^torch==' $(PINNED) > $(CONSTRAINTS) || true
else
	@cp $(PINNED) $(CONSTRAINTS)
endif
	@set -o pipefail; SECONDS=0; $(PIP) -e . $(PROGRESS); echo "installed in $$SECONDS s"
	@touch $@

$(READY_TESTS): $(READY) requirements/tests.txt
	@set -o pipefail; SECONDS=0; $(PIP) -r requirements/tests.txt $(PROGRESS); echo "test extras installed in $$SECONDS s"
	@touch $@

$(READY_DOCS): $(READY) requirements/docs.txt
	@set -o pipefail; SECONDS=0; $(PIP) -r requirements/docs.txt $(PROGRESS); echo "docs extras installed in $$SECONDS s"
	@touch $@

$(READY_RELEASE): $(READY) requirements/release.txt
	@set -o pipefail; SECONDS=0; $(PIP) -r requirements/release.txt $(PROGRESS); echo "release extras installed in $$SECONDS s"
	@touch $@

clean:
	rm -rf $(VENV) build *.egg-info .coverage docs/_build docs/reference docs/project
