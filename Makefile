# The portal's commands. `make demo` and `make test` need Python 3.11 or later and make.

PYTHON ?= python3
ATTACK_SECONDS ?= 600
PORT ?= 8000
RUN = .venv/bin/python
PYTEST = $(RUN) -m pytest -q

.PHONY: help demo demo-reset test test-slow test-install lint bench attack fuzz load lighthouse bootstrap translations screenshots guide clean

help:
	@echo "make demo         una utility di prova su http://127.0.0.1:$(PORT) (altra porta: make demo PORT=8010)"
	@echo "make demo-reset   cancella i dati di prova"
	@echo "make test         tutte le verifiche, browser e PostgreSQL compresi"
	@echo "make test-slow    le prove lunghe, di guasto e di dati ostili"
	@echo "make lint         solo lo stile del codice"
	@echo "make bench        la tabella delle velocità"
	@echo "make attack       strumenti altrui contro una dimostrazione (ATTACK_SECONDS=600)"
	@echo "make fuzz         dati ostili a ogni lettore e a ogni modulo (FUZZ_SECONDS=600 ciascuno)"
	@echo "make load         duecento clienti insieme (LOAD_SECONDS=900)"
	@echo "make lighthouse   il voto di Lighthouse alle pagine, sul telefono (rapporti in lighthouse-data)"
	@echo "make bootstrap    rifà static/bootstrap.css, quando una pagina usa una classe in più di Bootstrap"
	@echo "make test-install fa ciò che dice docs/installazione.md, in un Debian vuoto (da root)"
	@echo "make translations porta i cataloghi delle lingue ai testi di oggi (docs/lingue.md)"
	@echo "make screenshots  rifà le figure di README.md e della guida"
	@echo "make guide        la guida per i clienti e per lo sportello, in PDF (guida/)"

# -- The environment: installed again only when the lists change --------------------------

.venv/bin/pip:
	@$(PYTHON) deploy/make_venv.py

.venv/.installed: requirements.txt | .venv/bin/pip
	@echo "Installazione delle librerie in .venv …"
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.installed-dev: requirements.txt requirements-dev.txt | .venv/bin/pip
	@echo "Installazione delle librerie e degli strumenti di prova in .venv …"
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch .venv/.installed $@

# Checkers that come from npm, where there is npm; what needs them says so where there is not.
tests/npm/.installed: tests/npm/package-lock.json
	@if command -v npm >/dev/null; then \
	  npm ci --prefix tests/npm --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null; \
	  touch $@; \
	fi

# Bootstrap's style without what no page uses: again after a page takes up another of its classes.
bootstrap: tests/npm/.installed
	@node tests/npm/bootstrap.mjs > static/bootstrap.css.new && mv static/bootstrap.css.new static/bootstrap.css

# -- The demo -------------------------------------------------------------------------------

demo: .venv/.installed
	@$(RUN) -m jobs.demo --port $(PORT)

demo-reset:
	@rm -rf demo-data
	@echo "I dati di prova sono stati cancellati: «make demo» li prepara di nuovo."

# -- Checks ---------------------------------------------------------------------------------

lint: .venv/.installed-dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

test: lint
	$(PYTEST) -n 3
	TEST_DATABASE=postgresql $(PYTEST) -n 3 -m "not slow and not browser and not processes"

test-slow: .venv/.installed-dev tests/npm/.installed
	$(PYTEST) -n 3 -m slow
	TEST_DATABASE=postgresql $(PYTEST) -n 3 -m "slow and everywhere or processes and not slow"

test-install: .venv/.installed-dev
	$(RUN) -m tests.install

bench: .venv/.installed-dev
	$(RUN) -m tests.bench

attack: .venv/.installed-dev
	$(RUN) -m tests.attack --seconds $(ATTACK_SECONDS)

.venv/.installed-fuzz: .venv/.installed-dev tests/fuzz/requirements.txt
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r tests/fuzz/requirements.txt
	@touch $@

fuzz: .venv/.installed-fuzz
	$(RUN) -m tests.fuzz

# Locust brings a web server and gevent along: it has an environment of its own.
load-data/venv/.installed: tests/load/requirements.txt | .venv/.installed-dev
	@$(PYTHON) -m venv --without-pip load-data/venv
	@$(RUN) -m pip --python load-data/venv/bin/python install --quiet \
	    --disable-pip-version-check -r $<
	@touch $@

load: load-data/venv/.installed
	$(RUN) -m tests.load

tests/lighthouse/.installed: tests/lighthouse/package-lock.json
	@npm ci --prefix tests/lighthouse --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

lighthouse: .venv/.installed-dev tests/lighthouse/.installed
	$(RUN) -m tests.lighthouse

translations: .venv/.installed-dev
	@$(RUN) -m tests.catalogues

screenshots: .venv/.installed-dev
	$(RUN) -m tests.browser.screenshots
	$(RUN) -m tests.guide.pictures

guide: .venv/.installed-dev
	@$(RUN) -m tests.guide

clean:
	rm -rf .venv .pytest_cache .ruff_cache tests/*/node_modules tests/*/.installed
