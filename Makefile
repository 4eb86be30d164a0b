# Orrery: `make play` and `make test` do everything from a fresh clone.
SHELL := /bin/bash
TORCH ?= torch==2.13.0
PRESET ?= release
JOBS ?= $(shell nproc)
BUILD := build/$(PRESET)
STAMP := .venv/.orrery-setup
export CCACHE_SLOPPINESS := pch_defines,time_macros,include_file_mtime,include_file_ctime
export CCACHE_NOHASHDIR := 1
export CCACHE_BASEDIR := $(CURDIR)

.PHONY: help setup build test check-long play bench lint format clean

help:
	@echo "make play        set up, build and serve the shipped Doom world"
	@echo "make test        set up, build and run every test"
	@echo "make build       the program at build/release/orrery   (PRESET=release|dev|asan)"
	@echo "make setup       Debian packages and .venv             (TORCH=torch==... takes another wheel)"
	@echo "make bench       benchmarks     make check-long  long checks     make lint  clang-format, clang-tidy"

setup: $(STAMP)
$(STAMP): scripts/setup.sh scripts/debian-packages.txt requirements.txt requirements-worlds.txt
	@TORCH="$(TORCH)" scripts/setup.sh
	@touch $(STAMP)

build: $(STAMP)
	@cmake --preset $(PRESET) >/dev/null || cmake --preset $(PRESET)
	@cmake --build --preset $(PRESET) -j $(JOBS)

test: build
	@OMP_NUM_THREADS=1 ctest --preset $(PRESET) --output-on-failure -j $(JOBS) -LE 'long|bench'

check-long: build
	@ctest --preset $(PRESET) --output-on-failure

play: build
	@exec $(BUILD)/orrery play --model models/doom

bench: build
	@scripts/bench.sh $(BUILD)

lint: $(STAMP)
	@scripts/lint.sh

format:
	@git ls-files '*.h' '*.cpp' | xargs -r clang-format -i

clean:
	rm -rf build
