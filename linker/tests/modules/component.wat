;; As componentize-py makes them: a module of memory, table and addresses; a library; and what fills the table.
(component
  (import "now" (func $now (result u64)))
  (import "next" (func $next (result u64)))
  (core module $main
    (type $unary (func (param i32) (result i32)))
    (memory (export "memory") 2)
    (table (export "table") 8 funcref)
    (global (export "__stack_pointer") (mut i32) (i32.const 4096))
    (global (export "base") i32 (i32.const 100))
    (func (export "double") (param i32) (result i32)
      local.get 0
      i32.const 3
      call_indirect (type $unary))
    (data (i32.const 100) "hello"))
  (core module $library
    (import "env" "memory" (memory 1))
    (import "env" "base" (global $base i32))
    (import "env" "__stack_pointer" (global $stack_pointer (mut i32)))
    (import "env" "double" (func $double (param i32) (result i32)))
    (import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $now (result i64)))
    (import "wasi:clocks/monotonic-clock@0.2.0" "gone" (func $gone (result i64)))
    (import "mirra:function/random@0.1.0" "next-u64" (func $next (result i64)))
    (global $further i32 (i32.const 20))
    (func (export "__wasm_call_ctors"))
    (func (export "doubled") (param i32) (result i32) local.get 0 i32.const 1 i32.shl)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      global.get $stack_pointer
      i32.const 16
      i32.sub
      global.set $stack_pointer
      global.get $base
      global.get $further
      i32.add)
    (func (export "mirra:function/handler@0.1.0#handle") (result i32) i32.const 21 call $double)
    (func (export "cabi_post_mirra:function/handler@0.1.0#handle") call $now drop call $gone drop call $next drop))
  (core module $filling
    (import "env" "table" (table 8 funcref))
    (import "env" "base" (global i32))
    (import "library" "doubled" (func $doubled (param i32) (result i32)))
    (elem (i32.const 3) func $doubled))
  (core func $now (canon lower (func $now)))
  (core func $next (canon lower (func $next)))
  (core instance $clock (export "now" (func $now)) (export "gone" (func $now)))
  (core instance $random (export "next-u64" (func $next)))
  (core instance $main (instantiate $main))
  (alias core export $main "memory" (core memory $memory))
  (alias core export $main "table" (core table $table))
  (alias core export $main "base" (core global $base))
  (alias core export $main "__stack_pointer" (core global $stack_pointer))
  (alias core export $main "double" (core func $double))
  (core instance $env
    (export "memory" (memory $memory))
    (export "table" (table $table))
    (export "base" (global $base))
    (export "__stack_pointer" (global $stack_pointer))
    (export "double" (func $double)))
  (core instance $library (instantiate $library
    (with "env" (instance $env))
    (with "wasi:clocks/monotonic-clock@0.2.0" (instance $clock))
    (with "mirra:function/random@0.1.0" (instance $random))))
  (core instance (instantiate $filling (with "env" (instance $env)) (with "library" (instance $library)))))
