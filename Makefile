# The two commands of the README are `make figures` and `make test`; the environment is .venv.
CORES ?= all
PYTHON ?= python3
BIN := .venv/bin
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES)
ENVIRONMENT := .venv/.installed
TESTING := .venv/.installed-test

# The tests of the studies and of what one quick run of everything has made, and those of the
# library, which run no pipeline; the others are the workflow's.
PIPELINE := $(addprefix tests/,ledger studies test_kernels.py test_workflow.py)
LIBRARY := $(addprefix tests/,du2018 zhong2017 ergen2021 allenzhu2019 together images test_descent.py \
  test_search.py test_shallow.py test_stats.py test_files.py test_packages.py)

.PHONY: figures quick test test-library test-pipeline test-workflow browser lint pins schema docs graph evidence redraw kernels bench clean help
EVIDENCE ?= results/evidence.zip

figures: $(ENVIRONMENT)  ## every figure, table and verdict at the standard scale
	$(SNAKEMAKE)

quick: $(ENVIRONMENT)  ## every rule on little data, under results/quick
	$(SNAKEMAKE) --configfile config/quick.yaml

# One thread each: they share the cores, and with more the many small products only wait.
test test-library test-pipeline test-workflow: export OMP_NUM_THREADS = 1

# The longest first: what comes last takes the core that is free.
test: $(TESTING)  ## the test suite, two parts at a time
	@$(MAKE) --no-print-directory --jobs 2 --keep-going test-pipeline test-library test-workflow

test-pipeline: $(TESTING)
	$(BIN)/python -m pytest --durations 15 $(PIPELINE)

# What these say is shown when they are done, so that it does not mix.
test-library: $(TESTING)
	@$(BIN)/python -m pytest --durations 15 $(LIBRARY) > .$@.log 2>&1; \
	  code=$$?; cat .$@.log; exit $$code

test-workflow: $(TESTING)
	@$(BIN)/python -m pytest --durations 15 tests $(addprefix --ignore ,$(LIBRARY) $(PIPELINE)) \
	  > .$@.log 2>&1; code=$$?; cat .$@.log; exit $$code

browser: $(TESTING)  ## docs/ledger in a real browser: filters, keyboard, widths, what axe-core finds
	$(BIN)/python -m pip install --quiet --no-deps --requirement tests/ledger/requirements.txt
	$(BIN)/python -m pytest tests/ledger/test_browser.py

lint: $(TESTING)  ## ruff, snakefmt, mypy and Snakemake's own linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	$(BIN)/snakemake --lint

pins: $(TESTING)  ## requirements*.lock and docs/licences.md, after a change of requirements*.txt
	$(BIN)/python -m pip install --quiet uv==0.13.9 pip-licenses==5.5.5
	for name in requirements requirements-test; do grep -v '^torch==' $$name.txt | \
	  $(BIN)/uv pip compile - --output-file $$name.lock --no-deps --generate-hashes --universal \
	  --python-version 3.11 --no-annotate --quiet --custom-compile-command "make pins"; done
	(printf '# Licences of what is installed\n\nAs the packages themselves say; `make pins` writes it.\n\n'; \
	  $(BIN)/pip-licenses --with-system --from=mixed --format=markdown \
	  --packages $$(cat requirements.txt requirements-test.txt | sed -n 's/==.*//p')) > docs/licences.md

schema: $(ENVIRONMENT)  ## the configuration's schema and documentation, from the steps' options
	$(BIN)/python -m workflow.schemas.make_schema

docs: $(TESTING) graph  ## ledger, claims and pages of the last standard run; the library's reference; examine.md
	PYTHONPATH=. $(BIN)/python docs/make_docs.py
	$(BIN)/python -m pip install --quiet --no-deps --requirement docs/requirements.txt
	$(BIN)/python docs/make_library.py
	PYTHONPATH=src $(BIN)/python docs/make_examine.py

graph: $(ENVIRONMENT)  ## docs/graph: the method of each paper as a picture
	PYTHONPATH=. $(BIN)/python docs/make_graph.py

evidence: $(ENVIRONMENT)  ## results/evidence.zip: the tables behind all figures and verdicts, with checksums
	$(SNAKEMAKE) evidence

redraw: $(ENVIRONMENT)  ## figures and verdicts again from EVIDENCE=..., without computing
	PYTHONPATH=. $(BIN)/python -m workflow.redraw $(EVIDENCE) --cores $(CORES)

kernels: $(ENVIRONMENT)  ## the standard run under other BLAS kernels: no verdict may change
	PYTHONPATH=. $(BIN)/python -m workflow.kernels --cores $(CORES) $(KERNELS)

bench: $(TESTING)  ## the library beside its peers, one thread: docs/benchmarks.md
	$(BIN)/python -m pip install --quiet --no-deps --requirement benchmarks/requirements.txt
	$(BIN)/python benchmarks/run.py

clean:  ## remove results and figures, keep the environment
	rm -rf results .snakemake figures/*/*.svg figures/*/*.pdf figures/*/*.csv

help:
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

# Built once, and again when the pins change. Each file must have the hash in the lock; torch has
# none there, for it is built for every kind of accelerator.
$(ENVIRONMENT): requirements.txt requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v < (3, 14) else \
	  f"Python {v.major}.{v.minor} found, 3.11 to 3.13 needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Beside it, what only tests need.
$(TESTING): requirements-test.lock $(ENVIRONMENT)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --requirement requirements-test.lock
	@touch $@
