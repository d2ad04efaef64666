#!/usr/bin/env bash
# The browser tests against a release build: Playwright starts the server on a new data folder and a free port.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
: "${CHROMIUM:=$(command -v chromium || command -v google-chrome || true)}"
[ -n "$CHROMIUM" ] || { echo "no Chromium found; set CHROMIUM to its path" >&2; exit 1; }
export CHROMIUM
cd end2end
exec npx playwright test "$@"
