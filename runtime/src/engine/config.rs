//! How wasmtime is set up: alike for an engine module and the handlers that share it, since both must be compiled the same way.

use wasmtime::{Config, Enabled, InstanceAllocationStrategy, OperatorCost, PoolingAllocationConfig, VariableOperatorCost};

/// wasm's stack on the call's fiber. QuickJS limits itself to 256 KiB in linear memory and uses up to several times as much of
/// this one; running out of it is a trap that ends the call, so it must come second.
const WASM_STACK_BYTES: usize = 2 << 20;
/// The same for code in C++ and Fortran: CPython compiled without its own optimisation for wasm takes more for each call.
const WASM_STACK_BYTES_LARGE: usize = 8 << 20;

/// What wasmtime keeps for an instance of a module: most of it are pointers to the functions in its table.
const INSTANCE_BYTES: usize = 1 << 20;
const INSTANCE_BYTES_LARGE: usize = 2 << 20;

/// What host functions may use on top of the guest's stack.
const HOST_STACK_BYTES: usize = 512 << 10;

/// Modules with denser images than this are initialised page by page instead of by one mapping.
const IMAGE_BYTES_MAX: u64 = 256 << 20;

/// Pages of a slot that stay resident between two calls. Dirty ones are copied back from the image, which costs less than
/// the page faults of mapping them anew; beyond this many bytes they are given back to the system.
pub const MEMORY_KEEP_RESIDENT_BYTES: usize = 4 << 20;
const TABLE_KEEP_RESIDENT_BYTES: usize = 64 << 10;

/// Who counts the work of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fuel {
    /// The guest itself, by the code that `engine/metering.rs` compiles into our own engines.
    CountedByGuest,
    /// wasmtime, for components of other origin.
    CountedByWasmtime,
}

/// What the code asks of wasmtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    Little,
    /// Exceptions, a deep stack, and tens of thousands of functions in its table. Exceptions are objects that wasmtime collects:
    /// an instance has a heap for them, whether or not one is ever thrown.
    Exceptions,
}

/// `instances_max`: calls that can run at the same time; each holds one slot of the pool.
pub fn wasmtime_config(instances_max: u32, fuel: Fuel, needs: Needs) -> Config {
    let mut config = Config::new();
    let stack_bytes = if needs == Needs::Exceptions { WASM_STACK_BYTES_LARGE } else { WASM_STACK_BYTES };
    config
        .wasm_component_model(true)
        // Handlers wait through `operations.wait`; the bookkeeping of component-model async would cost every call.
        .concurrency_support(false)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(16))
        // `metering.rs` marks its rare branches.
        .wasm_branch_hinting(true)
        // The JavaScript engine's cryptography multiplies long numbers.
        .wasm_wide_arithmetic(true)
        .generate_address_map(false)
        .native_unwind_info(false)
        .wasm_exceptions(needs == Needs::Exceptions)
        .gc_support(needs == Needs::Exceptions)
        .max_wasm_stack(stack_bytes)
        .async_stack_size(stack_bytes + HOST_STACK_BYTES)
        .memory_guaranteed_dense_image_size(IMAGE_BYTES_MAX)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(instances_max, needs)));
    if fuel == Fuel::CountedByWasmtime {
        config.consume_fuel(true).operator_cost(operator_cost()).epoch_interruption(true);
    }
    config
}

/// Fuel is charged where control flow turns (branches and calls), which no loop and no recursion can avoid, and by the byte
/// for bulk operations. Charging every instruction, wasmtime's default, is slower and buys nothing here.
fn operator_cost() -> OperatorCost {
    macro_rules! free {
        ($(@$proposal:ident $operator:ident $({ $($argument:ident: $type:ty),* })? => $visit:ident ($($annotation:tt)*))*) => {
            OperatorCost { $($operator: 0,)* variable: VariableOperatorCost::new() }
        };
    }
    let free: OperatorCost = wasmparser::for_each_operator!(free);
    OperatorCost {
        Br: 1,
        BrIf: 1,
        BrTable: 1,
        Call: 1,
        CallIndirect: 1,
        CallRef: 1,
        ReturnCall: 1,
        ReturnCallIndirect: 1,
        ReturnCallRef: 1,
        BrOnNull: 1,
        BrOnNonNull: 1,
        BrOnCast: 1,
        BrOnCastFail: 1,
        ..free
    }
}

fn pool(instances_max: u32, needs: Needs) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    let (gc_heaps, instance_bytes) = match needs {
        Needs::Little => (0, INSTANCE_BYTES),
        Needs::Exceptions => (instances_max, INSTANCE_BYTES_LARGE),
    };
    pool.total_component_instances(instances_max)
        .total_core_instances(instances_max * CORE_INSTANCES_PER_COMPONENT)
        // The heap of exceptions is one, too.
        .total_memories(instances_max * 2 + gc_heaps)
        .total_gc_heaps(gc_heaps)
        .total_tables(instances_max * 4)
        .total_stacks(instances_max)
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT)
        .max_memories_per_component(4)
        .max_tables_per_component(16)
        .max_component_instance_size(1 << 20)
        .max_core_instance_size(instance_bytes)
        .max_memory_size(4 << 30)
        .table_elements(100_000)
        .max_unused_warm_slots(instances_max.min(WARM_SLOTS_MAX))
        .linear_memory_keep_resident(MEMORY_KEEP_RESIDENT_BYTES)
        .table_keep_resident(TABLE_KEEP_RESIDENT_BYTES)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Slots that keep their pages while nobody uses them.
const WARM_SLOTS_MAX: u32 = 100;

const CORE_INSTANCES_PER_COMPONENT: u32 = 40;
