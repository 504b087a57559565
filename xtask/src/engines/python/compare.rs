//! Whether a rebuilt engine is what ships.
//!
//! Code, tables and the library come out the same, byte for byte. So does the memory, but for times and numbers of temporary
//! files that componentize-py shows the interpreter, which its library of caches remembers: some 200 bytes of 15 MB.

use anyhow::{Context, Result, bail, ensure};
use wasmparser::{DataKind, Operator, Parser, Payload};

use crate::engines::same_bytes;

/// More than that is something else.
const BYTES_DIFFERENT_MAX: usize = 2_000;

pub fn compare(name: &str, shipped: &[u8], built: &[u8]) -> Result<()> {
    if !name.starts_with("engine.wasm") {
        return same_bytes(name, shipped, built);
    }
    let ((code_shipped, memory_shipped), (code_built, memory_built)) = (parts(shipped)?, parts(built)?);
    same_bytes(&format!("{name}, all but its memory"), &code_shipped, &code_built)?;
    ensure!(memory_shipped.len() == memory_built.len(), "{name}: another size of memory; run `cargo xtask engines`");
    let different = memory_shipped.iter().zip(&memory_built).filter(|(shipped, built)| shipped != built).count();
    if different > BYTES_DIFFERENT_MAX {
        bail!("{name}: {different} bytes of its memory are not what the sources give; run `cargo xtask engines`");
    }
    println!("{name}: {different} of {} bytes of memory differ: times and numbers of temporary files.", memory_built.len());
    Ok(())
}

/// All sections but the data, and the memory that the data makes.
fn parts(wasm: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let (mut code, mut memory) = (Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        let Payload::DataSection(section) = payload else {
            if let Some((id, range)) = payload.as_section() {
                code.push(id);
                code.extend_from_slice(&wasm[range]);
            }
            continue;
        };
        for segment in section {
            let segment = segment?;
            let DataKind::Active { offset_expr, .. } = segment.kind else { bail!("data without a place") };
            let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else { bail!("data at a computed place") };
            let start = value as u32 as usize;
            let end = start.checked_add(segment.data.len()).context("data beyond the memory")?;
            if memory.len() < end {
                memory.resize(end, 0);
            }
            memory[start..end].copy_from_slice(segment.data);
        }
    }
    Ok((code, memory))
}
