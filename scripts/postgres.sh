#!/usr/bin/env bash
# A PostgreSQL for the tests, in a folder that goes with it.
#   postgres.sh find          the folder of its programs
#   postgres.sh with CMD...   runs CMD with TEST_POSTGRES_URL; a URL that is set already wins
#   postgres.sh up DIR PORT   starts the one in DIR, which is made if it is not there
#   postgres.sh down DIR      stops it as a crash would
#   postgres.sh limit DIR N   lets it write no more than N bytes of each file; "unlimited": as many as it likes
set -euo pipefail

find_programs() {
  for folder in "$(dirname "$(command -v initdb || echo /nonexistent/x)")" /usr/lib/postgresql/*/bin /usr/local/bin; do
    if [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ]; then echo "$folder"; return; fi
  done
  return 1
}

# PostgreSQL refuses to run as root: there it runs as the user postgres.
as_server() {
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

up() {
  local bin=$1 dir=$2 port=$3
  if [ ! -d "$dir/data" ]; then
    mkdir -p "$dir"
    if [ "$(id -u)" = 0 ]; then
      id postgres >/dev/null 2>&1 || useradd --system --no-create-home postgres
      chown postgres "$dir"
    fi
    (cd / && as_server "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >/dev/null)
  fi
  # A throw-away database need not survive a power cut, unless that is what is measured.
  (cd / && as_server "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/log" \
    -o "-p $port -k $dir -c listen_addresses=127.0.0.1 -c fsync=${POSTGRES_FSYNC:-off} -c max_connections=200" start >/dev/null) \
    || { cat "$dir/log" >&2; exit 1; }
}

down() { (cd / && as_server "$1/pg_ctl" -D "$2/data" -m immediate stop >/dev/null 2>&1); }

# Its user may limit what it runs; root may not everywhere.
limit() {
  local dir=$1 size=$2 first process
  first=$(head -n 1 "$dir/data/postmaster.pid")
  # Some end meanwhile.
  for process in "$first" $(cat "/proc/$first/task/$first/children"); do
    as_server prlimit --pid "$process" "--fsize=$size:" 2>/dev/null || true
  done
}

case "${1:-}" in
  find) find_programs ;;
  up) up "$(find_programs)" "$2" "$3" ;;
  down) down "$(find_programs)" "$2" ;;
  limit) limit "$2" "$3" ;;
  with)
    shift
    if [ -n "${TEST_POSTGRES_URL:-}" ]; then exec "$@"; fi
    bin=$(find_programs) || { echo "no PostgreSQL found; set TEST_POSTGRES_URL" >&2; exit 1; }
    dir=$(mktemp -d)
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null || echo $((20000 + RANDOM % 20000)))
    stop() { down "$bin" "$dir" || true; rm -rf "$dir"; }
    trap stop EXIT
    up "$bin" "$dir" "$port"
    TEST_POSTGRES_URL="postgres://postgres@127.0.0.1:$port/postgres" "$@"
    ;;
  *) echo "usage: postgres.sh find | with CMD... | up DIR PORT | down DIR | limit DIR N" >&2; exit 2 ;;
esac
