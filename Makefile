# make run: try it. make test: every check and test. Both install what they need first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.requirements-installed
ROWS ?= 100000
REPEAT ?= 1
export PORT

# Figures of a production site that nobody runs: the checks below read settings, they connect to nothing.
PRODUCTION = DATABASE_URL=postgres://nobody@localhost/nothing ALLOWED_HOSTS=people.example.com \
	SECRET_KEY="$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))')" DEBUG=false HTTPS=true

.PHONY: setup run test test-long pytest lint bench requirements

setup: $(STAMP)

$(STAMP): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=/path/to/python3.12 $(or $(MAKECMDGOALS),setup)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the packages of requirements.txt into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

run: setup
	@$(BIN)/python -m config.run

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -W "ignore:Got an error checking a consistent migration history" manage.py makemigrations --check --dry-run
	@echo "manage.py check --deploy, as a production site"
	@$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

pytest: setup
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not long"

test: lint pytest

test-long: lint
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -n 2 --dist loadgroup

bench: setup
	$(BIN)/python -m tests.bench --rows $(ROWS) --repeat $(REPEAT)

# Exact versions anew from requirements.in, in a venv of their own.
requirements:
	rm -rf $(VENV)-new
	$(PYTHON) -m venv $(VENV)-new
	$(VENV)-new/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.in
	{ echo '# Exact versions, made from requirements.in (README.md, "Dependencies"). Do not edit by hand.'; \
	  echo 'async-timeout==5.0.1; python_full_version < "3.11.3"'; \
	  $(VENV)-new/bin/python -m pip --disable-pip-version-check freeze; } > requirements.txt
	rm -rf $(VENV)-new
