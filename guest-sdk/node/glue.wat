;; The shape of every JavaScript handler: a component that borrows the shared engine.
;;
;; `$snapshot` stands for the handler: the runtime puts the module with its memory image in this place. `engine` is the core
;; module that all handlers share; the host supplies it, compiled once. For a self-contained component (`mirra build`) the
;; import is replaced by the engine itself. The rest is what the canonical ABI asks for. `cargo xtask engines` encodes this
;; file; `wit/` is the contract that it must meet, and the tests hold it against that.
(component
  (import "engine" (core module $engine
    (import "env" "memory" (memory 0))
    (import "mirra:function/clocks@0.1.0" "unix-time-us" (func (result i64)))
    (import "mirra:function/clocks@0.1.0" "elapsed-us" (func (result i64)))
    (import "mirra:function/files@0.1.0" "find" (func (param i32 i32 i32 i32)))
    (import "mirra:function/files@0.1.0" "read" (func (param i32 i64 i32 i32)))
    (import "mirra:function/files@0.1.0" "names" (func (param i32 i32)))
    (import "mirra:function/random@0.1.0" "next-u64" (func (result i64)))
    (import "mirra:function/hashing@0.1.0" "compress" (func (param i32 i64 i64 i64 i64 i64 i64 i64 i64 i32 i32 i32)))
    (import "mirra:function/logging@0.1.0" "log" (func (param i32 i32 i32)))
    (import "mirra:function/operations@0.1.0" "start" (func (param i32 i32 i32 i32) (result i32)))
    (import "mirra:function/operations@0.1.0" "next" (func (param i32)))
    (import "mirra:function/operations@0.1.0" "cancel" (func (param i32)))
    (import "mirra:function/operations@0.1.0" "wait" (func (param i32 i64 i32)))
    (import "mirra:function/metering@0.1.0" "tick" (func (param i32) (result i32)))
    (import "mirra:function/metering@0.1.0" "finish" (func (param i32 i32 i32)))
    (export "cabi_realloc" (func (param i32 i32 i32 i32) (result i32)))
    (export "mirra:function/handler@0.1.0#handle" (func (param i32 i32 i32 i32) (result i32)))
    (export "cabi_post_mirra:function/handler@0.1.0#handle" (func (param i32)))))

  (core module $snapshot (memory (export "memory") 1))

  (import "mirra:function/clocks@0.1.0" (instance $clocks
    (export "unix-time-us" (func (result u64)))
    (export "elapsed-us" (func (result u64)))))
  (import "mirra:function/files@0.1.0" (instance $files
    (type $file' (record (field "id" u32) (field "is-folder" bool) (field "size" u64)))
    (export "file" (type $file (eq $file')))
    (export "find" (func (param "folder" u32) (param "path" string) (result (option $file))))
    (export "read" (func (param "id" u32) (param "offset" u64) (param "length" u32) (result (list u8))))
    (export "names" (func (param "id" u32) (result (list string))))))
  (import "mirra:function/random@0.1.0" (instance $random
    (export "next-u64" (func (result u64)))))
  (import "mirra:function/hashing@0.1.0" (instance $hashing
    (type $hash' (enum "sha1" "sha256" "sha512"))
    (export "hash" (type $hash (eq $hash')))
    (type $state (tuple u64 u64 u64 u64 u64 u64 u64 u64))
    (export "compress" (func (param "hash" $hash) (param "state" $state) (param "blocks" (list u8)) (result (option $state))))))
  (import "mirra:function/logging@0.1.0" (instance $logging
    (type $level' (enum "debug" "info" "warn" "error"))
    (export "level" (type $level (eq $level')))
    (export "log" (func (param "level" $level) (param "message" string)))))
  (import "mirra:function/metering@0.1.0" (instance $metering
    (export "tick" (func (param "left" s32) (result s32)))
    (export "finish" (func (param "left" s32) (param "memory" (list u8))))))
  (import "mirra:function/operations@0.1.0" (instance $operations
    (type $operation-error' (record (field "code" string) (field "message" string)))
    (export "operation-error" (type $operation-error (eq $operation-error')))
    (type $completion' (record
      (field "id" u32) (field "is-last" bool) (field "outcome" (result string (error $operation-error)))))
    (export "completion" (type $completion (eq $completion')))
    (export "start" (func (param "name" string) (param "arguments" string) (result u32)))
    (export "next" (func (param "id" u32)))
    (export "cancel" (func (param "id" u32)))
    (export "wait" (func (param "timeout-us" (option u64)) (result (option $completion))))))

  ;; These answer strings and lists, so lowering them needs the engine's allocator, and the engine needs them to be
  ;; instantiated: it gets trampolines, whose table is filled afterwards.
  (core module $trampoline
    (type $wait (func (param i32 i64 i32)))
    (type $read (func (param i32 i64 i32 i32)))
    (type $names (func (param i32 i32)))
    (table (export "targets") 3 3 funcref)
    (func (export "wait") (type $wait)
      local.get 0
      local.get 1
      local.get 2
      i32.const 0
      call_indirect (type $wait))
    (func (export "read") (type $read)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      i32.const 1
      call_indirect (type $read))
    (func (export "names") (type $names)
      local.get 0
      local.get 1
      i32.const 2
      call_indirect (type $names)))
  (core module $fill
    (import "" "targets" (table 3 3 funcref))
    (import "" "wait" (func $wait (param i32 i64 i32)))
    (import "" "read" (func $read (param i32 i64 i32 i32)))
    (import "" "names" (func $names (param i32 i32)))
    (elem (i32.const 0) func $wait $read $names))

  (core instance $snapshot (instantiate $snapshot))
  (alias core export $snapshot "memory" (core memory $memory))
  (core instance $trampoline (instantiate $trampoline))

  (core func $unix-time-us (canon lower (func $clocks "unix-time-us")))
  (core func $elapsed-us (canon lower (func $clocks "elapsed-us")))
  (core func $find (canon lower (func $files "find") (memory $memory) string-encoding=utf8))
  (core func $next-u64 (canon lower (func $random "next-u64")))
  (core func $compress (canon lower (func $hashing "compress") (memory $memory)))
  (core func $log (canon lower (func $logging "log") (memory $memory) string-encoding=utf8))
  (core func $start (canon lower (func $operations "start") (memory $memory) string-encoding=utf8))
  (core func $next (canon lower (func $operations "next")))
  (core func $cancel (canon lower (func $operations "cancel")))

  (core func $tick (canon lower (func $metering "tick")))
  (core func $finish (canon lower (func $metering "finish") (memory $memory)))

  (core instance $engine (instantiate $engine
    (with "env" (instance (export "memory" (memory $memory))))
    (with "mirra:function/clocks@0.1.0" (instance
      (export "unix-time-us" (func $unix-time-us))
      (export "elapsed-us" (func $elapsed-us))))
    (with "mirra:function/files@0.1.0" (instance
      (export "find" (func $find))
      (export "read" (func $trampoline "read"))
      (export "names" (func $trampoline "names"))))
    (with "mirra:function/random@0.1.0" (instance (export "next-u64" (func $next-u64))))
    (with "mirra:function/hashing@0.1.0" (instance (export "compress" (func $compress))))
    (with "mirra:function/logging@0.1.0" (instance (export "log" (func $log))))
    (with "mirra:function/metering@0.1.0" (instance
      (export "tick" (func $tick))
      (export "finish" (func $finish))))
    (with "mirra:function/operations@0.1.0" (instance
      (export "start" (func $start))
      (export "next" (func $next))
      (export "cancel" (func $cancel))
      (export "wait" (func $trampoline "wait"))))))

  (alias core export $engine "cabi_realloc" (core func $realloc))
  (core func $wait (canon lower (func $operations "wait") (memory $memory) (realloc $realloc) string-encoding=utf8))
  (core func $read (canon lower (func $files "read") (memory $memory) (realloc $realloc)))
  (core func $names (canon lower (func $files "names") (memory $memory) (realloc $realloc) string-encoding=utf8))
  (core instance (instantiate $fill (with "" (instance
    (export "targets" (table $trampoline "targets"))
    (export "wait" (func $wait))
    (export "read" (func $read))
    (export "names" (func $names))))))

  (type $failure-kind (enum "thrown" "never-settles" "not-serializable" "bad-event"))
  (type $failure (record
    (field "kind" $failure-kind) (field "name" string) (field "message" string) (field "stack" string)))
  (func $handle (param "event" string) (param "context" string) (result (result string (error $failure)))
    (canon lift
      (core func $engine "mirra:function/handler@0.1.0#handle")
      (memory $memory)
      (realloc $realloc)
      (post-return (func $engine "cabi_post_mirra:function/handler@0.1.0#handle"))
      string-encoding=utf8))

  ;; An interface exports its types by name; only a component of its own can give them those.
  (component $handler
    (type $failure-kind' (enum "thrown" "never-settles" "not-serializable" "bad-event"))
    (import "import-type-failure-kind" (type $failure-kind (eq $failure-kind')))
    (type $failure' (record
      (field "kind" $failure-kind) (field "name" string) (field "message" string) (field "stack" string)))
    (import "import-type-failure" (type $failure (eq $failure')))
    (import "import-func-handle" (func $handle
      (param "event" string) (param "context" string) (result (result string (error $failure)))))
    (export $exported-kind "failure-kind" (type $failure-kind'))
    (type $exported-failure' (record
      (field "kind" $exported-kind) (field "name" string) (field "message" string) (field "stack" string)))
    (export $exported-failure "failure" (type $exported-failure'))
    (export "handle" (func $handle)
      (func (param "event" string) (param "context" string) (result (result string (error $exported-failure))))))
  (instance $handler (instantiate $handler
    (with "import-type-failure-kind" (type $failure-kind))
    (with "import-type-failure" (type $failure))
    (with "import-func-handle" (func $handle))))
  (export "mirra:function/handler@0.1.0" (instance $handler)))
