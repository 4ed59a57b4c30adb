# Every verb of a developer's day; `make` prints them.
PYTHON := .venv/bin/python
.DEFAULT_GOAL := help

.PHONY: help
help: ## Print these verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: install
install: ## Install the project into .venv, editable, with what tests need
	python3 -m venv .venv
	.venv/bin/pip install -c constraints.txt -e '.[test]'

.PHONY: demo
demo: ## Run the main job on the capture that ships with the project
	.venv/bin/gql-server demo

.PHONY: serve
serve: ## Start the server, with a worker inside
	.venv/bin/gql-server serve

.PHONY: worker
worker: ## Start a worker alone, beside a server
	.venv/bin/gql-server worker

.PHONY: check
check: format-check lint types imports schema test ## Run all that CI runs

.PHONY: test
test: ## Run the tests; make test only=tests/store runs some
	.venv/bin/pytest $(only)

.PHONY: bench
bench: ## Measure the engine beside other programs; make bench only="imix pair" measures some
	PYTHONPATH=. $(PYTHON) -m benchmarks $(only)

.PHONY: lint
lint: ## Look for mistakes with ruff
	.venv/bin/ruff check .

.PHONY: types
types: ## Check the types with mypy
	.venv/bin/mypy

.PHONY: imports
imports: ## Check that imports only go down
	PYTHONPATH=. .venv/bin/lint-imports

.PHONY: schema
schema: ## Compare schema.graphql with the code
	$(PYTHON) -m gql_server export-schema | diff -u schema.graphql -

.PHONY: schema-write
schema-write: ## Write schema.graphql from the code
	$(PYTHON) -m gql_server export-schema > schema.graphql.new
	mv schema.graphql.new schema.graphql

.PHONY: readme
readme: ## Write the README's table of settings from the code
	$(PYTHON) -m tests.readme

.PHONY: format
format: ## Format the code
	.venv/bin/ruff check --select I --fix .
	.venv/bin/ruff format .

.PHONY: format-check
format-check: ## Say which files are not formatted
	.venv/bin/ruff format --check --quiet .

.PHONY: migration
migration: ## Begin a migration: make migration name=add_webhooks
	@test -n "$(name)" || { echo 'say its name: make migration name=add_webhooks'; exit 2; }
	$(PYTHON) -m alembic revision --rev-id "$$(date -u +%Y_%m_%d_%H%M)" -m "$(name)"

.PHONY: browser
browser: ## Install what the tests in Node and Chromium need
	for lock in tests/*/package-lock.json; do npm ci --no-audit --no-fund --prefix "$$(dirname "$$lock")" || exit 1; done

.PHONY: constraints
constraints: ## Write constraints.txt from what a fresh installation gets
	rm -rf .venv-fresh && python3 -m venv .venv-fresh
	.venv-fresh/bin/pip install --quiet '.[test]'
	{ grep '^#' constraints.txt; .venv-fresh/bin/pip freeze --exclude gql-server; } > constraints.txt.new
	mv constraints.txt.new constraints.txt && rm -rf .venv-fresh
