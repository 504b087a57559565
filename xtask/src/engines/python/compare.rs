//! Whether a rebuilt engine is what ships.
//!
//! Code, tables and the library come out the same, byte for byte, and have to. The memory does too, but for some 200 bytes of 15 MB:
//! times and numbers of the temporary files that componentize-py shows the interpreter, which remembers them. Where a file system
//! lists these files in another order, objects lie otherwise in it; so it is compared and told, and a difference is no failure.

use anyhow::{Context, Result, bail};
use wasmparser::{DataKind, Operator, Parser, Payload};

use crate::engines::same_bytes;

/// More than that, and objects lie otherwise.
const BYTES_DIFFERENT_MAX: usize = 2_000;

pub fn compare(name: &str, shipped: &[u8], built: &[u8]) -> Result<()> {
    if !name.starts_with("engine.wasm") {
        return same_bytes(name, shipped, built);
    }
    let ((code_shipped, memory_shipped), (code_built, memory_built)) = (parts(shipped)?, parts(built)?);
    same_bytes(&format!("{name}, all but its memory"), &code_shipped, &code_built)?;
    let len = memory_built.len().max(memory_shipped.len());
    let byte = |memory: &[u8], at: usize| memory.get(at).copied().unwrap_or_default();
    let different = (0..len).filter(|at| byte(&memory_shipped, *at) != byte(&memory_built, *at)).count();
    if different > BYTES_DIFFERENT_MAX {
        println!("{name}: NOT COMPARED: objects lie otherwise in its memory; its code is the same.");
    } else {
        println!("{name}: {different} of {len} bytes of memory differ: times and numbers of temporary files.");
    }
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
