# `make run` and `make test` do all set-up themselves; everything else here is one part of them.
# `make help` lists the parts.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export PATH := $(CURDIR)/target/tools:$(CURDIR)/target/tools/node/bin:$(CURDIR)/target/tools/deny/bin:$(HOME)/.cargo/bin:$(PATH)

# `quick` is optimized but not linked as a whole: most of the speed in a fraction of the time.
# `make run PROFILE=release` builds what one would deploy.
PROFILE ?= quick
BINARY = target/$(PROFILE)/consign
LOADTEST = target/$(PROFILE)/loadtest
ARGS ?=

## run: set up, build, start `consign dev`: a Postgres of its own, demo data, a curl line to try
run:
	@scripts/need.sh run
	@cargo build --locked --quiet --profile $(PROFILE) -p api --bin consign
	@exec $(BINARY) dev $(ARGS)

## test: set up, then everything CI runs, with one summary at the end
test:
	@scripts/need.sh test
	@scripts/parts.sh fmt lint deny promtool unit sim it crash sdk chain fuzz

## fmt: formatting
fmt:
	@cargo fmt --all --check

## lint: clippy on all targets, warnings are errors
lint:
	@cargo clippy --locked --workspace --all-targets --features engine/simulation --keep-going --quiet -- -D warnings

## deny: licences, banned crates and sources of what we build on
deny:
	@if command -v cargo-deny >/dev/null; then \
	    cargo deny --locked --log-level error check bans licenses sources; \
	else echo 'deny: skipped, cargo-deny is not installed'; fi

## promtool: the alert and recording rules and their tests
promtool:
	@promtool check rules ops/prometheus/*.rules.yml
	@promtool test rules ops/prometheus/*.test.yml

# Always the whole workspace and then a choice of its targets: another set of packages would unite other
# features of what they share, and compile it again.
TEST = cargo test --locked --workspace
# The integration tests of a crate: tests/name.rs and tests/name/main.rs.
tests_of = $(foreach file,$(wildcard $(1)/tests/*.rs $(1)/tests/*/main.rs),--test=$(firstword $(subst /, ,$(patsubst %.rs,%,$(patsubst $(1)/tests/%,%,$(file))))))

## unit: what needs no database: the engine with its rule checks, and the inside of every crate
unit:
	@$(TEST) --lib --bins $(filter-out --test=sim,$(call tests_of,engine))

# The flag lets the simulation seed the runtime itself; a profile of its own keeps its builds apart.
SIM = RUSTFLAGS='--cfg tokio_unstable' cargo test --locked --quiet --profile sim -p engine --test sim --features
SEEDS ?= 2000
FROM ?= 1

## sim: the whole engine in a simulated world: SEEDS=100000 from FROM=1, or one SEED=7 with its trace
sim:
	@$(SIM) simulation -- --commit "$$(git rev-parse --short HEAD)" \
	    $(if $(SEED),--seed $(SEED),--from $(FROM) --seeds $(SEEDS)) $(ARGS)

## tidy: the rules of the tree alone: sizes, layers, names, documents; notes what outgrows its aim
tidy:
	@cargo test --locked --quiet -p engine --test tidy -- --nocapture

## it: storage, HTTP and command line on a real Postgres
it:
	@$(TEST) $(sort $(foreach crate,persistence api loadtest,$(call tests_of,$(crate))))

# With a test among its targets, a build has the features of `make unit`, and compiles nothing twice.
DEBUG_PROGRAMS = cargo build --locked --quiet --workspace --bins --test tidy

## crash: the real binary with a real Postgres, killed, cut, frozen, doubled and starved, then audited
crash:
	@$(DEBUG_PROGRAMS)
	@target/debug/loadtest crash $(addprefix --seed ,$(SEED)) $(addprefix --cycles ,$(CYCLES)) $(ARGS)

## sdk: the published npm client, unmodified, against a running server
sdk:
	@$(TEST) --quiet --test it --no-run
	@cd api/tests/sdk && npm ci --silent --no-audit --no-fund
	@CONSIGN_BINARY=$(CURDIR)/target/debug/consign node --test api/tests/sdk/*.test.js

# Not `npm ci`: Anvil has a package per platform, and npm locks only the one it runs on.
## chain: payments on a real chain of this machine, with a published token, against a running server
chain:
	@$(TEST) --quiet --test it --no-run
	@cd api/tests/chain && npm install --silent --no-save --no-audit --no-fund
	@CONSIGN_BINARY=$(CURDIR)/target/debug/consign node --test api/tests/chain/*.test.js

## sabotage: rules broken on purpose, one build each; the tests must notice (ARGS=name picks one)
sabotage:
	@scripts/sabotage.sh $(ARGS)

## fuzz: generated requests against a real server, held against api/openapi.json; CASES=500 SEED=1
fuzz:
	@$(DEBUG_PROGRAMS)
	@scripts/fuzz.sh

## openapi: writes api/openapi.json anew, from the types and the table of codes
openapi:
	@$(DEBUG_PROGRAMS)
	@target/debug/consign openapi >target/openapi.json
	@mv target/openapi.json api/openapi.json
	@sed "s/tries all [0-9]* operations/tries all $$(grep -c '"operationId"' api/openapi.json) operations/" \
	  docs/SECURITY.md >target/SECURITY.md
	@mv target/SECURITY.md docs/SECURITY.md

## bench: the criterion benches
bench:
	@cargo bench --locked -p benches $(ARGS)

## load: one load run against a server of its own, audited afterwards
load: programs
	@$(LOADTEST) load $(ARGS)

## compare: the engine and its peers by turns on the same Postgres settings; writes docs/performance
compare: PROFILE = release
compare: programs
	@$(LOADTEST) compare $(ARGS)

programs:
	@scripts/need.sh run
	@cargo build --locked --quiet --profile $(PROFILE) -p api -p loadtest --bins

help:
	@sed -n 's/^## //p' Makefile

.PHONY: run test fmt lint deny promtool unit tidy sim it crash sdk chain fuzz openapi sabotage bench load compare programs help
