//! The stack in linear memory is part of every handler's image: no larger than `STACK_BYTES_MAX` of realm.rs and what Rust
//! needs above it. Rust's default of a megabyte would be most of a small handler's memory.

fn main() {
    println!("cargo:rustc-link-arg-cdylib=-zstack-size=393216");
    println!("cargo:rerun-if-changed=build.rs");
}
