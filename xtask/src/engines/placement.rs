//! Finds out which objects of the base image calls read and write, so that the engine can lay them side by side
//! (`guest-sdk/node/engine/src/alloc.rs` says why). A traced build of the engine runs sample calls under Node.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, anyhow};
use wasm_encoder::{
    CodeSection, ConstExpr, Function, GlobalSection, GlobalType, InstructionSink, Module, ValType,
    reencode::{self, Reencode, utils},
};
use wasmparser::{FunctionBody, Operator, Parser, Payload, TypeRef};

use crate::shell;

/// Writes the numbers of those allocations, as `alloc.rs` reads them, into `out`.
pub fn profile(root: &Path, traced_engine: &[u8], out: &Path) -> Result<()> {
    let engine = out.with_extension("wasm");
    // Node has no wide arithmetic.
    let narrow = mirra_linker::wide::narrow(traced_engine)?;
    fs::write(&engine, telling_of_accesses(&narrow)?).with_context(|| format!("cannot write {}", engine.display()))?;
    shell::run(Command::new("node").arg(root.join("guest-sdk/node/placement/profile.mjs")).arg(&engine).arg(out))
}

/// The module with a call of its import `trace.loaded(address, length)` before everything that reads memory, and of
/// `trace.stored` before everything that writes to it.
fn telling_of_accesses(module: &[u8]) -> Result<Vec<u8>> {
    let mut telling = Module::new();
    Tell::of(module)?
        .parse_core_module(&mut telling, Parser::new(0), module)
        .map_err(|error| anyhow!("cannot instrument the engine: {error}"))?;
    Ok(telling.finish())
}

struct Tell {
    /// The function `trace.loaded`.
    loaded: u32,
    /// The function `trace.stored`.
    stored: u32,
    /// The first of the globals that hold what is on the stack while the host is told.
    scratch: u32,
}

const SCRATCH: [ValType; 7] = [ValType::I32, ValType::I32, ValType::I32, ValType::I64, ValType::F32, ValType::F64, ValType::V128];

impl Tell {
    fn of(module: &[u8]) -> Result<Tell> {
        let (mut functions, mut loaded, mut stored, mut scratch) = (0, None, None, 0);
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        match (import.module, import.name) {
                            ("trace", "loaded") => loaded = Some(functions),
                            ("trace", "stored") => stored = Some(functions),
                            _ => {}
                        }
                        functions += u32::from(matches!(import.ty, TypeRef::Func(_)));
                    }
                }
                Payload::GlobalSection(section) => scratch = section.count(),
                _ => {}
            }
        }
        let missing = "the engine does not import trace.loaded and trace.stored";
        Ok(Tell { loaded: loaded.context(missing)?, stored: stored.context(missing)?, scratch })
    }

    /// Before a load of `length` bytes at `offset` from the address on the stack.
    fn load(&self, code: &mut InstructionSink<'_>, offset: u64, length: i32) {
        let address = self.scratch;
        code.global_set(address);
        code.global_get(address).i32_const(offset as i32).i32_add().i32_const(length).call(self.loaded);
        code.global_get(address);
    }

    /// Before a store of `length` bytes at `offset` from the address below the value on the stack.
    fn store(&self, code: &mut InstructionSink<'_>, value: ValType, offset: u64, length: i32) {
        let address = self.scratch;
        let value = self.scratch + 1 + SCRATCH[1..].iter().position(|ty| *ty == value).unwrap_or_default() as u32;
        code.global_set(value).global_set(address);
        code.global_get(address).i32_const(offset as i32).i32_add().i32_const(length).call(self.stored);
        code.global_get(address).global_get(value);
    }

    /// Before a bulk operation: target, source or value, and length are on the stack.
    fn bulk(&self, code: &mut InstructionSink<'_>, is_copy: bool) {
        let [target, source, length] = [self.scratch, self.scratch + 1, self.scratch + 2];
        code.global_set(length).global_set(source).global_set(target);
        code.global_get(target).global_get(length).call(self.stored);
        if is_copy {
            code.global_get(source).global_get(length).call(self.loaded);
        }
        code.global_get(target).global_get(source).global_get(length);
    }
}

type Reencoded<T> = Result<T, reencode::Error>;

impl Reencode for Tell {
    type Error = std::convert::Infallible;

    fn parse_global_section(&mut self, globals: &mut GlobalSection, section: wasmparser::GlobalSectionReader<'_>) -> Reencoded<()> {
        utils::parse_global_section(self, globals, section)?;
        for val_type in SCRATCH {
            let zero = match val_type {
                ValType::I64 => ConstExpr::i64_const(0),
                ValType::F32 => ConstExpr::f32_const(0.0.into()),
                ValType::F64 => ConstExpr::f64_const(0.0.into()),
                ValType::V128 => ConstExpr::v128_const(0),
                _ => ConstExpr::i32_const(0),
            };
            globals.global(GlobalType { val_type, mutable: true, shared: false }, &zero);
        }
        Ok(())
    }

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Reencoded<()> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            self.tell(&mut function, &operator);
            function.instruction(&self.instruction(operator)?);
        }
        code.function(&function);
        Ok(())
    }
}

impl Tell {
    fn tell(&self, function: &mut Function, operator: &Operator<'_>) {
        use Operator::*;
        let mut code = function.instructions();
        match operator {
            I32Load8S { memarg } | I32Load8U { memarg } | I64Load8S { memarg } | I64Load8U { memarg } => {
                self.load(&mut code, memarg.offset, 1);
            }
            I32Load16S { memarg } | I32Load16U { memarg } | I64Load16S { memarg } | I64Load16U { memarg } => {
                self.load(&mut code, memarg.offset, 2);
            }
            I32Load { memarg } | F32Load { memarg } | I64Load32S { memarg } | I64Load32U { memarg } => {
                self.load(&mut code, memarg.offset, 4);
            }
            I64Load { memarg } | F64Load { memarg } => self.load(&mut code, memarg.offset, 8),
            V128Load { memarg } => self.load(&mut code, memarg.offset, 16),
            V128Store { memarg } => self.store(&mut code, ValType::V128, memarg.offset, 16),
            I32Store { memarg } => self.store(&mut code, ValType::I32, memarg.offset, 4),
            I32Store8 { memarg } => self.store(&mut code, ValType::I32, memarg.offset, 1),
            I32Store16 { memarg } => self.store(&mut code, ValType::I32, memarg.offset, 2),
            I64Store { memarg } => self.store(&mut code, ValType::I64, memarg.offset, 8),
            I64Store8 { memarg } => self.store(&mut code, ValType::I64, memarg.offset, 1),
            I64Store16 { memarg } => self.store(&mut code, ValType::I64, memarg.offset, 2),
            I64Store32 { memarg } => self.store(&mut code, ValType::I64, memarg.offset, 4),
            F32Store { memarg } => self.store(&mut code, ValType::F32, memarg.offset, 4),
            F64Store { memarg } => self.store(&mut code, ValType::F64, memarg.offset, 8),
            MemoryCopy { .. } => self.bulk(&mut code, true),
            MemoryFill { .. } => self.bulk(&mut code, false),
            _ => {}
        }
    }
}
