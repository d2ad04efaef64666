# Sourced by every other script: puts the compiler that setup.sh chose first in PATH.
# shellcheck shell=bash

TOOLS="${REACHWIRE_TOOLS:-$HOME/.cache/reachwire-tools}"
RUST_MIN=1.96

# "1.96.0" is at least "1.96"?
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }
rustc_version() { "$1" --version 2>/dev/null | awk '{print $2}'; }
has_wasm_std() { ls "$("$1" --print sysroot)"/lib/rustlib/wasm32-unknown-unknown/lib/libstd-*.rlib >/dev/null 2>&1; }
usable_rustc() {
  command -v "$1" >/dev/null 2>&1 && version_at_least "$(rustc_version "$1")" "$RUST_MIN" && has_wasm_std "$1"
}

path_add() { case "$PATH" in "$1":*) ;; *) PATH="$1:$PATH" ;; esac; }
path_add "$HOME/.cargo/bin"
# Debian's compiler, when the one that rustup has is too old or lacks the wasm target.
if ! usable_rustc rustc && usable_rustc /usr/bin/rustc; then path_add /usr/bin; fi
path_add "$TOOLS/node_modules/.bin"
export PATH
