# Every target sets itself up: a fresh machine needs Python 3.11 or newer, pip and make.
PYTHON ?= python3
HOME_DIR ?= home
BIN := .venv/bin
# Where it is set, each worker would compile every test anew.
unexport PYTHONDONTWRITEBYTECODE
# Of bench-full. PySpark takes minutes over 2 million events, so that only these are asked of it; the
# longest history and the most events are asked of DuckDB alone, and nothing but PySpark is waited for
# longer than ten minutes. Thirty days are for the peak of memory, whose target is by events a month.
ROUNDS ?= 1
LARGE = --events 20000000 --rounds $(ROUNDS) --patience 600
DUCKDB = --contenders tidemark duckdb_usual duckdb_best floor
FAST = $(DUCKDB) plain_polars clickhouse
# In groups that share homes, in the order of tests/conftest.py: longest first.
TESTS := -n auto --dist loadfile --no-loadscope-reorder

.PHONY: help setup demo test test-long test-postgres nights check check-deploy dev definitions bench bench-full bench-others bench-memory clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## make setup      the virtual environment .venv with the tidemark command
setup: .venv/.ready

# uv installs faster where it is there; pip gives the same versions, which constraints.txt names.
.venv/.ready: pyproject.toml constraints.txt
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --allow-existing --python "$(PYTHON)" .venv && \
		uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'; \
	else \
		$(PYTHON) -m venv .venv && \
		$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'; \
	fi
	@touch $@

## make demo       made-up data in ./home, run, and where to look
demo: setup
	@if [ ! -d "$(HOME_DIR)/landing" ]; then $(BIN)/tidemark --home "$(HOME_DIR)" sample; fi
	$(BIN)/tidemark --home "$(HOME_DIR)" run
	@echo
	@echo "Tables for BI tools:  $(HOME_DIR)/bi/*.parquet and $(HOME_DIR)/bi/catalog.duckdb"
	@echo "Pictures:             $(HOME_DIR)/bi/report.html"
	@echo "Planted truths:       $(HOME_DIR)/sample_truths.json"
	@echo "Next:  $(BIN)/tidemark --home $(HOME_DIR) status    freshness, late and refused rows"
	@echo "       $(BIN)/tidemark --home $(HOME_DIR) verify    checksums, conservation, identities"
	@echo "       make dev                                 Dagster on http://127.0.0.1:3000"

## make test       the test suite
test: setup
	$(BIN)/python -m pytest $(TESTS)

## make test-long  also what takes long: 500 kills, more examples
test-long: setup
	TIDEMARK_LONG_TESTS=1 $(BIN)/python -m pytest $(TESTS)

## make test-postgres  Dagster on a PostgreSQL server of its own; needs initdb and postgres
test-postgres: setup
	TIDEMARK_POSTGRES_TESTS=1 $(BIN)/python -m pytest -n 0 -rs tests/test_postgres.py

## make nights     a fortnight of nights with Dagster's daemon, sped up; twenty minutes, prints a timeline
nights: setup
	TIDEMARK_NIGHTS=1 $(BIN)/python -m pytest -n 0 -s tests/test_fortnight.py

## make check      linter, formatter, strict types
check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

## make check-deploy  deploy/ by the tools that know it, as far as they are installed
check-deploy:
	deploy/check

## make dev        Dagster on http://127.0.0.1:3000, without telemetry
dev: setup
	@export TIDEMARK_HOME="$${TIDEMARK_HOME:-$(HOME_DIR)}" DAGSTER_HOME="$${DAGSTER_HOME:-$(CURDIR)/.dagster}"; \
	$(BIN)/python -m pipelines.orchestration.prepare && \
	$(BIN)/dagster dev -w workspace.yaml -h 127.0.0.1

## make definitions  Dagster's definitions load
definitions: setup
	DAGSTER_DISABLE_TELEMETRY=yes $(BIN)/dagster definitions validate -w workspace.yaml

## make bench      Tidemark against what people would use instead, and how it grows: minutes
bench: setup bench-others
	$(BIN)/python -m benchmarks.suite --rounds 2 --patience 120 $(FAST)
	$(BIN)/python -m benchmarks.growth --rounds 2
	$(BIN)/python -m benchmarks.results

## make bench-full  at full size, hours, more of them with ROUNDS=3; what was measured is kept
bench-full: setup bench-others
	$(BIN)/python -m benchmarks.suite --rounds 2 --patience 120 $(FAST)
	$(BIN)/python -m benchmarks.suite $(LARGE) --users 500000 --questions stored $(FAST)
	$(BIN)/python -m benchmarks.suite $(LARGE) --users 500000 --questions parquet $(DUCKDB)
	$(BIN)/python -m benchmarks.suite $(LARGE) --days 1095 --users 200000 --questions stored $(DUCKDB) --no-profile
	$(BIN)/python -m benchmarks.suite $(LARGE) --days 30 --users 500000 --questions stored parquet \
		--contenders tidemark --no-profile
	$(BIN)/python -m benchmarks.growth --scale full --rounds $(ROUNDS)
	$(BIN)/python -m benchmarks.suite --events 100000000 --users 500000 --questions stored $(DUCKDB) --no-profile \
		--rounds 1 --patience 600
	$(BIN)/python -m benchmarks.suite --rounds 1 --patience 1800 --questions stored --contenders spark --no-profile
	$(BIN)/python -m benchmarks.results

# An environment of their own: pandera would import pyspark, wherever it stood beside it.
bench-others: build/bench/venv/.ready

build/bench/venv/.ready: benchmarks/requirements.txt
	$(PYTHON) -m venv build/bench/venv
	build/bench/venv/bin/python -m pip install --quiet --requirement benchmarks/requirements.txt
	@touch $@

## make bench-memory  peak memory when files of 0.7 and 2 GB land, of each format
bench-memory: setup
	$(BIN)/python -m benchmarks.memory

clean:
	rm -rf .venv .dagster build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
