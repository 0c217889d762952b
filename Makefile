# Everything a developer needs; each target sets up what it needs.
PYTHON ?= python3
UV := .venv/bin/uv
RUN := $(UV) run --quiet --frozen

.PHONY: setup demo run test check bench format chromium

setup: .venv/.ready

.venv/.ready: uv.lock pyproject.toml
	@test -x $(UV) || { test -x .venv/bin/python || $(PYTHON) -m venv .venv; .venv/bin/python -m pip install --quiet uv; }
	@$(UV) sync --quiet --frozen --inexact --compile-bytecode
	@touch $@

demo: setup
	@$(RUN) bengkel demo

run: setup
	@$(RUN) bengkel run

test: setup chromium
	@$(RUN) pytest -n 2 --dist worksteal $(ARGS)

# The browser tests want Chromium; where it can't be installed they are skipped and say so.
chromium:
	@command -v chromium >/dev/null || { command -v apt-get >/dev/null && \
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1; } || \
		echo "No Chromium here: the browser tests will be skipped."

check: setup
	@$(RUN) ruff format --check .
	@$(RUN) ruff check .
	@$(RUN) mypy
	@$(RUN) lint-imports

format: setup
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

bench: setup
	@$(RUN) python tests/bench
