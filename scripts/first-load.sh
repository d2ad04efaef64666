#!/usr/bin/env bash
# Prints the bytes that the first page loads transfer, from a demo on a folder of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
data=$(mktemp -d)
target/release/reachwire demo --listen 127.0.0.1:3978 --crm 127.0.0.1:4978 --data "$data" >"$data/log" 2>&1 &
demo=$!
trap 'kill "$demo" 2>/dev/null || true; wait "$demo" 2>/dev/null || true; rm -rf "$data"' EXIT
for _ in $(seq 120); do
  grep -q 'Administrator' "$data/log" && break
  kill -0 "$demo" || { cat "$data/log" >&2; exit 1; }
  sleep 0.5
done
(cd end2end && node first-load.mjs http://127.0.0.1:3978)
