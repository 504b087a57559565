//! What the linker, `src/alloc.rs` and `src/builtins.rs` are told.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Node's modules, built by the layer.
const BUILTINS: &str = "../layer/dist/node";

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
    let out = Path::new(&out);
    fs::write(out.join("placement"), placement.unwrap_or_default()).expect("cargo made the folder");

    println!("cargo:rerun-if-changed={BUILTINS}");
    fs::write(out.join("builtins.rs"), table_of_builtins()).expect("cargo made the folder");
}

/// `&[("fs/promises", include_bytes!(…)), …]`
fn table_of_builtins() -> String {
    let folder = Path::new(&env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join(BUILTINS);
    let mut files = Vec::new();
    collect(&folder, &mut files);
    files.sort();
    let rows = files.iter().map(|file| {
        let name = file.strip_prefix(&folder).expect("it was found there").with_extension("");
        format!("({:?}, include_bytes!({file:?}) as &[u8]),\n", name.to_str().expect("names are ASCII"))
    });
    format!("&[{}]", rows.collect::<String>())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("`npm run build` in guest-sdk/node/layer makes it") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}
