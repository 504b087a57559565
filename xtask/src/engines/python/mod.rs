//! Builds the Python engine: componentize-py makes a component of CPython and `guest-sdk/python/engine`, and that is linked into
//! one core module with what stands under it.

mod component;
mod link;
mod module;

pub fn scratch() -> anyhow::Result<()> {
    let component = std::fs::read(std::env::var("MIRRA_COMPONENT")?)?;
    let behind = link::Behind::of(&component)?;
    println!("{} {}", behind.address, behind.slot);
    if let Ok(wasi) = std::env::var("MIRRA_WASI") {
        std::fs::write(std::env::var("MIRRA_OUT")?, link::link(&component, &std::fs::read(wasi)?)?)?;
    }
    Ok(())
}
