# make demo | make test | make bench | make perf: each builds what it needs; a second run is quick.
VENV   := .venv
PY     := $(VENV)/bin/python
STAMP  := $(VENV)/.installed
# Interpreters with TensorFlow wheels; override with `make PYTHON=python3.11 ...`.
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python3.10 python3.9,\
	$(shell $(p) -c 'import sys; (3,9)<=sys.version_info[:2]<=(3,13) and print("$(p)")' 2>/dev/null)))

export TF_CPP_MIN_LOG_LEVEL ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: venv demo bench perf examples test docs test-kernels sanitize fuzz wheel matrix abuse clusters nightly lint format-cpp clean

venv: $(STAMP)

SOURCES := $(wildcard custom_ops/Makefile custom_ops/kernels/*.* custom_ops/glue/*.*)
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

# A process that crashes ends the run: xdist could lose the tests that wait, and hang.
test: venv lint test-kernels
	$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0

# The site, into site/; its tests see that it has every public symbol and fetches nothing.
docs: venv
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet
	DOCS_SITE=site $(PY) -m pytest tests/docs/test_site.py
	@echo "the pages are in site/index.html"

# The C++ kernels alone, then the ops alone, in a process without the package: both at each
# instruction set that this CPU has. What kills a process does so at each, so it is tried at the best.
test-kernels: export SAMPLED_COMPAT_BUILD = $(abspath tf_sampled_compat/lib)
test-kernels: venv
	$(MAKE) -C custom_ops test sanitize_some check_declarations PYTHON=$(abspath $(PY))
	set -e; for s in $$($(MAKE) --silent -C custom_ops other_sets); do echo "== $$s"; \
	  SAMPLED_COMPAT_INSTRUCTION_SET=$$s $(PY) -m pytest custom_ops/tests \
	  --ignore custom_ops/tests/test_faults.py; done
	$(PY) -m pytest custom_ops/tests

# All C++ tests under the address, leak, undefined-behaviour and thread sanitizers.
sanitize:
	$(MAKE) -C custom_ops sanitize

# Looks for inputs that break a kernel, an op or a public function, for this long in each half.
FUZZ_SECONDS ?= 60
fuzz: venv
	$(MAKE) -C custom_ops fuzz FUZZ_SECONDS=$(FUZZ_SECONDS)
	$(PY) -m tests.fuzz --seconds $(FUZZ_SECONDS)

# The sdist, and a wheel for every Python and TensorFlow, marked with the oldest Linux it runs on. The
# wheel is built from the sdist, so that both hold the same; nothing in them is newer than the commit.
wheel: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null)
wheel: venv
	rm -rf build dist
	TF_SAMPLED_COMPAT_BUILD=require $(PY) -m build --outdir build/wheel .
	umask 022; PATH="$(abspath $(VENV))/bin:$$PATH" $(PY) -m auditwheel repair --wheel-dir dist \
	  --exclude libtensorflow_framework.so.2 build/wheel/*.whl
	mv build/wheel/*.tar.gz dist
	$(PY) -m twine check --strict dist/*
	@ls dist/*manylinux*

# Changes one place of the code at a time: do the tests notice? See tests/mutation/__main__.py.
.PHONY: mutation
mutation: venv
	$(PY) -m tests.mutation $(MUTATION)

# Builds twice, in two folders and environments: are the bytes the same, and is the content as it should?
.PHONY: wheel-twice
wheel-twice: venv
	$(PY) -m tests.supply

# That wheel beside TensorFlow 2.12 to 2.21, and the next one's release candidate; see
# tests/matrix/__main__.py for MATRIX.
matrix: wheel
	$(PY) -m tests.matrix dist/*.whl $(MATRIX)

# The tests of threads, forks, limits and files that take too long for CI.
abuse: venv
	$(PY) -m pytest -m nightly tests/abuse

# The tests on clusters of processes that take too long for CI.
clusters: venv
	$(PY) -m pytest -m nightly tests/distribute

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
	git ls-files -z | xargs -0 $(VENV)/bin/detect-secrets-hook $(NO_SECRETS)

# A file of hashes, which look like keys. A single line elsewhere has a `pragma: allowlist` comment.
# Not gitleaks: neither Debian 12 nor PyPI has it from its makers.
NO_SECRETS := --exclude-files '^golden/manifest\.json$$'

format-cpp: venv
	$(VENV)/bin/clang-format -i $(CPP)

clean:
	rm -rf $(VENV) .matrix .nightly build dist *.egg-info demo_output examples_output bench_output site \
	  custom_ops/build tf_sampled_compat/lib
