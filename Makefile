# make demo | test | dev | lint | format | bench | bench-peers | bench-guard | clean
#
# demo and test need Python, make and a C++20 compiler: they make an environment of their own (.venv),
# and CMake, Ninja and pybind11 come with the isolated build of the wheel. dev builds in place with the
# CMake and Ninja of the environment that PYTHON belongs to:  make dev PYTHON=path/to/python; without
# the AVX-512 kernels, a third faster:  make dev DEV=-DHORNBEAM_X86_LEVELS=v3
# The benchmarks need hornbeam in it (or PYTHONPATH=python after `make dev`), and matplotlib for charts.

PYTHON  ?= /usr/bin/env python3
VENV    := .venv
BIN     := $(VENV)/bin
PIP     := $(BIN)/python -m pip --disable-pip-version-check
SOURCES := CMakeLists.txt pyproject.toml $(shell find csrc python/hornbeam -name '*.so' -prune -o -name __pycache__ -prune -o -type f -print)

.PHONY: demo test dev lint format bench bench-peers bench-guard clean

demo: $(VENV)/demo.installed
	$(BIN)/python examples/digits.py

test: $(VENV)/test.installed
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q

$(VENV)/%.installed: $(SOURCES)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet '.[$*]'
	touch $@

# Everything below works in the environment of PYTHON; its bin folder comes first on the path.
TOOLS = PATH="$$($(PYTHON) -c 'import os, sys; print(os.path.dirname(sys.executable))'):$$PATH"

dev:
	$(TOOLS) cmake -S . -B build/dev -G Ninja -DCMAKE_BUILD_TYPE=Release $(DEV) \
	    -DPython_EXECUTABLE="$$($(PYTHON) -c 'import sys; print(sys.executable)')" \
	    -Dpybind11_DIR="$$($(PYTHON) -m pybind11 --cmakedir)"
	$(TOOLS) cmake --build build/dev
	$(TOOLS) cmake --install build/dev --prefix python

lint:
	$(TOOLS) ruff check .
	$(TOOLS) ruff format --check .
	$(TOOLS) mypy
	clang-format --dry-run --Werror $$(git ls-files 'csrc/*.h' 'csrc/*.cpp')

format:
	$(TOOLS) ruff check --fix-only .
	$(TOOLS) ruff format .
	clang-format -i $$(git ls-files 'csrc/*.h' 'csrc/*.cpp')

# BENCH has further arguments, of all of them:  make bench BENCH='--only gemm --rounds 5'
bench:
	$(PYTHON) benchmarks/bench_machine.py
	$(PYTHON) benchmarks/bench_kernels.py $(BENCH)
	$(PYTHON) benchmarks/bench_models.py $(BENCH)
	$(PYTHON) benchmarks/bench_start.py $(BENCH)

# The peers are installed into environments of their own in build/peers; to use others:
#   make bench-peers PEERS="torch=path/to/python jax=... tensorflow=..."
bench-peers:
	$(PYTHON) benchmarks/peers.py $(BENCH) $(foreach peer,$(PEERS),--peer $(peer))

# Slower kernels are found on a busy machine too, by counted instructions; needs valgrind and `make dev`.
bench-guard:
	$(PYTHON) benchmarks/guard.py $(GUARD)

clean:
	rm -rf build dist $(VENV) python/hornbeam/*.so .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find python tests examples benchmarks -name __pycache__ -prune -exec rm -rf {} +
