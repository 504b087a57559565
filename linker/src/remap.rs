//! One module's code, written with the indices of what it becomes a part of.

use anyhow::{Context, Result, anyhow, bail};
use wasm_encoder::{
    CodeSection, Instruction,
    reencode::{self, Reencode},
};
use wasmparser::{FunctionBody, Operator};

use crate::module::Offset;

/// What a global is after linking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    StackPointer,
    Constant(i32),
}

/// A module's indices in those of the result.
pub struct Remap<'a> {
    pub types: &'a [u32],
    pub functions: Vec<u32>,
    pub globals: &'a [Value],
    /// Exceptions of the modules before it.
    pub tags_before: u32,
}

type Error = reencode::Error<anyhow::Error>;

impl Remap<'_> {
    pub fn function(&self, function: u32) -> Result<u32> {
        self.functions.get(function as usize).copied().with_context(|| format!("no function {function}"))
    }

    pub fn ty(&self, ty: u32) -> Result<u32> {
        self.types.get(ty as usize).copied().with_context(|| format!("no type {ty}"))
    }

    fn global(&self, global: u32) -> Result<Value> {
        self.globals.get(global as usize).copied().with_context(|| format!("no global {global}"))
    }

    pub fn offset(&self, offset: Offset) -> Result<i32> {
        match offset.global.map(|global| self.global(global)).transpose()? {
            None => Ok(offset.constant),
            Some(Value::Constant(base)) => Ok(base.wrapping_add(offset.constant)),
            Some(Value::StackPointer) => bail!("the table is filled at an offset that changes"),
        }
    }

    pub fn body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Result<()> {
        self.parse_function_body(code, body).map_err(|error| match error {
            Error::UserError(error) => error,
            error => anyhow!("{error}"),
        })
    }
}

impl Reencode for Remap<'_> {
    type Error = anyhow::Error;

    fn function_index(&mut self, function: u32) -> Result<u32, Error> {
        self.function(function).map_err(Error::UserError)
    }

    fn type_index(&mut self, ty: u32) -> Result<u32, Error> {
        self.ty(ty).map_err(Error::UserError)
    }

    fn tag_index(&mut self, tag: u32) -> Result<u32, Error> {
        tag.checked_add(self.tags_before).with_context(|| format!("no tag {tag}")).map_err(Error::UserError)
    }

    /// Only the stack pointer is left as a global, and only it is ever written to: what has another one reads it as a constant.
    fn global_index(&mut self, global: u32) -> Result<u32, Error> {
        match self.global(global).map_err(Error::UserError)? {
            Value::StackPointer => Ok(0),
            Value::Constant(_) => Err(Error::UserError(anyhow!("writes to global {global}, which is not the stack pointer"))),
        }
    }

    fn instruction<'a>(&mut self, operator: Operator<'a>) -> Result<Instruction<'a>, Error> {
        if let Operator::GlobalGet { global_index } = operator
            && let Value::Constant(value) = self.global(global_index).map_err(Error::UserError)?
        {
            return Ok(Instruction::I32Const(value));
        }
        reencode::utils::instruction(self, operator)
    }
}
