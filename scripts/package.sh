#!/usr/bin/env bash
# What one copies to a server: the binary with its site beside it, in one tarball.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
name="reachwire-$version-$(uname -m)"
rm -rf "dist/$name"
mkdir -p "dist/$name"
cp target/release/reachwire target/release/hash.txt reachwire.toml.example README.md "dist/$name/"
cp -r target/site "dist/$name/site"
tar -C dist -czf "dist/$name.tar.gz" "$name"
echo "dist/$name.tar.gz: unpack it anywhere and run ./reachwire serve"
