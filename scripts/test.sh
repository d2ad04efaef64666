#!/usr/bin/env bash
# Everything that must hold: format, lints, Rust tests on both databases, the browser tests. Ends with the count.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh test
. scripts/env.sh
export CI="${CI:-}"
started=$SECONDS
log=$(mktemp)
trap 'rm -f "$log"' EXIT
step() { printf '\n== %s (at %s s)\n' "$1" $((SECONDS - started)); }

step "format"
cargo fmt --all -- --check
step "lints: server"
cargo clippy --locked --features ssr --all-targets -- -D warnings
step "lints: browser"
cargo clippy --locked --lib --features hydrate --target wasm32-unknown-unknown --target-dir target/front -- -D warnings
step "Rust tests on SQLite and PostgreSQL"
scripts/postgres.sh with cargo test --locked --features ssr 2>&1 | tee "$log"
step "release build"
scripts/build.sh
step "browser tests"
scripts/e2e.sh 2>&1 | tee -a "$log"

rust=$(sed -n 's/^test result: ok\. \([0-9]*\) passed.*/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
browser=$(sed -n 's/^ *\([0-9]*\) passed.*/\1/p' "$log" | tail -n 1)
step "done"
echo "Rust tests: $rust, browser tests: ${browser:-0}"
echo "$((rust + ${browser:-0})) passed, 0 failed"
