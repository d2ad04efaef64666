#!/usr/bin/env bash
# The release build: the browser's half split by page and compressed, and the server.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh build
. scripts/env.sh
cargo leptos build --release --precompress --split --cargo-locked
