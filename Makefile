# The commands of this project; `make` lists them. Each sets up what it needs in .venv.

VENV := .venv
PYTHON_IN_VENV := $(VENV)/bin/python
PIP := $(PYTHON_IN_VENV) -m pip install --quiet --disable-pip-version-check
BUILD := build/make
TEST_TARGETS := veem_tests $(if $(filter SIMULATED,$(VEEM_METAL)),veem_metal_tests)
SOURCES := pyproject.toml CMakeLists.txt $(shell find cpp src -type f -not -name '*.so' \
             -not -path '*/__pycache__/*')
TORCH := torch==2.13.0 --extra-index-url https://download.pytorch.org/whl/cpu
LINT := ruff==0.17.6 mypy==2.4.1 clang-format==20.1.8
CPP := $(wildcard cpp/*/*.h cpp/*/*.cpp tests/cpp/*.h tests/*/*.cpp)

export CMAKE_BUILD_PARALLEL_LEVEL ?= $(shell getconf _NPROCESSORS_ONLN)
export VEEM_BUILD := $(BUILD)
# Tests and examples use veem as installed, not the folder they were started from.
unexport PYTHONPATH PYTHONHOME

# The same in an environment of its own, whose veem has software Metal.
ON_METAL := tests/test_ops.py tests/test_indexing.py  # have cases for every device
SIMULATED := VEEM_METAL=SIMULATED $(MAKE) --no-print-directory VENV=.venv-simulator \
               BUILD=build/make-simulator

.PHONY: help run test test-cpp test-reference test-opdb lint format stubs ops bench clean \
        simulator test-metal test-metal-here
.DELETE_ON_ERROR:

help:  ## lists these commands
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1@/' | \
	  awk -F@ '{ printf "%-22s %s\n", $$1, $$2 }'

run: $(VENV)/.examples  ## trains a network on handwritten digits (ARGS="--model cnn" and so on)
	$(PYTHON_IN_VENV) examples/mnist.py $(ARGS)

test: test-cpp $(VENV)/.test $(VENV)/.examples $(VENV)/.bench  ## runs all tests (ARGS="-k softmax" and so on)
	$(PYTHON_IN_VENV) -m pytest $(ARGS)

test-cpp: $(VENV)/.veem  ## runs the tests of the C++ core alone
	@cmake() { $(VENV)/bin/cmake "$$@" > $(BUILD)/log 2>&1 || { cat $(BUILD)/log; exit 1; }; }; \
	  cmake -DVEEM_TESTS=ON $(BUILD) && cmake --build $(BUILD) --target $(TEST_TARGETS)
	$(BUILD)/veem_tests

test-reference: $(VENV)/.test $(VENV)/.torch  ## runs the tests that compare with PyTorch
	$(PYTHON_IN_VENV) -m pytest tests/reference tests/compat/test_programs.py $(ARGS)

test-opdb: $(VENV)/.test $(VENV)/.torch  ## runs PyTorch's database of ops on veem too
	@$(PIP) "expecttest>=0.3"  # PyTorch's tests import it
	$(PYTHON_IN_VENV) tests/reference/opdb.py $(ARGS)

bench: $(VENV)/.bench  ## times the kernels beside NumPy's (and PyTorch's, where installed)
	$(PYTHON_IN_VENV) bench/kernels.py $(ARGS)

lint: $(VENV)/.lint  ## checks style and types
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/clang-format --dry-run --Werror $(CPP)

format: $(VENV)/.lint  ## mends the style
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format
	$(VENV)/bin/clang-format -i $(CPP)

simulator:  ## builds veem with simulated Metal in .venv-simulator: GPU kernels, checked, anywhere
	@$(SIMULATED) .venv-simulator/.veem
	@.venv-simulator/bin/python -m veem doctor

test-metal:  ## runs the tests of Metal on the simulator
	@$(SIMULATED) test-metal-here

test-metal-here: test-cpp $(VENV)/.test
	$(BUILD)/veem_metal_tests
	$(PYTHON_IN_VENV) -m pytest tests/metal $(ARGS)
	for order in order=forward order=reverse seed=1; do \
	  VEEM_SIMULATOR=$$order $(PYTHON_IN_VENV) -m pytest $(ON_METAL) -k "metal $$some" $(ARGS) || exit 1; \
	  some="and (not (float16 or int8 or int16) or test_values)"; \
	done

stubs: $(VENV)/.veem  ## writes src/veem/_core.pyi anew
	$(PYTHON_IN_VENV) tools/stubs.py src/veem/_core.pyi

ops: $(VENV)/.veem  ## writes docs/ops.md anew
	$(PYTHON_IN_VENV) tools/ops_page.py docs/ops.md

clean:  ## removes what these commands made
	rm -rf $(VENV) .venv-simulator build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis

# ---- the virtual environment: each file stands for something installed in it -------------

$(VENV)/.tools: tools/setup.sh
	@sh tools/setup.sh $(VENV)
	@touch $@

$(VENV)/.veem: $(VENV)/.tools $(SOURCES)
	@echo "Building veem (about a minute the first time)"
	@$(PIP) --no-build-isolation -C build-dir=$(BUILD) .
	@touch $@

$(VENV)/.test $(VENV)/.examples $(VENV)/.bench: $(VENV)/.%: pyproject.toml | $(VENV)/.veem
	@$(PIP) "veem[$*]"
	@touch $@

$(VENV)/.torch: | $(VENV)/.veem
	@$(PIP) $(TORCH)
	@touch $@

$(VENV)/.lint: Makefile | $(VENV)/.tools
	@$(PIP) $(LINT) numpy
	@touch $@
