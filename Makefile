# Everything a developer needs; each target sets up what it needs.
PYTHON ?= python3
UV := .venv/bin/uv
RUN := $(UV) run --quiet --frozen
OURS := bot conversations core webhooks
SEMGREP := .venv/semgrep/bin/semgrep
RULES := tests/security/rules

.PHONY: setup demo run test check bench crash load talk format chromium

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

check: setup $(SEMGREP)
	@$(RUN) ruff format --check .
	@$(RUN) ruff check .
	@$(RUN) mypy
	@$(RUN) lint-imports
	@$(RUN) bandit --quiet --configfile pyproject.toml --recursive $(OURS)
	@$(SEMGREP) scan --test --quiet --metrics off --disable-version-check --config $(RULES).yaml $(RULES).py >/dev/null || \
		{ echo "$(RULES).yaml doesn't find what $(RULES).py says it finds."; exit 1; }
	@$(SEMGREP) scan --error --quiet --metrics off --disable-version-check --config $(RULES).yaml $(OURS)

# It wants other versions of what we lock, so it lives apart; its own are pinned beside the rules.
$(SEMGREP): tests/security/semgrep.txt | setup
	@$(UV) venv --quiet --clear .venv/semgrep
	@$(UV) pip install --quiet --python .venv/semgrep --requirement $<
	@touch $@

format: setup
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

bench: setup
	@$(RUN) python tests/bench

# Kills the real server under load; SEED=7 ROUNDS=30 make crash
crash: setup
	@$(RUN) python tests/crash

# A thousand customers for three hundred places; CUSTOMERS=100 PLACES=10 A_SECOND=5 make load
load: setup
	@$(RUN) python tests/load

# Simulated customers in chats with the real server; SEED=7 make talk; make talk ARGS='--show "only taps"'
talk: setup
	@$(RUN) python tests/talk $(ARGS)
