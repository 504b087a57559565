//! What the linker and `src/alloc.rs` are told.

use std::{env, fs, path::Path};

/// Names a file that says where the allocations of booting belong; `cargo xtask engines` sets it. Without, anywhere.
const PLACEMENT: &str = "MIRRA_PLACEMENT";

fn main() {
    // The stack in linear memory is part of every handler's image: no larger than `STACK_BYTES_MAX` of realm.rs and what
    // Rust needs above it. Rust's default of a megabyte would be most of a small handler's memory.
    println!("cargo:rustc-link-arg-cdylib=-zstack-size=393216");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed={PLACEMENT}");

    let placement = env::var_os(PLACEMENT).map(|path| {
        println!("cargo:rerun-if-changed={}", Path::new(&path).display());
        fs::read(path).expect("the file that was named")
    });
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("placement"), placement.unwrap_or_default()).expect("cargo made the folder");
}
