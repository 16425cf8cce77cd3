# Every target does its own set-up; `setup` is quick when nothing changed.
.DEFAULT_GOAL := help
.PHONY: help setup peak test nightly lint bench bench-cluster bench-api bench-replay bench-payout bench-scale \
	messages golden clean

# The newest Python that the pins are known for, or whatever python3 is (3.11 or later).
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
	command -v $$name >/dev/null && $$name -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null && echo $$name && break; done)
BIN := .venv/bin
STAMP := .venv/.springpeak-installed

help:
	@echo "make peak     simulate Spring Festival 2026 for the whole country and write the report"
	@echo "make test     tests, types, lint and import floors"
	@echo "make nightly  the long versions of the guarantee API's tests: 20 kills, 10,000 made-up requests"
	@echo "make bench-api  the guarantee API beside a plain FastAPI service, durable writes on both"
	@echo "make bench-payout  the simulation with loops off against the exact engine, 400 seasons"
	@echo "make bench-replay  the replay beside Locust's FastHttpUser, and k6, vegeta, wrk where found"
	@echo "make bench-scale  what a unit of each part costs, the law, what ten times the peak needs"
	@echo "make lint     types, lint and import floors only"
	@echo "make bench    the pool beside the reference model and Ciw, the roster, the approximate answer"
	@echo "make bench-cluster  20 replications of a national day on one Dask worker and on two"
	@echo "make golden   rewrite the golden files; read the diff, say so in CHANGELOG.md"
	@echo "make messages bring the Chinese catalogue of messages up to date"
	@echo "make setup    build .venv"
	@echo "make clean    remove .venv and caches; results/ stays"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "springpeak needs Python 3.11 or later with venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

peak: setup
	$(BIN)/springpeak peak

test: setup
	$(BIN)/python -m pytest -q -n 2
	@$(MAKE) --no-print-directory lint

nightly: setup
	SPRINGPEAK_NIGHTLY=1 $(BIN)/python -m pytest -q tests/test_api_kill.py tests/test_api_schema.py

lint: setup
	$(BIN)/mypy
	$(BIN)/ruff check .
	$(BIN)/lint-imports

bench: setup
	@set -e; for name in pool roster whatif; do $(BIN)/python -m "benchmarks.bench_$$name"; done

bench-cluster: setup
	$(BIN)/python -m benchmarks.bench_cluster

bench-api: setup
	$(BIN)/python -m benchmarks.bench_api

bench-payout: setup
	$(BIN)/python -m benchmarks.bench_payout

bench-replay: setup
	$(BIN)/python -m benchmarks.bench_replay

bench-scale: setup
	$(BIN)/python -m benchmarks.bench_scale run results/bench-scale
	@set -e; for part in simulation sender lock wire api replay; do \
		$(BIN)/python -m benchmarks.bench_scale $$part results/bench-scale; done
	$(BIN)/python -m benchmarks.bench_scale page

messages: setup
	$(BIN)/python -m tests.messages

golden: setup
	$(BIN)/python -m pytest -q --update-golden
	git diff --stat -- tests/golden

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
