#!/usr/bin/env bash
# Builds the guests with the engine's pinned compiler (xtask/src/engines/toolchain.rs) and measures them side by side.
set -euo pipefail
cd "$(dirname "$0")"
target_dir="${CARGO_TARGET_DIR:-$PWD/../../../target}/javy-comparison"
# The pinned compiler brings no linker for wasm; rustup's does.
linker="$(rustc --print sysroot)/lib/rustlib/$(rustc --print host-tuple)/bin/rust-lld"
# Debian's wasi-libc, where the crates would download a wasi-sdk.
wasi_libc=/usr/lib/wasm32-wasi

guest() { # crate target
  CARGO_TARGET_DIR="$target_dir/$1" RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
    /usr/bin/cargo build --release --locked -j1 -Z build-std=std,panic_abort --package guest --features "$1" --target "$2"
  guests+=("$1 on $2=$target_dir/$1/$2/release/guest.wasm")
}

guests=()
for target in wasm32_unknown_unknown wasm32_wasip1; do
  export "CC_$target=clang-19" "AR_$target=llvm-ar-19" "CARGO_TARGET_${target^^}_LINKER=$linker"
done
export RQUICKJS_SYS_NO_WASI_SDK=1
export CFLAGS_wasm32_unknown_unknown="-O3 -mbulk-memory"
export CFLAGS_wasm32_wasip1="-O3 -mbulk-memory -isystem /usr/include/wasm32-wasi"
export BINDGEN_EXTRA_CLANG_ARGS_wasm32_wasip1="-isystem /usr/include/wasm32-wasi"
export CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS="-C link-self-contained=no -L native=$wasi_libc"

guest rquickjs wasm32-unknown-unknown
guest rquickjs wasm32-wasip1
guest javy wasm32-wasip1
CARGO_TARGET_DIR="$target_dir" cargo run --release --locked -j1 --package measure -- "${guests[@]}"
