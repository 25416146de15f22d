# Each target makes .venv by itself the first time (that needs the internet); afterwards everything works offline.
VENV := .venv
PY := $(VENV)/bin/python
RUN := $(VENV)/.run
DEV := $(VENV)/.dev
TYPINGS := typings/.done
WORKERS := 3# tests wait more than they work
export PYTHON

# A .venv that came along with a moved or copied folder does not work there: make it again.
ifneq ($(shell cat $(VENV)/.folder 2>/dev/null),$(CURDIR))
$(shell rm -f $(RUN) $(DEV))
endif

.DEFAULT_GOAL := help
.SUFFIXES:
.PHONY: help demo device server test conformance lint format generate typecheck bench size mpy fuzz soak \
	firmware image flash deploy provision repl

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# exec: Ctrl-C and SIGTERM reach the program itself, and no shell in between dies of them first.
demo: $(RUN) ## lab server + virtual board, live; SECONDS=n ends by itself and checks that all worked
	exec $(PY) -m tools.demo $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)

device: $(RUN) ## one virtual board: SERVER=coap://host:port [ENDPOINT=name] [ARGS="--help"]
	exec $(PY) -m tools.device $(if $(SERVER),--server "$(SERVER)") $(if $(ENDPOINT),--endpoint "$(ENDPOINT)") $(ARGS)

server: $(RUN) ## the lab server alone [ARGS="--help"]
	exec $(PY) -m tools.lab serve $(ARGS)

test: $(DEV) ## every test, on both Pythons [PYTEST_ARGS="-k name"]
	$(PY) -m pytest -n $(WORKERS) --dist loadgroup $(PYTEST_ARGS)

conformance: $(DEV) ## every case of OMA's test specification: runs them, prints the table, writes it into README.md
	$(PY) -m tools.conformance $(ARGS)

lint: $(DEV) ## ruff: mistakes and layout
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: $(DEV) ## ruff: mends what it can by itself
	$(PY) -m ruff check --fix --exit-zero --quiet .
	$(PY) -m ruff format .

generate: $(RUN) ## package.json and the README's state diagram, from lib/
	$(PY) -m tools.mip
	$(PY) -m tools.state_diagram --write

typecheck: $(DEV) $(TYPINGS) ## basedpyright: the board's files against MicroPython's stubs, tools against CPython
	$(PY) -m basedpyright -p .pyright-board.json
	$(PY) -m basedpyright -p .pyright-host.json

bench: $(DEV) ## speed and memory against the budgets
	$(PY) -m tools.bench $(ARGS)

size: $(DEV) ## compiled size and RAM of each room of lib/ against the budget
	$(PY) -m tools.size

mpy: $(DEV) ## lib/ compiled into build/mpy
	$(PY) -m tools.mpy build/mpy

fuzz: $(DEV) ## hostile bytes for every parser and the whole client; SECONDS=n (60) [ARGS="--help"]
	exec $(PY) -m tools.fuzz $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)

soak: $(DEV) ## hours of virtual and minutes of real time, everything at random; MINUTES=n (3) SEED=n [ARGS="--help"]
	exec $(PY) -m tools.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(ARGS)

firmware image flash deploy provision repl:
	@echo "not yet: make $@ comes with a later release" >&2; exit 2

$(RUN): requirements.txt
	@sh tools/setup_venv.sh requirements.txt
	@touch $@

$(DEV): requirements-dev.txt $(RUN)
	@sh tools/setup_venv.sh requirements-dev.txt
	@touch $@

$(TYPINGS): requirements-typings.txt $(DEV)
	@echo "installing MicroPython's type stubs into typings/"
	@rm -rf typings
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --target typings -r requirements-typings.txt || \
		{ echo "pip could not install the type stubs; its own words are above. This first step needs the internet." >&2; exit 2; }
	@touch $@
