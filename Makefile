# Everything a contributor does, one memorable word each. CONTRIBUTING.md explains them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup media run seed train test check fix bench clean

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
# Two workers suit two cores; each has a database of its own.
TEST_WORKERS ?= 2
PYTEST_ARGS ?=

help: ## list these words
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | sort | column -t -s $$'\t'

# Stamps: installing again only when a list of requirements has changed.
$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --no-input --quiet --progress-bar off -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/python -m pip install --disable-pip-version-check --no-input --quiet --progress-bar off -r requirements-dev.txt
	@touch $@

setup: $(VENV)/.installed-dev ## make the virtual environment with everything a contributor needs

$(VENV)/.installed-media: requirements-media.txt $(VENV)/.installed
	$(BIN)/python -m pip install --disable-pip-version-check --no-input --quiet --progress-bar off -r requirements-media.txt
	@touch $@

media: $(VENV)/.installed-media ## install the models that look into pictures, video and sound

run: $(VENV)/.installed ## start the whole site: stores, demo world, model, web, workers
	$(MANAGE) up $(RUN_ARGS)

seed: $(VENV)/.installed ## fill an empty database with the demo world
	$(MANAGE) migrate --no-input --verbosity=0
	$(MANAGE) seed_world $(SEED_ARGS)

train: $(VENV)/.installed ## train Phoenix on what is in the database
	$(MANAGE) phoenix_train $(TRAIN_ARGS)

test: $(VENV)/.installed-dev ## run the test suite on stores of its own
	$(BIN)/python -m pytest -n $(TEST_WORKERS) $(PYTEST_ARGS)

check: $(VENV)/.installed-dev ## format, lint, types, layers, migrations, deployment settings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run  # compares code, needs no database
	$(DEPLOYED) check --deploy --fail-level WARNING
	$(DEPLOYED) collectstatic --no-input --dry-run --verbosity=0

# As on a server, with values that are good enough to be checked.
DEPLOYED := env DJANGO_SETTINGS_MODULE=xsocial.settings.production ALLOWED_HOSTS=example.org \
	SECRET_KEY=$(shell head -c 48 /dev/urandom | base64 | tr -d '\n/+=') $(MANAGE)

fix: $(VENV)/.installed-dev ## format and correct what can be corrected by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.installed ## run every benchmark and print one table
	$(MANAGE) bench $(BENCH_ARGS)

clean: ## stop the embedded services and remove data, static files and caches
	-test ! -x $(BIN)/python || $(MANAGE) services stop
	rm -rf .data staticfiles .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis htmlcov .coverage
