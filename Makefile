# make demo | make test | make bench | make perf: each builds what it needs; a second run is quick.
VENV   := .venv
PY     := $(VENV)/bin/python
STAMP  := $(VENV)/.installed
# Interpreters with TensorFlow wheels; override with `make PYTHON=python3.11 ...`.
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python3.10 python3.9,\
	$(shell $(p) -c 'import sys; (3,9)<=sys.version_info[:2]<=(3,13) and print("$(p)")' 2>/dev/null)))

export TF_CPP_MIN_LOG_LEVEL ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: venv demo bench perf examples test docs test-kernels wheel matrix nightly lint format-cpp clean

venv: $(STAMP)

SOURCES := $(wildcard custom_ops/Makefile custom_ops/*/*.cc custom_ops/*/*.h)
$(STAMP): pyproject.toml setup.py $(SOURCES)
	@test -n "$(PYTHON)" || { echo "no Python 3.9 - 3.13 found; name one: make PYTHON=/path/to/python"; exit 1; }
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --editable '.[all]'
	touch $@

demo: venv
	$(PY) -m tf_sampled_compat demo

bench: venv
	$(PY) -m tf_sampled_compat bench

# Is this tree slower than the last tag, or than BASE=<commit>? Exits with 1 if it is.
perf: venv
	$(PY) -m tests.perf --base "$(BASE)" $(PERF)

test: venv lint test-kernels
	$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# The site, into site/; its tests see that it has every public symbol and fetches nothing.
docs: venv
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet
	DOCS_SITE=site $(PY) -m pytest tests/docs/test_site.py
	@echo "the pages are in site/index.html"

# The C++ kernels alone, then the ops alone, in a process without the package.
test-kernels: venv
	$(MAKE) -C custom_ops test check_declarations PYTHON=$(abspath $(PY))
	SAMPLED_COMPAT_BUILD=$(abspath tf_sampled_compat/lib) $(PY) -m pytest custom_ops/tests

# A wheel for every Python and TensorFlow, marked with the oldest Linux it runs on.
wheel: venv
	rm -rf build dist
	TF_SAMPLED_COMPAT_BUILD=require $(PY) -m pip wheel --quiet --no-deps --wheel-dir build/wheel .
	PATH="$(abspath $(VENV))/bin:$$PATH" $(PY) -m auditwheel repair --wheel-dir dist \
	  --exclude libtensorflow_framework.so.2 build/wheel/*.whl
	@ls dist/*manylinux*

# That wheel beside TensorFlow 2.12 to 2.21, and the next one's release candidate; see
# tests/matrix/__main__.py for MATRIX.
matrix: wheel
	$(PY) -m tests.matrix dist/*.whl $(MATRIX)

# Tests that take too long for CI. Commit the summary that it writes: tests/nightly/summary.md.
nightly: venv
	$(PY) -m tests.nightly

# The figures of docs/examples.md.
examples: venv
	$(PY) examples/table.py

CPP = $(shell git ls-files 'custom_ops/*.cc' 'custom_ops/*.h')
lint: venv
	$(PY) -m ruff check .
	$(VENV)/bin/basedpyright
	$(VENV)/bin/clang-format --dry-run -Werror $(CPP)

format-cpp: venv
	$(VENV)/bin/clang-format -i $(CPP)

clean:
	rm -rf $(VENV) .matrix .nightly build dist *.egg-info demo_output examples_output bench_output site \
	  custom_ops/build tf_sampled_compat/lib
