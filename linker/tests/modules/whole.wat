;; An interpreter in one module, with the names that its builder left in it.
(module
  (import "wasi_snapshot_preview1" "sched_yield" (func $__imported_sched_yield (result i32)))
  (global $__stack_pointer (mut i32) (i32.const 4096))
  (global $__memory_base i32 (i32.const 20))
  (memory (export "memory") 2)
  (table 4 4 funcref)
  (tag $exception (param i32))
  (func $PyErr_Print (param i32) local.get 0 throw $exception)
  (func $__wasi_sched_yield (result i32) call $__imported_sched_yield)
  (func $__wrap___wasi_sched_yield (result i32) i32.const 0)
  (func $idle (result i32) call $__wrap___wasi_sched_yield global.get $__memory_base i32.add)
  (elem (i32.const 1) func $idle)
  (data (i32.const 100) "hello"))
