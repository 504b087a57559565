//! Arithmetic on 128 bits without the instructions for it.
//!
//! Engines are compiled with wasm's wide arithmetic, in which numbers as long as keys are several times as fast; mirra's own wasmtime has
//! it. Other hosts have it switched off, or not at all, so for them each of the four instructions becomes a call of a function.

use anyhow::{Result, anyhow};
use wasm_encoder::{
    CodeSection, Function, FunctionSection, Module, TypeSection, ValType,
    reencode::{self, Reencode, utils},
};
use wasmparser::{FunctionBody, Operator, Parser, Payload, TypeRef};

/// `module`, a valid one, which does the same with the instructions that every host has.
pub fn narrow(module: &[u8]) -> Result<Vec<u8>> {
    let mut narrow = Narrow::of(module)?;
    let mut narrowed = Module::new();
    narrow.parse_core_module(&mut narrowed, Parser::new(0), module).map_err(|error| anyhow!("cannot replace wide arithmetic: {error}"))?;
    Ok(narrowed.finish())
}

struct Narrow {
    types: u32,
    /// All, imported ones included: what is added comes behind them.
    functions: u32,
    /// Of those that have code, how many are still to come.
    bodies: u32,
}

// What is added, by its place behind the others.
const ADD: u32 = 0;
const SUBTRACT: u32 = 1;
const MULTIPLY_UNSIGNED: u32 = 2;
const MULTIPLY_SIGNED: u32 = 3;

impl Narrow {
    fn of(module: &[u8]) -> Result<Narrow> {
        let mut narrow = Narrow { types: 0, functions: 0, bodies: 0 };
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(section) => narrow.types = section.into_iter_err_on_gc_types().count() as u32,
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        narrow.functions += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::FunctionSection(section) => {
                    narrow.bodies = section.count();
                    narrow.functions += narrow.bodies;
                }
                _ => {}
            }
        }
        Ok(narrow)
    }
}

type Reencoded<T> = Result<T, reencode::Error>;

impl Reencode for Narrow {
    type Error = std::convert::Infallible;

    fn parse_type_section(&mut self, types: &mut TypeSection, section: wasmparser::TypeSectionReader<'_>) -> Reencoded<()> {
        utils::parse_type_section(self, types, section)?;
        types.ty().function([ValType::I64; 4], [ValType::I64; 2]);
        types.ty().function([ValType::I64; 2], [ValType::I64; 2]);
        Ok(())
    }

    fn parse_function_section(&mut self, functions: &mut FunctionSection, section: wasmparser::FunctionSectionReader<'_>) -> Reencoded<()> {
        utils::parse_function_section(self, functions, section)?;
        let (sum, product) = (self.types, self.types + 1);
        functions.function(sum).function(sum).function(product).function(product);
        Ok(())
    }

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Reencoded<()> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        for operator in body.get_operators_reader()? {
            let added = match operator? {
                Operator::I64Add128 => ADD,
                Operator::I64Sub128 => SUBTRACT,
                Operator::I64MulWideU => MULTIPLY_UNSIGNED,
                Operator::I64MulWideS => MULTIPLY_SIGNED,
                operator => {
                    function.instruction(&self.instruction(operator)?);
                    continue;
                }
            };
            function.instructions().call(self.functions + added);
        }
        code.function(&function);
        self.bodies -= 1;
        if self.bodies == 0 {
            code.function(&add()).function(&subtract());
            code.function(&multiply_unsigned()).function(&multiply_signed(self.functions + MULTIPLY_UNSIGNED));
        }
        Ok(())
    }
}

// Numbers are two words each, the lower one first, in parameters and results.

fn add() -> Function {
    let mut function = Function::new([(1, ValType::I64)]);
    let [a, a_high, b, b_high, sum] = [0, 1, 2, 3, 4];
    let mut code = function.instructions();
    code.local_get(a).local_get(b).i64_add().local_tee(sum);
    code.local_get(a_high).local_get(b_high).i64_add().local_get(sum).local_get(a).i64_lt_u().i64_extend_i32_u().i64_add().end();
    function
}

fn subtract() -> Function {
    let mut function = Function::new([]);
    let [a, a_high, b, b_high] = [0, 1, 2, 3];
    let mut code = function.instructions();
    code.local_get(a).local_get(b).i64_sub();
    code.local_get(a_high).local_get(b_high).i64_sub().local_get(a).local_get(b).i64_lt_u().i64_extend_i32_u().i64_sub().end();
    function
}

/// By halves of words, as on paper.
fn multiply_unsigned() -> Function {
    const LOW: i64 = 0xffff_ffff;
    let mut function = Function::new([(2, ValType::I64)]);
    let [a, b, middle, other_middle] = [0, 1, 2, 3];
    let mut code = function.instructions();
    code.local_get(a).local_get(b).i64_mul();
    // middle = high(a) * low(b) + high(low(a) * low(b))
    code.local_get(a).i64_const(32).i64_shr_u().local_get(b).i64_const(LOW).i64_and().i64_mul();
    code.local_get(a).i64_const(LOW).i64_and().local_get(b).i64_const(LOW).i64_and().i64_mul().i64_const(32).i64_shr_u();
    code.i64_add().local_set(middle);
    // other_middle = low(a) * high(b) + low(middle)
    code.local_get(a).i64_const(LOW).i64_and().local_get(b).i64_const(32).i64_shr_u().i64_mul();
    code.local_get(middle).i64_const(LOW).i64_and().i64_add().local_set(other_middle);
    // high(a) * high(b) + high(middle) + high(other_middle)
    code.local_get(a).i64_const(32).i64_shr_u().local_get(b).i64_const(32).i64_shr_u().i64_mul();
    code.local_get(middle).i64_const(32).i64_shr_u().i64_add();
    code.local_get(other_middle).i64_const(32).i64_shr_u().i64_add().end();
    function
}

/// What is below zero was taken for 2^64 more than it is.
fn multiply_signed(multiply_unsigned: u32) -> Function {
    let mut function = Function::new([]);
    let [a, b] = [0, 1];
    let mut code = function.instructions();
    code.local_get(a).local_get(b).call(multiply_unsigned);
    for (sign, other) in [(a, b), (b, a)] {
        code.local_get(sign).i64_const(63).i64_shr_s().local_get(other).i64_and().i64_sub();
    }
    code.end();
    function
}
