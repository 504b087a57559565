//! The same stack in linear memory as the engine has.

fn main() {
    println!("cargo:rustc-link-arg-cdylib=-zstack-size=393216");
}
