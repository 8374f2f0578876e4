# Two commands: `make demo` and `make test`. Both set up everything they need.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
OUT ?= out/demo

# Tests and the demo start many processes: byte code is made once for all of them.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo serve test proof check docs bench bench-peers lock clean

help:
	@echo "make demo    set up, run the built-in study (centre of Helsinki) into $(OUT)"
	@echo "make serve   serve that result: map, reports and matching API"
	@echo "make test    set up, run all tests"
	@echo "make proof   10,000 requests drawn from the OpenAPI document to a running service"
	@echo "make check   ruff, mypy strict, import contracts"
	@echo "make docs    build the documentation, zh and en, into out/docs"
	@echo "make bench   all benchmarks (several minutes)"
	@echo "make bench-peers  environment of the peers that need Python 3.12"
	@echo "make lock    renew constraints.txt from the newest releases"
	@echo "make clean   remove the environment, caches and results"

# One environment; the second stamp adds what tests need to what the demo needs.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Yilu needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; name another with: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.demo: $(VENV)/.made pyproject.toml constraints.txt
	@echo "Installing Yilu and what it needs into $(VENV) ..."
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[demo]'
	@touch $@

$(VENV)/.test: $(VENV)/.made pyproject.toml constraints.txt
	@echo "Installing Yilu, the demo map and the test tools into $(VENV) ..."
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[demo,test]'
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	$(BIN)/yilu demo --out $(OUT)

serve: $(VENV)/.demo
	@test -f $(OUT)/summary.json || $(MAKE) demo
	$(BIN)/yilu serve $(OUT)

# Files stay whole: a study that a file needs is made once, not by each worker that gets one of its tests.
test: $(VENV)/.test
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# Of `make test` this sends some hundreds; YILU_PROOF_DATABASE names another database than SQLite.
proof: $(VENV)/.test
	YILU_PROOF=full $(BIN)/python -m pytest -s tests/test_api/http/test_schemathesis.py

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(VENV)/.docs: $(VENV)/.made pyproject.toml constraints.txt
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[demo,docs]'
	@touch $@

docs: $(VENV)/.docs
	$(BIN)/sphinx-build -q -W --keep-going -c docs -D language=en docs/en out/docs/en
	$(BIN)/sphinx-build -q -W --keep-going -c docs -D language=zh_CN docs/zh out/docs/zh
	@cp docs/index.html out/docs/index.html
	@echo "open out/docs/index.html"

bench: $(VENV)/.test
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[bench]'
	for name in streets traces siting matching megacity service; do $(BIN)/yilu bench $$name || exit 1; done

# Peers whose wheels need Python 3.12, used by subprocess and never imported beside ours.
PEERS_PYTHON ?= python3.12
bench-peers:
	$(PEERS_PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet osrm-bindings pyvalhalla spopt highspy ortools numpy

lock:
	rm -rf $(VENV)-lock && $(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet --editable '.[demo,test,docs,cluster]'
	{ echo "# Made by 'make lock'; do not edit."; $(VENV)-lock/bin/python -m pip freeze --exclude-editable; } > constraints.txt
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) $(VENV)-lock out .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
