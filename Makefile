# The commands. Each sets up what is missing; run again, it only looks.
SHELL := /bin/bash
.PHONY: run test build dev e2e bench fmt package setup
.DEFAULT_GOAL := build

run: build
	@. scripts/env.sh && target/release/reachwire demo

build:
	@scripts/build.sh

dev: setup
	@. scripts/env.sh && cargo leptos watch --split -- serve

test:
	@scripts/test.sh

e2e: build
	@scripts/setup.sh test
	@scripts/e2e.sh

bench: build
	@scripts/setup.sh test
	@scripts/bench.sh

fmt: setup
	@. scripts/env.sh && cargo fmt

package: build
	@scripts/package.sh

setup:
	@scripts/setup.sh build
