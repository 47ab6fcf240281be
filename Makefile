# The common tasks of this project; `make` lists them.

SWIFT ?= swift
ARGS ?=
PREFIX ?= /usr/local
# Debian packages that a target needs besides the libraries.
package: ALSO = dpkg-dev
test tsan: ALSO = python3 openssl parallel bzip2 xz-utils zstd
# With the Swift runtime linked in, the command runs on machines without Swift, starts sooner and is a little faster.
BUILD = $(SWIFT) build -c release --static-swift-stdlib
RELEASE = $(shell $(BUILD) --show-bin-path)
FORMATTED = Package.swift Sources Tests $(wildcard Benchmarks Examples)

# The stress tests of the pool use every core; tests of child processes and servers have time limits of seconds; tests that
# wait for whole runs of the command block the threads that others need. In processes of their own, none slows down others.
POOL_TESTS = ^WorkerPoolsTests\.
TIMED_TESTS = ^(SluiceTests\.|SluiceRecordsTests\.(Exec|Child|HTTP)|CommandTests\.HTTP)
KILLING_TESTS = ^CommandTests\.(Resume|Kill|Interrupt)
# Apart from those that hold a thousand descriptors at a time: Foundation's Process can crash while it lists so many.
COMMAND_TESTS = ^CommandTests\.
define run-tests
$(SWIFT) test --skip-build $(1) --filter '$(POOL_TESTS)'
	$(SWIFT) test --skip-build $(1) --filter '$(TIMED_TESTS)'
	$(SWIFT) test --skip-build $(1) --filter '$(KILLING_TESTS)'
	$(SWIFT) test --skip-build $(1) --filter '$(COMMAND_TESTS)' --skip '$(TIMED_TESTS)' --skip '$(KILLING_TESTS)'
	$(SWIFT) test --skip-build $(1) --skip '$(POOL_TESTS)' --skip '$(TIMED_TESTS)' --skip '$(COMMAND_TESTS)'
endef

.PHONY: help setup build run install package test trouble test-spark spark-cluster fuzz compare-damaged test-install check docs validate-schema check-jobs check-csv-suites check-log-suites check-exchange check-servers lint format tsan cel-conformance bench bench-compare bench-pool bench-cel bench-formats clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

setup: ## install missing C libraries (Debian, Ubuntu)
	@scripts/setup $(ALSO)

build: setup ## build the command in release mode: .build/release/sluice
	$(BUILD) --product sluice

run: build ## run the example pipeline over sampledata/ and show its output
	@scripts/run-example $(RELEASE)/sluice

install: build ## install the command, its completions and its manual page under PREFIX=/usr/local
	@scripts/install $(RELEASE)/sluice "$(DESTDIR)$(PREFIX)"

package: build ## make a Debian package: .build/sluice-pipelines_VERSION_ARCHITECTURE.deb
	@scripts/package $(RELEASE)/sluice .build

test: setup ## build everything and run all tests
	$(SWIFT) build --build-tests
	$(call run-tests)

# Tests of memory have a time limit, so they do not wait for the others.
trouble: build ## kill runs, or let them fail, at every system call that changes a file, and rerun them; takes minutes
	$(SWIFT) build --build-tests
	for tests in MemoryTests 'Resume|DividedPipelinesTests'; do \
	    SLUICE_TROUBLE=1 SLUICE_UNDER_TEST=$(abspath $(RELEASE)/sluice) $(SWIFT) test --skip-build --filter "^CommandTests\.($$tests)" || exit 1; \
	done

test-spark: build ## run plans on a Spark cluster on this machine, and get in its way; installs pyspark in .build; ARGS='--pyspark 3.5.9'
	Tests/Spark/test-spark --sluice $(RELEASE)/sluice $(ARGS)

spark-cluster: build ## bring up that cluster, to try 'sluice run --on'
	Tests/Spark/test-spark --sluice $(RELEASE)/sluice --cluster $(ARGS)

fuzz: setup ## run the fuzzers of Tests/Fuzz for a minute each; ARGS='--seconds 600 input' for others
	@scripts/fuzz $(ARGS)

compare-damaged: build ## give damaged gzip files to sluice and to other programs, and print a table
	@Benchmarks/Damage/compare.py --sluice $(RELEASE)/sluice $(ARGS)

test-install: ## follow README.md on a clean Debian, and install the package on another; run manually, as root
	@Tests/Install/test-install $(ARGS)

check: lint test ## lint, then test

docs: setup ## update the tables of docs/pipeline-file.md from the declarations of verbs, formats, sources and sinks
	$(SWIFT) build --build-tests
	SLUICE_WRITE_EXPECTED=1 $(SWIFT) test --skip-build --filter '^SluiceDefinitionTests\.ReferenceTests'

validate-schema: build ## validate pipeline files against `sluice schema` with Python's jsonschema; ARGS=FILE for others
	@scripts/validate-schema --sluice $(RELEASE)/sluice $(ARGS)

check-jobs: build ## compare the answers of pipelines/ with awk, Miller, jq and DuckDB; ARGS='--data FOLDER' for real archives
	@scripts/check-jobs --sluice $(RELEASE)/sluice $(ARGS)

check-csv-suites: build ## read csv-spectrum and csv-test-data; ARGS='--folder FOLDER' for their location
	@scripts/check-csv-suites --sluice $(RELEASE)/sluice $(ARGS)

check-log-suites: build ## read the cases of kr/logfmt, go-logfmt and go-syslog; ARGS='--folder FOLDER' for their location
	@scripts/check-log-suites --sluice $(RELEASE)/sluice $(ARGS)

check-exchange: build ## exchange difficult values with other programs, and print a table; PYTHON=FILE for one with duckdb, polars …
	@$(or $(PYTHON),python3) scripts/check-exchange --sluice $(RELEASE)/sluice $(ARGS)

check-servers: build ## run web servers, loggers and syslog daemons, and read their logs; ARGS='--python FILE --unpacked FOLDER'
	@scripts/check-servers --sluice $(RELEASE)/sluice $(ARGS)

lint: ## report where the sources are not formatted, and comments of more than 100 columns
	$(SWIFT) format lint --strict --parallel --recursive $(FORMATTED)
	@git grep -nP '^(?=\s*//)(?!\s*/// \|).{101,}' -- '*.swift' '*.c' '*.h'; \
	case $$? in 0) echo 'wrap these comments at 100 columns' >&2; exit 1;; 1) ;; *) exit 1;; esac

format: ## format the sources
	$(SWIFT) format --in-place --parallel --recursive $(FORMATTED)

TSAN := --sanitize=thread --scratch-path .build-tsan -Xswiftc -DSLUICE_TSAN

tsan: export TSAN_OPTIONS = suppressions=$(CURDIR)/scripts/tsan-suppressions.txt
tsan: setup ## run all tests under the Thread Sanitizer
	$(SWIFT) build --build-tests $(TSAN)
	$(call run-tests,$(TSAN))

# The build writes to standard error here, so that standard output has only the program's output.
cel-conformance: setup ## run the CEL conformance cases; SLUICE_CEL_CASES=FILE for others
	@$(BUILD) --product cel-conformance >&2
	@$(RELEASE)/cel-conformance $(ARGS)

bench: build ## run whole jobs with Sluice and with the rivals of scripts/get-rivals: ARGS='--jobs j1,j4 --runs 3 --scale 0.1'
	@Benchmarks/Archives/bench --sluice $(RELEASE)/sluice $(ARGS)

bench-compare: $(if $(BASE),build) ## run whole jobs with this build and with another commit's, in turn: BASE=main~20 ARGS='--jobs j1'
	@test -n "$(BASE)" || { echo "bench-compare: which commit? make bench-compare BASE=main~20" >&2; exit 1; }
	@base=$$(SWIFT="$(SWIFT)" scripts/build-commit "$(BASE)") && \
		Benchmarks/Archives/bench --sluice $(RELEASE)/sluice --base "$$base" --rivals none $(ARGS)

bench-pool: setup ## measure the worker pool: ARGS='--body sleep --jobs 1000000 --concurrency 10000'
	@$(BUILD) --product bench-pool >&2
	@$(RELEASE)/bench-pool $(ARGS)

bench-cel: setup ## measure expressions over records
	@$(BUILD) --product bench-cel >&2
	@$(RELEASE)/bench-cel $(ARGS)

bench-formats: setup ## measure the decoders
	@$(BUILD) --product bench-formats >&2
	@$(RELEASE)/bench-formats $(ARGS)

clean: ## remove build products and the example's output
	rm -rf .build .build-tsan .sluice out
