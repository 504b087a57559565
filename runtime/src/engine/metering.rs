//! Compiles the counting of work into a language engine.
//!
//! wasmtime's own fuel counts at every branch and passes the counter through memory at every call, which made JavaScript a
//! quarter slower. The engine is one fixed module, so less is enough: whatever runs for long goes round a loop, copies in
//! bulk, or recurses. So
//! - a loop adds one to a local counter each time round, and a bulk copy adds its length in units of 64 bytes; when the counter
//!   is large, and when the function ends with more than a few on it, it is taken off the fuel;
//! - the entry to a function that can come to call itself by direct calls takes one off, and so does a call through a table
//!   that can lead back to where it is made. Most cannot: allocating memory is such a call.
//!
//! When no fuel is left, the engine asks the host for more (`metering.tick`), which lets other calls run and ends this one if
//! it may not go on. Memory corruption inside of the engine cannot evade this: the counting is code, and the fuel a global,
//! neither of which wasm can overwrite.

use std::collections::{HashMap, HashSet};

use petgraph::{algo::tarjan_scc, graph::DiGraph};
use wasm_encoder::{
    BlockType, BranchHint, BranchHints, CodeSection, ConstExpr, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    GlobalSection, GlobalType, ImportSection, Instruction, Module, SectionId, TypeSection, ValType,
    reencode::{self, Reencode, utils},
};
use wasmparser::{ElementItems, FunctionBody, Operator, Parser, Payload, TypeRef};
use wasmtime::{Result, bail, format_err};

/// Whether an engine counts its work. Only `On` is safe for handlers; the bench turns it off to measure its price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Metering {
    #[default]
    On,
    Off,
}

/// Fuel that an instance starts with and gets with each tick.
pub const SLICE: i32 = 100_000;

/// A loop that went round this often takes its count off the fuel.
const SPENT_MAX: i32 = 1024;

/// A function that ends with less on its counter drops it: what so little work costs is less than what accounting for it would.
const SPENT_MIN: i32 = 16;

/// Bulk operations count one for 2^6 bytes.
const BULK_SHIFT: i32 = 6;

/// What is charged at once.
const CHARGE_MAX: i32 = 1 << 30;

const MODULE: &str = "mirra:function/metering@0.1.0";

/// The export whose end is the end of a call.
const HANDLE: &str = "mirra:function/handler@0.1.0#handle";

/// `module` with counting in it. It must be an engine of ours; what does not fit is a mistake in its build.
pub fn meter(module: &[u8]) -> Result<Vec<u8>> {
    let survey = Survey::of(module)?;
    // Hints stand before the code that they speak of: written once to find them, and again with them.
    let (_, hints) = instrument(module, &survey, BranchHints::new())?;
    let (metered, _) = instrument(module, &survey, hints)?;
    Ok(metered)
}

fn instrument(module: &[u8], survey: &Survey, hints: BranchHints) -> Result<(Vec<u8>, BranchHints)> {
    let mut metered = Module::new();
    let mut instrument = Instrument { survey, next_body: 0, hints, hints_found: BranchHints::new() };
    instrument
        .parse_core_module(&mut metered, Parser::new(0), module)
        .map_err(|error| format_err!("cannot compile the counting of work into the engine: {error}"))?;
    Ok((metered.finish(), instrument.hints_found))
}

/// What must be known of the module before its functions are rewritten.
#[derive(Default)]
struct Survey {
    /// Parameters and results of every type.
    types: Vec<wasmparser::FuncType>,
    imported_functions: u32,
    globals: u32,
    /// Type of every function, imported ones first.
    function_types: Vec<u32>,
    /// Functions that can come to call themselves by direct calls.
    recursive: HashSet<u32>,
    /// Calls through a table (caller, type) that can lead back to the caller.
    recursive_indirect: HashSet<(u32, u32)>,
    /// Index of the exported `handle`.
    handle: u32,
}

impl Survey {
    fn of(module: &[u8]) -> Result<Survey> {
        let mut survey = Survey { handle: u32::MAX, ..Survey::default() };
        let (mut calls, mut indirect_calls) = (Vec::new(), HashSet::new());
        let mut in_tables = Vec::new();
        let mut caller = 0;
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(section) => {
                    for ty in section.into_iter_err_on_gc_types() {
                        survey.types.push(ty?);
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        if let TypeRef::Func(ty) = import?.ty {
                            survey.function_types.push(ty);
                        }
                    }
                    survey.imported_functions = survey.function_types.len() as u32;
                    caller = survey.imported_functions;
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        survey.function_types.push(ty?);
                    }
                }
                Payload::GlobalSection(section) => survey.globals = section.count(),
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if export.name == HANDLE {
                            survey.handle = export.index;
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    for operator in body.get_operators_reader()? {
                        match operator? {
                            Operator::Call { function_index } => calls.push((caller, function_index)),
                            Operator::CallIndirect { type_index, .. } => drop(indirect_calls.insert((caller, type_index))),
                            _ => {}
                        }
                    }
                    caller += 1;
                }
                Payload::ElementSection(section) => {
                    for element in section {
                        let ElementItems::Functions(functions) = element?.items else { bail!("the engine has tables of expressions") };
                        for function in functions {
                            in_tables.push(function?);
                        }
                    }
                }
                _ => {}
            }
        }
        survey.recursive = recursive(&calls);
        survey.recursive_indirect = survey.recursive_indirect(&calls, &indirect_calls, &in_tables);
        if survey.handle >= survey.functions() {
            bail!("the engine exports no {HANDLE}");
        }
        Ok(survey)
    }

    /// A call through a table reaches only functions of its type that are in one. It closes a cycle if one of those is in the
    /// same strongly connected component of all calls. Types are nodes of the graph, too, between callers and what is in tables:
    /// there are few of them, and calls through them could reach millions of pairs.
    fn recursive_indirect(&self, direct: &[(u32, u32)], indirect: &HashSet<(u32, u32)>, in_tables: &[u32]) -> HashSet<(u32, u32)> {
        // Equal types are one node.
        let mut first_of = HashMap::new();
        let first: Vec<u32> = (0..self.types.len() as u32).map(|ty| *first_of.entry(&self.types[ty as usize]).or_insert(ty)).collect();
        let node = |ty: u32| self.functions() + first[ty as usize];
        let type_of = |function: u32| self.function_types[function as usize];
        let to_types = indirect.iter().map(|(caller, ty)| (*caller, node(*ty)));
        let from_types = in_tables.iter().map(|function| (node(type_of(*function)), *function));
        let graph = DiGraph::<(), (), u32>::from_edges(direct.iter().copied().chain(to_types).chain(from_types));
        let mut component_of = HashMap::new();
        for (component, nodes) in tarjan_scc(&graph).into_iter().enumerate() {
            component_of.extend(nodes.into_iter().map(|node| (node.index() as u32, component)));
        }
        let reached: HashSet<_> = in_tables.iter().map(|callee| (node(type_of(*callee)), component_of.get(callee))).collect();
        let closes_cycle = |(caller, ty): &&(u32, u32)| reached.contains(&(node(*ty), component_of.get(caller)));
        indirect.iter().filter(closes_cycle).copied().collect()
    }

    fn functions(&self) -> u32 {
        self.function_types.len() as u32
    }

    fn type_of(&self, function: u32) -> &wasmparser::FuncType {
        // Validated modules give every function a type that is there.
        &self.types[self.function_types[function as usize] as usize]
    }

    // Where the additions stand: ours come after the engine's own.

    fn tick(&self) -> u32 {
        self.imported_functions
    }

    fn finish(&self) -> u32 {
        self.imported_functions + 1
    }

    fn refill(&self) -> u32 {
        self.functions() + ADDED_IMPORTS
    }

    fn fuel(&self) -> u32 {
        self.globals
    }
}

/// `tick` and `finish`.
const ADDED_IMPORTS: u32 = 2;

/// Functions on a cycle of direct calls.
fn recursive(calls: &[(u32, u32)]) -> HashSet<u32> {
    let graph = DiGraph::<(), (), u32>::from_edges(calls);
    let cycles = tarjan_scc(&graph).into_iter().filter(|component| component.len() > 1).flatten().map(|node| node.index() as u32);
    let itself = calls.iter().filter(|(caller, callee)| caller == callee).map(|(caller, _)| *caller);
    cycles.chain(itself).collect()
}

struct Instrument<'a> {
    survey: &'a Survey,
    /// Of the functions defined in the module, counted from 0.
    next_body: u32,
    /// Branches that are hardly ever taken: kept out of the way, they cost the loops around them neither registers nor cache.
    hints: BranchHints,
    hints_found: BranchHints,
}

type Reencoded<T> = Result<T, reencode::Error<wasmtime::Error>>;

impl Reencode for Instrument<'_> {
    type Error = wasmtime::Error;

    fn function_index(&mut self, function: u32) -> Reencoded<u32> {
        let is_imported = function < self.survey.imported_functions;
        Ok(if is_imported { function } else { function + ADDED_IMPORTS })
    }

    fn intersperse_section_hook(&mut self, module: &mut Module, _after: Option<SectionId>, before: Option<SectionId>) -> Reencoded<()> {
        if before == Some(SectionId::Code) && !self.hints.is_empty() {
            module.section(&self.hints);
        }
        Ok(())
    }

    fn parse_type_section(&mut self, types: &mut TypeSection, section: wasmparser::TypeSectionReader<'_>) -> Reencoded<()> {
        utils::parse_type_section(self, types, section)?;
        types.ty().function([ValType::I32], [ValType::I32]);
        types.ty().function([ValType::I32; 3], []);
        types.ty().function([], []);
        Ok(())
    }

    fn parse_import_section(&mut self, imports: &mut ImportSection, section: wasmparser::ImportSectionReader<'_>) -> Reencoded<()> {
        utils::parse_import_section(self, imports, section)?;
        let first_added = self.survey.types.len() as u32;
        imports.import(MODULE, "tick", EntityType::Function(first_added));
        imports.import(MODULE, "finish", EntityType::Function(first_added + 1));
        Ok(())
    }

    fn parse_function_section(&mut self, functions: &mut FunctionSection, section: wasmparser::FunctionSectionReader<'_>) -> Reencoded<()> {
        utils::parse_function_section(self, functions, section)?;
        let refill_type = self.survey.types.len() as u32 + 2;
        functions.function(refill_type).function(self.survey.function_types[self.survey.handle as usize]);
        Ok(())
    }

    fn parse_global_section(&mut self, globals: &mut GlobalSection, section: wasmparser::GlobalSectionReader<'_>) -> Reencoded<()> {
        utils::parse_global_section(self, globals, section)?;
        let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(ty, &ConstExpr::i32_const(SLICE));
        Ok(())
    }

    fn parse_export(&mut self, exports: &mut ExportSection, export: wasmparser::Export<'_>) -> Reencoded<()> {
        if export.name == HANDLE {
            exports.export(HANDLE, ExportKind::Func, self.survey.refill() + 1);
            return Ok(());
        }
        utils::parse_export(self, exports, export)
    }

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Reencoded<()> {
        let function = self.survey.imported_functions + self.next_body;
        self.next_body += 1;
        let (rewritten, unlikely) = rewrite(self, function, &body)?;
        code.function(&rewritten);
        if !unlikely.is_empty() {
            self.hints_found.function_hints(function + ADDED_IMPORTS, unlikely);
        }
        if function + 1 == self.survey.functions() {
            code.function(&self.refill());
            code.function(&self.wrapped_handle());
        }
        Ok(())
    }
}

impl Instrument<'_> {
    /// `fuel = tick(fuel)`
    fn refill(&self) -> Function {
        let mut function = Function::new([]);
        let fuel = self.survey.fuel();
        function.instructions().global_get(fuel).call(self.survey.tick()).global_set(fuel).end();
        function
    }

    /// `result = handle(…); finish(fuel, where the memory begins, an empty list); result`
    fn wrapped_handle(&self) -> Function {
        let mut function = Function::new([]);
        let parameters = self.survey.type_of(self.survey.handle).params().len() as u32;
        let mut instructions = function.instructions();
        for parameter in 0..parameters {
            instructions.local_get(parameter);
        }
        let handle = self.survey.handle + ADDED_IMPORTS;
        instructions.call(handle).global_get(self.survey.fuel()).i32_const(0).i32_const(0).call(self.survey.finish()).end();
        function
    }
}

/// Instructions that take work off the fuel.
struct Counter<'a> {
    code: &'a mut Function,
    fuel: u32,
    refill: u32,
    unlikely: Vec<BranchHint>,
}

impl Counter<'_> {
    /// `fuel -= amount; if fuel < 0 { refill() }`, where the amount is a constant or a local.
    fn charge(&mut self, amount: Instruction<'_>) {
        self.code.instruction(&Instruction::GlobalGet(self.fuel)).instruction(&amount);
        let mut code = self.code.instructions();
        if let Instruction::LocalGet(spent) = amount {
            // A short loop can leave more than the fuel can be lowered by.
            code.i32_const(CHARGE_MAX).local_get(spent).i32_const(CHARGE_MAX).i32_lt_u().select();
        }
        code.i32_sub().global_set(self.fuel).global_get(self.fuel).i32_const(0).i32_lt_s();
        self.if_unlikely();
        self.code.instructions().call(self.refill).end();
    }

    fn if_unlikely(&mut self) {
        self.unlikely.push(BranchHint { branch_func_offset: self.code.byte_len() as u32, branch_hint_value: 0 });
        self.code.instruction(&Instruction::If(BlockType::Empty));
    }

    /// At the head of a short loop: `spent += 1`. It is taken off the fuel where a loop around it turns, or its function ends.
    fn turn_short(&mut self, spent: u32) {
        self.code.instructions().local_get(spent).i32_const(1).i32_add().local_set(spent);
    }

    /// Where a function ends: `if spent >= SPENT_MIN { charge(spent) }`.
    fn settle(&mut self, spent: u32) {
        self.code.instructions().local_get(spent).i32_const(SPENT_MIN).i32_ge_u();
        self.if_unlikely();
        self.charge(Instruction::LocalGet(spent));
        self.code.instructions().end();
    }

    /// At the head of a loop: `spent += 1; if spent >= SPENT_MAX { charge(spent); spent = 0 }`.
    fn turn(&mut self, spent: u32) {
        let mut code = self.code.instructions();
        code.local_get(spent).i32_const(1).i32_add().local_tee(spent).i32_const(SPENT_MAX).i32_ge_u();
        self.if_unlikely();
        self.charge(Instruction::LocalGet(spent));
        self.code.instructions().i32_const(0).local_set(spent).end();
    }

    /// Before a bulk operation, whose length is on the stack and stays there: `spent += length >> BULK_SHIFT`.
    fn bulk(&mut self, spent: u32, length: u32) {
        let mut code = self.code.instructions();
        code.local_tee(length).i32_const(BULK_SHIFT).i32_shr_u().local_get(spent).i32_add().local_set(spent).local_get(length);
    }
}

/// The function with counting in it. One that counts in a local has its body in a block of its own, so that every way out
/// leads past the end, where the count is taken off the fuel: a branch to the function's own label now means the block, which
/// has the same depth, and a return becomes such a branch.
fn rewrite(instrument: &mut Instrument<'_>, index: u32, body: &FunctionBody<'_>) -> Reencoded<(Function, Vec<BranchHint>)> {
    let survey = instrument.survey;
    let ty = survey.type_of(index);
    let is_long =
        |operator: &Operator<'_>| matches!(operator, Operator::Loop { .. } | Operator::MemoryCopy { .. } | Operator::MemoryFill { .. });
    let operators = body.get_operators_reader()?.into_iter().collect::<Result<Vec<_>, _>>()?;
    let is_counting = operators.iter().any(is_long);

    let mut locals = Vec::new();
    for local in body.get_locals_reader()? {
        let (count, ty) = local?;
        locals.push((count, instrument.val_type(ty)?));
    }
    let spent = ty.params().len() as u32 + locals.iter().map(|(count, _)| count).sum::<u32>();
    let length = spent + 1;
    if is_counting {
        locals.push((2, ValType::I32));
    }

    let mut function = Function::new(locals);
    let mut counter = Counter { code: &mut function, fuel: survey.fuel(), refill: survey.refill(), unlikely: Vec::new() };
    if survey.recursive.contains(&index) {
        counter.charge(Instruction::I32Const(1));
    }
    if is_counting {
        counter.code.instruction(&Instruction::Block(match *ty.results() {
            [] => BlockType::Empty,
            [result] => BlockType::Result(instrument.val_type(result)?),
            _ => return Err(reencode::Error::UserError(format_err!("function {index} of the engine has several results"))),
        }));
    }
    let short = short_loops(&operators);
    let mut depth = 0;
    for (at, operator) in operators.into_iter().enumerate() {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } | Operator::TryTable { .. } => depth += 1,
            // The frames that an exception leaves drop their counts, each less than `SPENT_MAX`.
            Operator::Throw { .. } | Operator::ThrowRef => counter.charge(Instruction::I32Const(SPENT_MAX)),
            Operator::End if depth == 0 && is_counting => {
                counter.code.instruction(&Instruction::End);
                counter.settle(spent);
            }
            Operator::End => depth -= 1,
            Operator::Return if is_counting => {
                counter.code.instruction(&Instruction::Br(depth as u32));
                continue;
            }
            Operator::CallIndirect { type_index, .. } if survey.recursive_indirect.contains(&(index, type_index)) => {
                counter.charge(Instruction::I32Const(1));
            }
            Operator::MemoryCopy { .. } | Operator::MemoryFill { .. } => counter.bulk(spent, length),
            Operator::ReturnCall { .. } | Operator::ReturnCallIndirect { .. } => {
                return Err(reencode::Error::UserError(format_err!("function {index} of the engine uses {operator:?}")));
            }
            _ => {}
        }
        let is_loop = matches!(operator, Operator::Loop { .. });
        counter.code.instruction(&instrument.instruction(operator)?);
        match is_loop {
            true if short.contains(&at) => counter.turn_short(spent),
            true => counter.turn(spent),
            false => {}
        }
    }
    let unlikely = counter.unlikely;
    Ok((function, unlikely))
}

/// Loops that have neither loops nor calls in them, by the place of their operator. What an engine does in those ends by itself:
/// they go through memory, or through the digits of a number. So they count and do not look at the count, which would make what
/// numpy does with its arrays take twice as long.
fn short_loops(operators: &[Operator<'_>]) -> HashSet<usize> {
    let mut short = HashSet::new();
    // Of every block that is open: where it began, and whether it is a loop that may be short.
    let mut open: Vec<(usize, bool)> = Vec::new();
    for (at, operator) in operators.iter().enumerate() {
        match operator {
            Operator::Loop { .. } => {
                open.iter_mut().for_each(|(_, is_short)| *is_short = false);
                open.push((at, true));
            }
            Operator::Block { .. } | Operator::If { .. } | Operator::TryTable { .. } => open.push((at, false)),
            Operator::Call { .. } | Operator::CallIndirect { .. } => open.iter_mut().for_each(|(_, is_short)| *is_short = false),
            Operator::End => {
                if let Some((start, true)) = open.pop() {
                    short.insert(start);
                }
            }
            _ => {}
        }
    }
    short
}
