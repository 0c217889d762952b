# Everything a developer needs; each target sets up what it needs.
PYTHON ?= python3
UV := .venv/bin/uv
RUN := $(UV) run --quiet --frozen

.PHONY: setup demo run test check bench format

setup: .venv/.ready

.venv/.ready: uv.lock pyproject.toml
	@test -x $(UV) || { test -x .venv/bin/python || $(PYTHON) -m venv .venv; .venv/bin/python -m pip install --quiet uv; }
	@$(UV) sync --quiet --frozen --inexact
	@touch $@

demo: setup
	@$(RUN) bengkel demo

run: setup
	@$(RUN) bengkel run

test: setup
	@$(RUN) pytest -n 2 $(ARGS)

check: setup
	@$(RUN) ruff format --check .
	@$(RUN) ruff check .
	@$(RUN) mypy
	@$(RUN) lint-imports

format: setup
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

bench: setup
	@$(RUN) python -m tests.bench
