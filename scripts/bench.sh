#!/usr/bin/env bash
# Prints figures; asserts nothing. Both databases, the simulator in a process of its own, loopback only.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
export POSTGRES_FSYNC=on
scripts/postgres.sh with sh -c 'target/release/reachwire bench --database "$TEST_POSTGRES_URL"'
target/release/reachwire bench fairness
for what in launch receipts full; do
  target/release/reachwire bench "$what"
  scripts/postgres.sh with sh -c "target/release/reachwire bench $what --database \"\$TEST_POSTGRES_URL\""
done
scripts/postgres.sh with target/release/reachwire bench nodes
scripts/first-load.sh
