#!/usr/bin/env bash
# Imports a CSV file of customers with ONEID, orders and spend, sends one task to all of them through the browser, and
# reconciles page, database and the simulator's manifest. Loopback only; ends by itself.
#   whole-file.sh ../shared/data/cdnow_customers.csv
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
file=$1
data=$(mktemp -d)
export REACHWIRE_ENGINE__ALLOW_NETWORKS='["127.0.0.1/32"]' RUST_LOG=warn
bin=target/release/reachwire
echo reachwire-demo | $bin user add admin@example.com --data "$data" 2>/dev/null
/usr/bin/env time -f 'import: %e s, %M kB at most' $bin import customers "$file" --data "$data" 2>&1 || $bin import customers "$file" --data "$data"
$bin crm --listen 127.0.0.1:4979 --key k --manifest "$data/manifest" --receipts-to http://127.0.0.1:3979/restapi/marketing2/webhook/receiveWebHookCallBack --receipt-status 200=1 >"$data/crm.log" 2>&1 &
crm=$!
$bin serve --listen 127.0.0.1:3979 --data "$data" >"$data/serve.log" 2>&1 &
serve=$!
trap 'kill "$serve" "$crm" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$data"' EXIT
for _ in $(seq 60); do curl -fs http://127.0.0.1:3979/readyz >/dev/null && break; sleep 0.25; done
(cd end2end && node whole-file.mjs http://127.0.0.1:3979 http://127.0.0.1:4979/hook k)
grep VmHWM "/proc/$serve/status" | sed 's/^/server /'
kill "$serve" "$crm"; wait 2>/dev/null || true
python3 - "$data" <<'PY'
import json, sqlite3, sys
data = sys.argv[1]
rows = [json.loads(line) for line in open(f"{data}/manifest")]
print("manifest:", len(rows), "rows,", len({r["actionId"] for r in rows}), "distinct actions in",
      len({r["batchId"] for r in rows}), "batches; rows without a valid signature:",
      sum(1 for r in rows if not r["signature"]))
db = sqlite3.connect(f"{data}/reachwire.db")
print("database:", dict(zip(("planned", "accepted", "failed", "skipped", "unknown", "batches"),
      db.execute("select planned, accepted, failed, skipped, unknown, batches from sends").fetchone())),
      "receipts:", db.execute("select status, users from receipt_counts").fetchall())
print("audience spend > 200:", db.execute("select size from audiences where name = 'Spend > 200'").fetchone()[0])
PY
