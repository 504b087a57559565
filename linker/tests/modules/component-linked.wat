(module
  (type $unary (func (param i32) (result i32)))
  (type $long (func (result i64)))
  (type $none (func))
  (type $realloc (func (param i32 i32 i32 i32) (result i32)))
  (type $number (func (result i32)))
  (import "mirra:function/random@0.1.0" "next-u64" (func $next (type $long)))
  (func $constructors (type $none))
  (func $doubled (type $unary) local.get 0 i32.const 1 i32.shl)
  (func $realloc (type $realloc)
    global.get $stack_pointer
    i32.const 16
    i32.sub
    global.set $stack_pointer
    i32.const 100
    i32.const 20
    i32.add)
  (func $handle (type $number) i32.const 21 call $doubled)
  (func $handled (type $none) call $now drop call $gone drop call $next drop)
  (func $now (type $long) i64.const 7)
  (func $boot (type $number) global.get $stack_pointer)
  (func $source_buffer (type $unary) local.get 0 call $doubled)
  (func $load (type $number) i32.const 0)
  (func $gone (type $long) unreachable)
  (table 9 9 funcref)
  (memory 3)
  (global $stack_pointer (mut i32) (i32.const 4096))
  (export "memory" (memory 0))
  (export "boot" (func $boot))
  (export "source_buffer" (func $source_buffer))
  (export "load" (func $load))
  (export "cabi_realloc" (func $realloc))
  (export "mirra:function/handler@0.1.0#handle" (func $handle))
  (export "cabi_post_mirra:function/handler@0.1.0#handle" (func $handled))
  (elem (i32.const 8) func $now)
  (elem (i32.const 3) func $doubled)
  (data (i32.const 100) "hello")
  (data (i32.const 131072) "there"))
