;; What `mirra build` puts around a handler, so that any host of WASI 0.2 can run it: `wasmtime run X.wasm EVENT`.
;;
;; `$handler` stands for the handler: the runtime puts its component in this place. `$host` gives it on WASI what the mirra
;; host would, `$files` shows it its files, and `$runner` makes the call. They are components side by side since none may be
;; entered twice: `$runner` is entered from outside, calls `$handler`, and that calls `$host` and `$files`. `cargo xtask engines`
;; encodes this file; `mirra run` and `mirra serve` take handler and files out again and give them the real host.
(component $command
  (component $handler)

  ;; Stands for the handler's files: where it has some, the runtime puts a module in this place whose memory has a tar archive
  ;; of them from 128 KiB on. It is known by what it exports.
  (core module $archive (memory (export "archive") 2))
  ;; Stands for the code that reads them, which is Rust (`guest-sdk/command/files`): `cargo xtask engines` puts it in this place.
  (core module $reader)

  ;; Of WASI what is used, in the oldest version: hosts give newer ones in its place.
  (import "wasi:io/error@0.2.0" (instance $error
    (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error))
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer $command $error (type $error'))
    (export "error" (type $error (eq $error')))
    (export "input-stream" (type $input-stream (sub resource)))
    (export "output-stream" (type $output-stream (sub resource)))
    (type $stream-error' (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $stream-error')))
    (export "[method]input-stream.blocking-read" (func
      (param "self" (borrow $input-stream)) (param "len" u64) (result (result (list u8) (error $stream-error)))))
    (export "[method]output-stream.blocking-write-and-flush" (func
      (param "self" (borrow $output-stream)) (param "contents" (list u8)) (result (result (error $stream-error)))))))
  (alias export $streams "input-stream" (type $input-stream))
  (alias export $streams "output-stream" (type $output-stream))
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-arguments" (func (result (list string))))))
  (import "wasi:cli/stdin@0.2.0" (instance $stdin
    (alias outer $command $input-stream (type $input-stream'))
    (export "input-stream" (type $input-stream (eq $input-stream')))
    (export "get-stdin" (func (result (own $input-stream))))))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer $command $output-stream (type $output-stream'))
    (export "output-stream" (type $output-stream (eq $output-stream')))
    (export "get-stdout" (func (result (own $output-stream))))))
  (import "wasi:cli/stderr@0.2.0" (instance $stderr
    (alias outer $command $output-stream (type $output-stream'))
    (export "output-stream" (type $output-stream (eq $output-stream')))
    (export "get-stderr" (func (result (own $output-stream))))))
  (import "wasi:clocks/wall-clock@0.2.0" (instance $wall-clock
    (type $datetime' (record (field "seconds" u64) (field "nanoseconds" u32)))
    (export "datetime" (type $datetime (eq $datetime')))
    (export "now" (func (result $datetime)))))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $monotonic-clock
    (alias outer $command $pollable (type $pollable'))
    (export "pollable" (type $pollable (eq $pollable')))
    (export "now" (func (result u64)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-u64" (func (result u64)))))

  ;; A memory for `$host` and one for `$runner`. Below 1024 it is theirs, above lies what comes from other components.
  (core module $memory
    (memory (export "memory") 1)
    (global $end (export "end") (mut i32) (i32.const 1024))
    ;; Moves forward and takes nothing back: blocks of bytes lie one after the other without a gap.
    (func (export "realloc") (param $old i32) (param $old-len i32) (param $align i32) (param $len i32) (result i32)
      (local $block i32)
      (local $missing i32)
      (local.set $block (i32.and
        (i32.add (global.get $end) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
      (global.set $end (i32.add (local.get $block) (local.get $len)))
      (if (i32.lt_u (global.get $end) (local.get $block)) (then unreachable))
      (local.set $missing (i32.sub
        (i32.shr_u (global.get $end) (i32.const 16))
        (i32.sub (memory.size) (i32.const 1))))
      (if (i32.gt_s (local.get $missing) (i32.const 0))
        (then (if (i32.eq (memory.grow (local.get $missing)) (i32.const -1)) (then unreachable))))
      (memory.copy (local.get $block) (local.get $old)
        (select (local.get $old-len) (local.get $len) (i32.lt_u (local.get $old-len) (local.get $len))))
      local.get $block)
    (func (export "forget") (global.set $end (i32.const 1024))))

  ;; The interfaces of mirra on WASI, and what `$runner` needs of WASI. `next-u64` is not here, being WASI's own function.
  (component $host
    (import "error" (type $error (sub resource)))
    (import "pollable" (type $pollable (sub resource)))
    (import "input-stream" (type $input-stream (sub resource)))
    (import "output-stream" (type $output-stream (sub resource)))
    (type $stream-error' (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (import "stream-error" (type $stream-error (eq $stream-error')))
    (type $datetime' (record (field "seconds" u64) (field "nanoseconds" u32)))
    (import "datetime" (type $datetime (eq $datetime')))
    (import "read" (func $read
      (param "self" (borrow $input-stream)) (param "len" u64) (result (result (list u8) (error $stream-error)))))
    (import "write" (func $write
      (param "self" (borrow $output-stream)) (param "contents" (list u8)) (result (result (error $stream-error)))))
    (import "block" (func $block (param "self" (borrow $pollable))))
    (import "subscribe-duration" (func $subscribe-duration (param "when" u64) (result (own $pollable))))
    (import "get-arguments" (func $get-arguments (result (list string))))
    (import "get-stdin" (func $get-stdin (result (own $input-stream))))
    (import "get-stdout" (func $get-stdout (result (own $output-stream))))
    (import "get-stderr" (func $get-stderr (result (own $output-stream))))
    (import "wall-now" (func $wall-now (result $datetime)))
    (import "monotonic-now" (func $monotonic-now (result u64)))
    (import "get-random-u64" (func $get-random-u64 (result u64)))

    (core module $code
      (import "memory" "memory" (memory 1))
      (import "memory" "end" (global $end (mut i32)))
      (import "memory" "forget" (func $forget))
      (import "wasi" "read" (func $read (param $stream i32) (param $len i64) (param $result i32)))
      (import "wasi" "write" (func $write (param $stream i32) (param $bytes i32) (param $len i32) (param $result i32)))
      (import "wasi" "drop-error" (func $drop-error (param i32)))
      (import "wasi" "block" (func $block (param i32)))
      (import "wasi" "subscribe-duration" (func $subscribe-duration (param $ns i64) (result i32)))
      (import "wasi" "drop-pollable" (func $drop-pollable (param i32)))
      (import "wasi" "get-arguments" (func $get-arguments (param $result i32)))
      (import "wasi" "get-stdin" (func $get-stdin (result i32)))
      (import "wasi" "get-stdout" (func $get-stdout (result i32)))
      (import "wasi" "get-stderr" (func $get-stderr (result i32)))
      (import "wasi" "wall-now" (func $wall-now (param $result i32)))
      (import "wasi" "monotonic-now" (func $monotonic-now (result i64)))
      (import "wasi" "get-random-u64" (func $get-random-u64 (result i64)))

      ;; 0: what WASI answers, and no longer than until the next question.
      ;; 32: an answer of `wait`, but for its id: some, id, the last, error, code, message.
      (data (i32.const 32) "\01\00\00\00" "\00\00\00\00" "\01\00\00\00" "\01\00\00\00" "\40\00\00\00\0f\00\00\00" "\50\00\00\00\4f\00\00\00")
      (data (i32.const 64) "RESOURCE_DENIED")
      (data (i32.const 80) "there is no mirra host here: only `mirra run` and `mirra serve` have operations")
      ;; 160: the names of the levels, each after its length.
      (data (i32.const 160) "\06debug \00" "\05info \00\00" "\05warn \00\00" "\06error \00")
      (data (i32.const 192) "\n")
      (data (i32.const 196) "null")
      ;; 200: where the context lies, which begins at 256 and has its id from 277 on.
      (data (i32.const 200) "\00\01\00\00\7f\00\00\00")
      (data (i32.const 256) "{\"executionId\":\"exec_000000000000000000000000\",\"scriptId\":\"script\",\"version\":\"\",\"trigger\":\"manual\",\"deadline\":8640000000000000}")

      (global $stdout (mut i32) (i32.const 0))
      (global $stderr (mut i32) (i32.const 0))
      (global $began-ns (mut i64) (i64.const 0))
      (global $started (mut i32) (i32.const 0))
      (global $refused (mut i32) (i32.const 0))
      (start $open)
      (func $open
        (global.set $stdout (call $get-stdout))
        (global.set $stderr (call $get-stderr)))

      ;; The first argument after the program's name, or all of stdin. The call begins when its event is there.
      (func (export "event") (result i32)
        (local $event i32)
        (call $get-arguments (i32.const 0))
        (local.set $event (if (result i32) (i32.ge_u (i32.load (i32.const 4)) (i32.const 2))
          (then (i32.add (i32.load (i32.const 0)) (i32.const 8)))
          (else (call $read-stdin))))
        (global.set $began-ns (call $monotonic-now))
        local.get $event)
      ;; An empty one is null. What is read lies in one piece, since the memory leaves no gaps.
      (func $read-stdin (result i32)
        (local $stdin i32)
        (local $text i32)
        (local.set $stdin (call $get-stdin))
        (local.set $text (global.get $end))
        (loop $more
          (call $read (local.get $stdin) (i64.const 65536) (i32.const 0))
          (br_if $more (i32.eqz (i32.load8_u (i32.const 0)))))
        ;; Half an event is none.
        (if (i32.eqz (i32.load8_u (i32.const 4))) (then unreachable))
        (i32.store (i32.const 0) (local.get $text))
        (i32.store (i32.const 4) (i32.sub (global.get $end) (local.get $text)))
        (if (i32.eqz (i32.load (i32.const 4))) (then
          (i32.store (i32.const 0) (i32.const 196))
          (i32.store (i32.const 4) (i32.const 4))))
        i32.const 0)

      ;; Without limits the deadline is the last moment that a `Date` can name.
      (func (export "context") (result i32)
        (local $at i32)
        (local $digit i32)
        (local.set $at (i32.const 277))
        (loop $more
          (local.set $digit (i32.and (i32.wrap_i64 (call $get-random-u64)) (i32.const 15)))
          (i32.store8 (local.get $at) (i32.add
            (local.get $digit)
            (select (i32.const 48) (i32.const 87) (i32.lt_u (local.get $digit) (i32.const 10)))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if $more (i32.lt_u (local.get $at) (i32.const 301))))
        i32.const 200)

      (func (export "print") (param $to-stderr i32) (param $text i32) (param $len i32) (result i32)
        (call $print (select (global.get $stderr) (global.get $stdout) (local.get $to-stderr)) (local.get $text) (local.get $len))
        (call $forget))
      ;; Answers whether it failed. WASI takes 4096 bytes at a time.
      (func $print (param $stream i32) (param $text i32) (param $len i32) (result i32)
        (local $part i32)
        (loop $more
          (if (i32.eqz (local.get $len)) (then (return (i32.const 0))))
          (local.set $part (select (local.get $len) (i32.const 4096) (i32.lt_u (local.get $len) (i32.const 4096))))
          (call $write (local.get $stream) (local.get $text) (local.get $part) (i32.const 0))
          (local.set $text (i32.add (local.get $text) (local.get $part)))
          (local.set $len (i32.sub (local.get $len) (local.get $part)))
          (br_if $more (i32.eqz (i32.load8_u (i32.const 0)))))
        (if (i32.eqz (i32.load8_u (i32.const 4))) (then (call $drop-error (i32.load (i32.const 8)))))
        i32.const 1)

      ;; A line that cannot be written is lost, and the call goes on.
      (func (export "log") (param $level i32) (param $text i32) (param $len i32)
        (local $name i32)
        (local.set $name (i32.add (i32.const 160) (i32.shl (local.get $level) (i32.const 3))))
        (drop (call $print (global.get $stderr) (i32.add (local.get $name) (i32.const 1)) (i32.load8_u (local.get $name))))
        (drop (call $print (global.get $stderr) (local.get $text) (local.get $len)))
        (drop (call $print (global.get $stderr) (i32.const 192) (i32.const 1)))
        (call $forget))

      (func (export "unix-time-us") (result i64)
        (call $wall-now (i32.const 0))
        (i64.add
          (i64.mul (i64.load (i32.const 0)) (i64.const 1000000))
          (i64.div_u (i64.load32_u (i32.const 8)) (i64.const 1000))))
      (func (export "elapsed-us") (result i64)
        (i64.div_u (i64.sub (call $monotonic-now) (global.get $began-ns)) (i64.const 1000)))

      ;; Nobody counts: every slice is the largest there is.
      (func (export "tick") (param i32) (result i32) i32.const 0x7fffffff)
      (func (export "finish") (param i32 i32 i32))

      ;; Nothing is known of the processor: the handler hashes for itself.
      (func (export "compress")
          (param i32 i64 i64 i64 i64 i64 i64 i64 i64) (param $blocks i32) (param i32) (result i32)
        (call $forget)
        (i32.store8 (i32.const 0) (i32.const 0))
        i32.const 0)

      ;; Every operation is refused, in the order in which they were started: two counters are all there is to know. (One that is
      ;; cancelled is refused all the same. Nobody waits for it.)
      (func (export "start") (param $name i32) (param i32) (param $arguments i32) (param i32) (result i32)
        (call $forget)
        (global.set $started (i32.add (global.get $started) (i32.const 1)))
        global.get $started)
      (func (export "next") (param $id i32))
      (func (export "cancel") (param $id i32))
      (func (export "wait") (param $has-timeout i32) (param $timeout-us i64) (result i32)
        (if (i32.lt_u (global.get $refused) (global.get $started)) (then
          (global.set $refused (i32.add (global.get $refused) (i32.const 1)))
          (i32.store (i32.const 36) (global.get $refused))
          (return (i32.const 32))))
        (if (local.get $has-timeout) (then (call $sleep (local.get $timeout-us))))
        (i32.store8 (i32.const 0) (i32.const 0))
        i32.const 0)
      (func $sleep (export "sleep-us") (param $us i64)
        (local $pollable i32)
        ;; 2^54 microseconds are 570 years, and still fit as nanoseconds.
        (local.set $us (select (local.get $us) (i64.const 0x3fffffffffffff) (i64.lt_u (local.get $us) (i64.const 0x3fffffffffffff))))
        (local.set $pollable (call $subscribe-duration (i64.mul (local.get $us) (i64.const 1000))))
        (call $block (local.get $pollable))
        (call $drop-pollable (local.get $pollable))))

    (alias outer $command $memory (core module $memory))
    (core instance $memory (instantiate $memory))
    (alias core export $memory "memory" (core memory $bytes))
    (alias core export $memory "realloc" (core func $realloc))
    (core func $read (canon lower (func $read) (memory $bytes) (realloc $realloc)))
    (core func $write (canon lower (func $write) (memory $bytes)))
    (core func $drop-error (canon resource.drop $error))
    (core func $block (canon lower (func $block)))
    (core func $subscribe-duration (canon lower (func $subscribe-duration)))
    (core func $drop-pollable (canon resource.drop $pollable))
    (core func $get-arguments (canon lower (func $get-arguments) (memory $bytes) (realloc $realloc)))
    (core func $get-stdin (canon lower (func $get-stdin)))
    (core func $get-stdout (canon lower (func $get-stdout)))
    (core func $get-stderr (canon lower (func $get-stderr)))
    (core func $wall-now (canon lower (func $wall-now) (memory $bytes)))
    (core func $monotonic-now (canon lower (func $monotonic-now)))
    (core func $get-random-u64 (canon lower (func $get-random-u64)))
    (core instance $code (instantiate $code
      (with "memory" (instance $memory))
      (with "wasi" (instance
        (export "read" (func $read))
        (export "write" (func $write))
        (export "drop-error" (func $drop-error))
        (export "block" (func $block))
        (export "subscribe-duration" (func $subscribe-duration))
        (export "drop-pollable" (func $drop-pollable))
        (export "get-arguments" (func $get-arguments))
        (export "get-stdin" (func $get-stdin))
        (export "get-stdout" (func $get-stdout))
        (export "get-stderr" (func $get-stderr))
        (export "wall-now" (func $wall-now))
        (export "monotonic-now" (func $monotonic-now))
        (export "get-random-u64" (func $get-random-u64))))))

    (func (export "event") (result string) (canon lift (core func $code "event") (memory $bytes)))
    (func (export "context") (result string) (canon lift (core func $code "context") (memory $bytes)))
    (func (export "print") (param "to-stderr" bool) (param "text" string) (result (result))
      (canon lift (core func $code "print") (memory $bytes) (realloc $realloc)))
    (func (export "unix-time-us") (result u64) (canon lift (core func $code "unix-time-us")))
    (func (export "elapsed-us") (result u64) (canon lift (core func $code "elapsed-us")))
    (func (export "sleep-us") (param "duration" u64) (canon lift (core func $code "sleep-us")))
    (func (export "tick") (param "left" s32) (result s32) (canon lift (core func $code "tick")))
    (func (export "finish") (param "left" s32) (param "memory" (list u8))
      (canon lift (core func $code "finish") (memory $bytes) (realloc $realloc)))
    (type $hash' (enum "sha1" "sha256" "sha512"))
    (export $hash "hash" (type $hash'))
    (type $state (tuple u64 u64 u64 u64 u64 u64 u64 u64))
    (func (export "compress") (param "hash" $hash) (param "state" $state) (param "blocks" (list u8)) (result (option $state))
      (canon lift (core func $code "compress") (memory $bytes) (realloc $realloc)))
    (type $level' (enum "debug" "info" "warn" "error"))
    (export $level "level" (type $level'))
    (func (export "log") (param "level" $level) (param "message" string)
      (canon lift (core func $code "log") (memory $bytes) (realloc $realloc)))
    (type $operation-error' (record (field "code" string) (field "message" string)))
    (export $operation-error "operation-error" (type $operation-error'))
    (type $completion' (record (field "id" u32) (field "is-last" bool) (field "outcome" (result string (error $operation-error)))))
    (export $completion "completion" (type $completion'))
    (func (export "start") (param "name" string) (param "arguments" string) (result u32)
      (canon lift (core func $code "start") (memory $bytes) (realloc $realloc)))
    (func (export "next") (param "id" u32) (canon lift (core func $code "next")))
    (func (export "cancel") (param "id" u32) (canon lift (core func $code "cancel")))
    (func (export "wait") (param "timeout-us" (option u64)) (result (option $completion))
      (canon lift (core func $code "wait") (memory $bytes))))

  ;; The handler's files. A language that reads none does not import them.
  (component $files
    (alias outer $command $archive (core module $archive))
    (alias outer $command $reader (core module $reader))
    (core instance $archive (instantiate $archive))
    (alias core export $archive "archive" (core memory $bytes))
    (core instance $reader (instantiate $reader
      (with "env" (instance (export "memory" (memory $bytes))))))
    (alias core export $reader "realloc" (core func $realloc))
    (alias core export $reader "forget" (core func $forget))

    (type $file' (record (field "id" u32) (field "is-folder" bool) (field "size" u64)))
    (export $file "file" (type $file'))
    (func (export "find") (param "folder" u32) (param "path" string) (result (option $file))
      (canon lift (core func $reader "find") (memory $bytes) (realloc $realloc) (post-return $forget)))
    (func (export "read") (param "id" u32) (param "offset" u64) (param "length" u32) (result (list u8))
      (canon lift (core func $reader "read") (memory $bytes) (post-return $forget)))
    (func (export "names") (param "id" u32) (result (list string))
      (canon lift (core func $reader "names") (memory $bytes) (post-return $forget))))

  ;; Makes the one call and prints what came of it.
  (component $runner
    (type $failure-kind' (enum "thrown" "never-settles" "not-serializable" "bad-event"))
    (import "failure-kind" (type $failure-kind (eq $failure-kind')))
    (type $failure' (record
      (field "kind" $failure-kind) (field "name" string) (field "message" string) (field "stack" string)))
    (import "failure" (type $failure (eq $failure')))
    (import "handle" (func $handle (param "event" string) (param "context" string) (result (result string (error $failure)))))
    (import "event" (func $event (result string)))
    (import "context" (func $context (result string)))
    (import "print" (func $print (param "to-stderr" bool) (param "text" string) (result (result))))

    (core module $code
      (import "memory" "memory" (memory 1))
      (import "host" "event" (func $event (param $result i32)))
      (import "host" "context" (func $context (param $result i32)))
      (import "host" "print" (func $print (param $to-stderr i32) (param $text i32) (param $len i32) (result i32)))
      (import "handler" "handle" (func $handle
        (param $event i32) (param i32) (param $context i32) (param i32) (param $result i32)))

      ;; 0: event and context; 16: what the handler answered.
      (data (i32.const 64) "\n")
      (data (i32.const 68) ": ")
      ;; 72: where the words lie that tell the kind of a failure; what was thrown tells itself.
      (data (i32.const 72) "\00\00\00\00\00\00\00\00" "\80\00\00\00\4e\00\00\00" "\00\01\00\00\2b\00\00\00" "\40\01\00\00\1a\00\00\00")
      (data (i32.const 128) "the handler's promise never settles: nothing is under way that could settle it")
      (data (i32.const 256) "the result is nothing that JSON can carry: ")
      (data (i32.const 320) "the event cannot be read: ")

      (func (export "run") (result i32)
        (call $event (i32.const 0))
        (call $context (i32.const 8))
        (call $handle
          (i32.load (i32.const 0)) (i32.load (i32.const 4)) (i32.load (i32.const 8)) (i32.load (i32.const 12)) (i32.const 16))
        (if (i32.load8_u (i32.const 16)) (then
          (call $explain)
          (return (i32.const 1))))
        (i32.or
          (call $print (i32.const 0) (i32.load (i32.const 20)) (i32.load (i32.const 24)))
          (call $print (i32.const 0) (i32.const 64) (i32.const 1))))

      ;; `Name: message` and the stack, which most engines end with a newline.
      (func $explain
        (if (i32.load (i32.const 28)) (then
          (call $say (i32.const 24))
          (drop (call $print (i32.const 1) (i32.const 68) (i32.const 2)))))
        (call $say (i32.add (i32.const 72) (i32.shl (i32.load8_u (i32.const 20)) (i32.const 3))))
        (call $say (i32.const 32))
        (drop (call $print (i32.const 1) (i32.const 64) (i32.const 1)))
        (if (i32.load (i32.const 44)) (then
          (call $say (i32.const 40))
          (if (i32.ne (i32.const 10) (i32.load8_u (i32.sub
              (i32.add (i32.load (i32.const 40)) (i32.load (i32.const 44)))
              (i32.const 1))))
            (then (drop (call $print (i32.const 1) (i32.const 64) (i32.const 1))))))))
      ;; `$string` is where a string's place and length lie.
      (func $say (param $string i32)
        (drop (call $print (i32.const 1) (i32.load (local.get $string)) (i32.load offset=4 (local.get $string))))))

    (alias outer $command $memory (core module $memory))
    (core instance $memory (instantiate $memory))
    (alias core export $memory "memory" (core memory $bytes))
    (alias core export $memory "realloc" (core func $realloc))
    (core func $event (canon lower (func $event) (memory $bytes) (realloc $realloc)))
    (core func $context (canon lower (func $context) (memory $bytes) (realloc $realloc)))
    (core func $print (canon lower (func $print) (memory $bytes)))
    (core func $handle (canon lower (func $handle) (memory $bytes) (realloc $realloc)))
    (core instance $code (instantiate $code
      (with "memory" (instance $memory))
      (with "host" (instance
        (export "event" (func $event))
        (export "context" (func $context))
        (export "print" (func $print))))
      (with "handler" (instance (export "handle" (func $handle))))))
    (func (export "run") (result (result)) (canon lift (core func $code "run"))))

  (instance $host (instantiate $host
    (with "error" (type $error))
    (with "pollable" (type $pollable))
    (with "input-stream" (type $input-stream))
    (with "output-stream" (type $output-stream))
    (with "stream-error" (type $streams "stream-error"))
    (with "datetime" (type $wall-clock "datetime"))
    (with "read" (func $streams "[method]input-stream.blocking-read"))
    (with "write" (func $streams "[method]output-stream.blocking-write-and-flush"))
    (with "block" (func $poll "[method]pollable.block"))
    (with "subscribe-duration" (func $monotonic-clock "subscribe-duration"))
    (with "get-arguments" (func $environment "get-arguments"))
    (with "get-stdin" (func $stdin "get-stdin"))
    (with "get-stdout" (func $stdout "get-stdout"))
    (with "get-stderr" (func $stderr "get-stderr"))
    (with "wall-now" (func $wall-clock "now"))
    (with "monotonic-now" (func $monotonic-clock "now"))
    (with "get-random-u64" (func $random "get-random-u64"))))
  (instance $files (instantiate $files))
  (instance $handler (instantiate $handler
    (with "mirra:function/clocks@0.1.0" (instance
      (export "unix-time-us" (func $host "unix-time-us"))
      (export "elapsed-us" (func $host "elapsed-us"))
      (export "sleep-us" (func $host "sleep-us"))))
    (with "mirra:function/files@0.1.0" (instance $files))
    (with "mirra:function/hashing@0.1.0" (instance
      (export "hash" (type $host "hash"))
      (export "compress" (func $host "compress"))))
    (with "mirra:function/logging@0.1.0" (instance
      (export "level" (type $host "level"))
      (export "log" (func $host "log"))))
    (with "mirra:function/metering@0.1.0" (instance
      (export "tick" (func $host "tick"))
      (export "finish" (func $host "finish"))))
    (with "mirra:function/operations@0.1.0" (instance
      (export "operation-error" (type $host "operation-error"))
      (export "completion" (type $host "completion"))
      (export "start" (func $host "start"))
      (export "next" (func $host "next"))
      (export "cancel" (func $host "cancel"))
      (export "wait" (func $host "wait"))))
    (with "mirra:function/random@0.1.0" (instance (export "next-u64" (func $random "get-random-u64"))))))
  (alias export $handler "mirra:function/handler@0.1.0" (instance $function))
  (instance $runner (instantiate $runner
    (with "failure-kind" (type $function "failure-kind"))
    (with "failure" (type $function "failure"))
    (with "handle" (func $function "handle"))
    (with "event" (func $host "event"))
    (with "context" (func $host "context"))
    (with "print" (func $host "print"))))
  (instance $run (export "run" (func $runner "run")))
  (export "wasi:cli/run@0.2.0" (instance $run)))
