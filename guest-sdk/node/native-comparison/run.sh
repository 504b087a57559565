#!/usr/bin/env bash
# Builds QuickJS for this machine with the engine's pinned C compiler (xtask/src/engines/toolchain.rs) and its optimisation, and prints
# the program's path.
set -euo pipefail
cd "$(dirname "$0")"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/../../../target}/native-comparison"
CC=clang-19 CFLAGS=-O3 cargo build --release --locked
echo "$CARGO_TARGET_DIR/release/native-comparison"
