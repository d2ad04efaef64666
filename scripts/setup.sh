#!/usr/bin/env bash
# Brings what building (and, with "test", testing) Reachwire needs. Run again it only looks.
# The ordinary way first (rustup, cargo install, npm); on a Debian machine without rustup's
# downloads, Debian's own compiler with a wasm standard library built from its sources.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh

want="${1:-build}"
CARGO_LEPTOS=0.3.11
WASM_BINDGEN=$(sed -n 's/^wasm-bindgen = { version = "=\([^"]*\)".*/\1/p' Cargo.toml)
BINARYEN=132.0.0

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else die "need root (or sudo) for: $*"; fi; }
apt_updated=
apt_install() {
  command -v apt-get >/dev/null || return 1
  [ -n "$apt_updated" ] || { as_root apt-get update -qq || true; apt_updated=1; }
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

command -v cc >/dev/null || apt_install gcc libc6-dev || die "missing: a C compiler (package gcc)"

# --- the compiler, with a standard library for wasm32-unknown-unknown
build_wasm_std() {
  local dir; dir=$(mktemp -d)
  mkdir "$dir/src"; : > "$dir/src/lib.rs"
  printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n' > "$dir/Cargo.toml"
  (cd "$dir" && RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc /usr/bin/cargo build --quiet --release \
    -Zbuild-std=std,panic_abort --target wasm32-unknown-unknown)
  local to; to="$(/usr/bin/rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib"
  as_root mkdir -p "$to"
  rm -f "$dir"/target/wasm32-unknown-unknown/release/deps/libempty-*
  as_root cp "$dir"/target/wasm32-unknown-unknown/release/deps/*.rlib "$to/"
  rm -rf "$dir"
}
debian_rust() {
  say "installing Debian's compiler (rustc-web)"
  apt_install rustc-web cargo-web rust-web-src rust-web-llvm || return 1
  local lld; lld=$(readlink -f /usr/bin/rust-lld || true)
  if [ ! -x "${lld:-/nonexistent}" ]; then
    apt_install "$(readlink /usr/bin/rust-lld | sed -n 's/.*\(lld-[0-9]*\)$/\1/p')" || return 1
  fi
  if ! has_wasm_std /usr/bin/rustc; then say "building the wasm standard library (half a minute)"; build_wasm_std; fi
}
if ! usable_rustc rustc; then
  if command -v rustup >/dev/null && version_at_least "$(rustc_version rustc || echo 0)" "$RUST_MIN"; then
    rustup target add wasm32-unknown-unknown >/dev/null 2>&1 || true
  fi
  usable_rustc rustc || debian_rust || true
  . scripts/env.sh
  usable_rustc rustc || die "missing: rustc $RUST_MIN or newer with the target wasm32-unknown-unknown.
       With rustup: rustup update stable && rustup target add wasm32-unknown-unknown
       On Debian:   apt-get install rustc-web cargo-web rust-web-src rust-web-llvm, then run this again"
fi
say "rustc $(rustc_version rustc)"

# --- cargo's tools: the version that we build with, built fast rather than small
cargo_tool() { # name version opt-level
  local name=$1 version=$2 opt=$3 bin=${4:-$1}
  if "$bin" --version 2>/dev/null | grep -qF "$version"; then return; fi
  say "installing $name $version (some minutes)"
  CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=$opt CARGO_PROFILE_RELEASE_CODEGEN_UNITS=256 \
    CARGO_TARGET_DIR="$TOOLS/target" cargo install --quiet --locked --force "$name" --version "$version" \
    || die "missing: $name $version (cargo install $name --version $version --locked)"
}
cargo_tool wasm-bindgen-cli "$WASM_BINDGEN" 1 wasm-bindgen
cargo_tool cargo-leptos "$CARGO_LEPTOS" 0
rm -rf "$TOOLS/target"

# --- wasm-opt: a current one; a distribution's is often too old to read today's wasm
command -v npm >/dev/null || apt_install nodejs npm || die "missing: npm (package npm), for wasm-opt and the browser tests"
if [ ! -x "$TOOLS/node_modules/.bin/wasm-opt" ]; then
  say "installing wasm-opt"
  mkdir -p "$TOOLS"
  npm install --silent --no-audit --no-fund --prefix "$TOOLS" "binaryen@$BINARYEN" || die "missing: wasm-opt (npm install binaryen)"
fi

# --- for the tests: formatter, linter, a PostgreSQL, a browser, Playwright
if [ "$want" = test ]; then
  cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt >/dev/null 2>&1 || apt_install rustfmt \
    || die "missing: rustfmt"
  # The linter must be the compiler's own: rustup's does not fit Debian's rustc.
  if [ "$(command -v rustc)" = /usr/bin/rustc ]; then
    [ -x /usr/bin/cargo-clippy ] || apt_install rust-web-clippy || die "missing: clippy (package rust-web-clippy)"
  elif ! cargo clippy --version >/dev/null 2>&1; then
    rustup component add clippy >/dev/null 2>&1 || die "missing: clippy (rustup component add clippy)"
  fi
  if [ -z "${TEST_POSTGRES_URL:-}" ] && ! scripts/postgres.sh find >/dev/null; then
    say "installing PostgreSQL"; apt_install postgresql || die "missing: PostgreSQL (or set TEST_POSTGRES_URL)"
  fi
  if [ -z "${CHROMIUM:-}" ] && ! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null; then
    say "installing Chromium"; apt_install chromium fonts-noto-cjk || die "missing: chromium (or set CHROMIUM to its path)"
  fi
  if [ ! -d end2end/node_modules/@playwright ] || [ end2end/package-lock.json -nt end2end/node_modules/.package-lock.json ]; then
    say "installing Playwright"
    (cd end2end && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --silent --no-audit --no-fund) || die "missing: Playwright (npm ci in end2end)"
  fi
fi
say "ready"
