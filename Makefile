# Needs Python 3.11 to 3.13 and make; everything else comes from the package index by lock file.
PYTHON ?= python3
ARGS ?=
RUN := .venv/bin/

.DEFAULT_GOAL := help
.PHONY: help up demo test rules nightly check format bench faults soak hosts rabbitmq simulate mutants recovery hostile sbom screenshots upgrade deploying watching image lock clean

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

.venv/ready: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else "Bianmin needs Python 3.11 to 3.13; this is %d.%d: run make PYTHON=python3.12 …" % v)'
	@$(PYTHON) -m venv --clear .venv
	@echo "installing what requirements-dev.lock pins …"
	@$(RUN)python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	@$(RUN)python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

up: .venv/ready ## start for use (an empty company) at the first free port from 8000 on
	@exec $(RUN)bianmin up $(ARGS)

demo: .venv/ready ## live a month in a simulation, audit it, begin the morning after, stay up; ARGS=--exit ends there
	@exec $(RUN)bianmin demo $(ARGS)

test: .venv/ready ## run the whole suite on engines of its own
	@$(RUN)python -m pytest $(ARGS)

rules: .venv/ready ## the tests of the rules alone: no engine, seconds
	@$(RUN)python -m pytest -q -m pure tests/services $(ARGS)

nightly: .venv/ready ## 100,000 cases, and books of 100,000 entries, wherever a test asks how many
	@BIANMIN_CASES=$${BIANMIN_CASES:-100000} $(RUN)python -m pytest $$(grep -rl "^from tests.cases import" tests) $(ARGS)

check: .venv/ready ## format, lint, import contracts; then types and the tests, in three parts at the same time
	$(RUN)ruff format --check .
	$(RUN)ruff check .
	$(RUN)lint-imports
	$(RUN)python -m tests.parts $(ARGS)

format: .venv/ready ## format and mend what can be mended
	$(RUN)ruff format .
	$(RUN)ruff check --fix .

simulate: .venv/ready ## play a thousand seeds of the simulation, twenty of them twice; ARGS=SEED plays and prints one
	@$(RUN)python -m tests.simulation $(or $(ARGS),--seeds 1000 --twice 20)

mutants: .venv/ready ## take the guards of the bus and the money away one at a time: a test must notice each
	@$(RUN)python -m tests.mutants $(ARGS)

bench: .venv/ready ## measure: the month, messages, deadlines, memory, cold start, backlog, a receipt, an order
	@$(RUN)python -m tests.bench $(ARGS)

faults: .venv/ready ## break everything under traffic, all cases; ARGS="--seeds 5 --orders 300"; writes the table of docs/reliability.md
	@rm -f results/faults.json
	@$(RUN)python -m pytest tests/faults $(or $(ARGS),--seeds 1)
	@$(RUN)python -m tests.faults.table

soak: .venv/ready ## an hour of orders at half of what it can do, with something broken each minute
	@$(RUN)python -m pytest -s tests/faults/soak.py $(ARGS)

hosts: .venv/ready ## three hosts of network namespaces: each application host is cut off, and loses its power (root)
	@$(RUN)python -m pytest tests/faults/test_hosts.py --seeds 1 $(or $(ARGS),--orders 20)

rabbitmq: .venv/ready ## RabbitMQ instead of Redis: killed under traffic, poisoned, each account held to its queue
	@$(RUN)python -m pytest tests/faults/test_rabbitmq.py --seeds 1 $(or $(ARGS),--orders 20)

recovery: .venv/ready ## every recovery drill, the data directory destroyed under load ten times over
	@RECOVERY_ROUNDS=10 $(RUN)python -m pytest tests/recovery $(ARGS)

upgrade: .venv/ready ## the first version serves a month while today's migrations run beneath it, and hands over
	@$(RUN)python -m pytest tests/upgrades/live.py -s $(ARGS)

deploying: .venv/ready ## as root: run docker-compose.yml without an engine, every process in namespaces as a container has them
	@$(RUN)python -m pytest tests/deploying/whole.py $(ARGS)

watching: .venv/ready ## half an hour of orders without an alert, then each alert by a real fault, at the real Alertmanager
	@WATCHING_FAULTS=all WATCHING_MINUTES=$${WATCHING_MINUTES:-30} $(RUN)python -m pytest tests/watching $(ARGS)

image: ## as root, on Debian: build the image without an engine, and try it as a container runs it
	@$(PYTHON) -m tests.deploying.image

screenshots: .venv/ready ## pictures of the screens in both languages, into docs/screens, of a month that is lived for it
	@$(RUN)python -m tests.screenshots $(ARGS)

sbom: .venv/ready ## write the bill of materials, results/sbom.json: every package the product runs with (CycloneDX)
	@$(RUN)python -m tests.architecture.sbom

hostile: .venv/ready ## 20,000 generated requests, lawful and unlawful, and chains of them, against every operation
	@rm -f results/hostile.txt
	@BIANMIN_CASES=$${BIANMIN_CASES:-100} $(RUN)python -m pytest tests/security/test_schema_attack.py $(ARGS); \
		status=$$?; cat results/hostile.txt; exit $$status

lock: .venv/ready ## pin the newest allowed packages anew, with hashes, for every supported Python and platform
	@$(RUN)python -m pip install --quiet uv
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(RUN)uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 pyproject.toml -o requirements.lock
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(RUN)uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 pyproject.toml --extra tracing -c requirements.lock -o requirements-tracing.lock
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(RUN)uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 pyproject.toml --extra tracing --group dev -c requirements.lock -o requirements-dev.lock
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(RUN)uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --group build -c requirements-dev.lock -o deploy/build.lock

clean: ## remove the environment, the data and the caches
	rm -rf .venv .data results .mypy_cache .ruff_cache .pytest_cache .hypothesis
