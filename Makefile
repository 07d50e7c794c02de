# make run: try it. make quick: checks and the fast tests. make test: every check and test. Each installs what it needs first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNNING := $(VENV)/.installed-for-running
DEVELOPING := $(VENV)/.installed-for-developing
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
ROWS ?= 100000
REPEAT ?= 1
export PORT

# Figures of a production site that nobody runs: the checks below read settings, they connect to nothing.
PRODUCTION = DATABASE_URL=postgres://nobody@localhost/nothing ALLOWED_HOSTS=people.example.com \
	SECRET_KEY="$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))')" DEBUG=false HTTPS=true

.PHONY: setup setup-dev run quick test test-long pytest lint bench requirements

setup: $(RUNNING)

setup-dev: $(DEVELOPING)

$(RUNNING): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=/path/to/python3.12 $(or $(MAKECMDGOALS),setup)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the packages of requirements.txt into $(VENV) ..."
	@$(BIN)/python $(PIP_INSTALL) -r requirements.txt
	@touch $@

$(DEVELOPING): requirements-dev.txt $(RUNNING)
	@echo "Installing the packages of requirements-dev.txt into $(VENV) ..."
	@$(BIN)/python $(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

run: setup
	@$(BIN)/python -m config.run

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -W "ignore:Got an error checking a consistent migration history" manage.py makemigrations --check --dry-run
	@echo "manage.py check --deploy, as a production site"
	@$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

pytest: setup-dev
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not long"

# Neither pages nor browser, no other processes, no comparison row by row, fewer generated examples: under three minutes
# on two processors.
quick: lint
	HYPOTHESIS_PROFILE=quick $(BIN)/python -m pytest -n 2 --dist loadgroup -m "not long and not processes" tests/unit tests/db

test: lint pytest

test-long: lint
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -n 2 --dist loadgroup

bench: setup-dev
	$(BIN)/python -m tests.bench --rows $(ROWS) --repeat $(REPEAT)

# The newest versions that fit pyproject.toml, resolved in a venv of their own: for running, then in addition for developing.
NEW := $(VENV)-new
HEAD := \# Exact versions, made by `make requirements` from pyproject.toml. Do not edit by hand.
requirements:
	rm -rf $(NEW)
	$(PYTHON) -m venv $(NEW)
	$(NEW)/bin/python $(PIP_INSTALL) --upgrade "pip>=25.1"  # the first that reads dependency groups
	$(NEW)/bin/python $(PIP_INSTALL) ".[s3,redis]"
	{ echo '$(HEAD)'; \
	  echo '# For running, with the extras s3 and redis.'; \
	  echo 'async-timeout==5.0.1; python_full_version < "3.11.3"'; \
	  $(NEW)/bin/python -m pip --disable-pip-version-check freeze --exclude profile-imports --exclude async-timeout; \
	} > $(NEW)/requirements.txt
	$(NEW)/bin/python $(PIP_INSTALL) --group dev --constraint $(NEW)/requirements.txt
	{ echo '$(HEAD)'; \
	  echo '# For the checks and tests.'; \
	  echo '-r requirements.txt'; \
	  $(NEW)/bin/python -m pip --disable-pip-version-check freeze --exclude profile-imports --exclude async-timeout \
	  | grep -vxF -f $(NEW)/requirements.txt; \
	} > $(NEW)/requirements-dev.txt
	mv $(NEW)/requirements.txt $(NEW)/requirements-dev.txt .
	rm -rf $(NEW)
