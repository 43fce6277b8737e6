# Every task of the house. `make` alone lists them.

MEMBERS := services/kit services/sector services/academy services/research services/reporting gateway deploy/local
BIN := .venv/bin
STAMP := .venv/.stamp
NODE_TOOLS := openapi/tools
NODE_STAMP := $(NODE_TOOLS)/node_modules/.package-lock.json
# openapi-generator with the Java that runs it: 65 MB that nothing but one test needs, so apart from the lock of the house.
GENERATOR := build/openapi-generator
GENERATOR_STAMP := $(GENERATOR)/.stamp
# Programs in .venv name its place: after a move it is made again.
PLACE := .venv/.place

.DEFAULT_GOAL := help
.NOTPARALLEL:

##@ Run

.PHONY: up
up: $(STAMP) ## Start everything; on first run install, migrate and load the demo trust
	@$(BIN)/trellis up

.PHONY: down
down: ## Stop everything; the state stays in .trellis/
	@if [ -x $(BIN)/trellis ]; then $(BIN)/trellis down; else echo "Nothing is installed, so nothing is running."; fi

##@ Check

.PHONY: test
test: $(STAMP) ## Run the whole test suite on its own database (ARGS= is given to pytest)
	@$(MAKE) --no-print-directory node-tools || echo "Node's contract tools can't be installed here: their tests are skipped."
	@$(MAKE) --no-print-directory generator || echo "openapi-generator can't be installed here: its test is skipped, and fails where CI is set."
	@$(MAKE) --no-print-directory browser || echo "Without a browser the tests that need one are skipped."
	@$(BIN)/python -m pytest -n 2 --dist worksteal tests $(ARGS)

.PHONY: check
check: format-check lint types imports contracts test ## Everything that a change must pass

.PHONY: format-check
format-check: $(STAMP) ## Is every file formatted?
	@$(BIN)/python -m ruff format --check .

.PHONY: lint
lint: $(STAMP) ## Lint with ruff
	@$(BIN)/python -m ruff check .

.PHONY: types
types: $(STAMP) ## Check the types with strict mypy
	@$(BIN)/python -m mypy

.PHONY: imports
imports: $(STAMP) ## Check who may import whom
	@$(BIN)/lint-imports

.PHONY: house
house: $(STAMP) ## Check the rules of the house (files, lock, members)
	@$(BIN)/python -m pytest -q tests/architecture/test_house.py

.PHONY: contracts
contracts: $(STAMP) $(NODE_STAMP) ## Are the committed contracts fresh, unbroken and clean?
	@$(BIN)/python -m trellis.contracts check
	@$(BIN)/python -m trellis.contracts lint

.PHONY: fuzz
fuzz: $(STAMP) ## Try to break every operation with generated requests, and rules with generated values
	@$(BIN)/python tests/contracts/fuzz.py $(ARGS)
	@TRELLIS_TEST_TRIES=10 $(BIN)/python -m pytest -n 2 --dist worksteal --timeout 3600 -m hypothesis tests

.PHONY: bench
bench: $(STAMP) ## Measure, side by side; writes build/bench.json
	@$(BIN)/python tests/load/bench.py $(ARGS)

.PHONY: coverage
coverage: $(STAMP) ## Run the tests and report what they don't reach
	@$(BIN)/python -m coverage run -m pytest tests $(ARGS)
	@$(BIN)/python -m coverage report

##@ Write

.PHONY: fmt
fmt: $(STAMP) ## Format and fix what can be fixed safely
	@$(BIN)/python -m ruff check --fix --exit-zero --quiet .
	@$(BIN)/python -m ruff format .

.PHONY: contract
contract: $(STAMP) ## Write openapi/ from the code
	@$(BIN)/python -m trellis.contracts generate

.PHONY: types-ts
types-ts: $(STAMP) $(NODE_STAMP) ## Write TypeScript types of the contracts to build/types/
	@$(BIN)/python -m trellis.contracts types

.PHONY: release-contract
release-contract: $(STAMP) ## Make the present contracts the released ones
	@$(BIN)/python -m trellis.contracts release

.PHONY: node-tools
node-tools: $(NODE_STAMP) ## Install the contract tools that run on the locked Node

.PHONY: generator
generator: $(GENERATOR_STAMP) ## Install openapi-generator, with its Java, from its own lock

$(GENERATOR_STAMP): $(STAMP) $(NODE_TOOLS)/generator.lock
	@rm -rf $(GENERATOR)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --target $(GENERATOR) --requirement $(NODE_TOOLS)/generator.lock
	@touch $@

.PHONY: browser
browser: ## Install the Chromium that tests of the portal use, unless there is one
	@sh deploy/local/browser.sh

# Node is for checks only; it comes from the locked wheel, its tools from their own lock.
$(NODE_STAMP): $(STAMP) $(NODE_TOOLS)/package-lock.json
	@cd $(NODE_TOOLS) && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --silent --no-update-notifier
	@touch $@

.PHONY: migration
migration: $(STAMP) ## New migration: make migration service=academy name="create visits"
	@test -n "$(service)" && test -n "$(name)" || { echo 'Say: make migration service=academy name="create visits"'; exit 2; }
	@$(BIN)/python -m trellis.migration "$(service)" "$(name)"

.PHONY: slice
slice: $(STAMP) ## New slice with tests and migration: make slice service=academy name=visits (one=visit)
	@test -n "$(service)" && test -n "$(name)" || { echo 'Say: make slice service=academy name=visits'; exit 2; }
	@$(BIN)/python -m trellis.scaffold "$(service)" "$(name)" $(one)
	@$(BIN)/python -m trellis.migration "$(service)" "create $(name)"
	@$(BIN)/python -m trellis.contracts generate
	@$(BIN)/python -m trellis.docs generate

.PHONY: docs
docs: $(STAMP) ## Write the generated pages of docs/ (access matrix, settings, errors)
	@$(BIN)/python -m trellis.docs generate

.PHONY: changelog
changelog: $(STAMP) ## Gather changes/ into CHANGELOG.md: make changelog version=0.2.0
	@test -n "$(version)" || { echo 'Say: make changelog version=0.2.0'; exit 2; }
	@$(BIN)/python -m towncrier build --yes --version "$(version)"

##@ Install

.PHONY: install
install: $(STAMP) ## Make .venv from the lock, with every member in it
	@:

ifneq ($(shell test -x $(BIN)/python && cat $(PLACE) 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif
$(STAMP): requirements.lock deploy/local/install.sh $(MEMBERS:%=%/pyproject.toml)
	@echo "Installing into .venv ..."
	@sh deploy/local/install.sh $(MEMBERS)
	@pwd -P >$(PLACE)
	@touch $@

.PHONY: lock
lock: ## Write requirements.lock after a change of dependencies (UPGRADE=all or UPGRADE=NAME)
	@sh deploy/local/lock.sh $(MEMBERS)

.PHONY: lock-generator
lock-generator: $(STAMP) ## Write the lock of openapi-generator
	@$(BIN)/uv pip compile $(NODE_TOOLS)/generator.in --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --quiet --output-file $(NODE_TOOLS)/generator.lock

.PHONY: hooks
hooks: $(STAMP) ## Check each commit before it is made
	@$(BIN)/python -m pre_commit install

.PHONY: clean
clean: ## Remove caches and build/ (.venv and .trellis stay)
	@rm -rf build .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage

.PHONY: help
help: ## This list
	@awk 'BEGIN { FS = ":.*## "; print "make TARGET" } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
