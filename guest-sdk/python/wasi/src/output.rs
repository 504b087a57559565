//! The C library's own streams.

use ground::host;

use crate::{Answer, clocks::READY};

const STDIN: u32 = 1;
const STDOUT: u32 = 2;
const STDERR: u32 = 3;
/// `stream-error::closed`, in the payload of a `result`.
const CLOSED: u8 = 1;

#[unsafe(export_name = "wasi:cli/stdin@0.2.0#get-stdin")]
extern "C" fn get_stdin() -> u32 {
    STDIN
}

#[unsafe(export_name = "wasi:cli/stdout@0.2.0#get-stdout")]
extern "C" fn get_stdout() -> u32 {
    STDOUT
}

#[unsafe(export_name = "wasi:cli/stderr@0.2.0#get-stderr")]
extern "C" fn get_stderr() -> u32 {
    STDERR
}

#[unsafe(export_name = "wasi:io/streams@0.2.0#[method]output-stream.check-write")]
extern "C" fn check_write(_stream: u32, answer: Answer) {
    answer.byte(0, 0);
    answer.long(8, 4096);
}

#[unsafe(export_name = "wasi:io/streams@0.2.0#[method]output-stream.write")]
extern "C" fn write(stream: u32, start: *const u8, len: usize, answer: Answer) {
    if stream != STDOUT && stream != STDERR {
        return answer.error(4, CLOSED);
    }
    // SAFETY: a list of bytes.
    host::write(stream == STDERR, unsafe { core::slice::from_raw_parts(start, len) });
    answer.byte(0, 0);
}

#[unsafe(export_name = "wasi:io/streams@0.2.0#[method]output-stream.blocking-flush")]
extern "C" fn blocking_flush(_stream: u32, answer: Answer) {
    answer.byte(0, 0);
}

#[unsafe(export_name = "wasi:io/streams@0.2.0#[method]output-stream.subscribe")]
extern "C" fn subscribe_output(_stream: u32) -> u32 {
    READY
}

#[unsafe(export_name = "wasi:io/streams@0.2.0#[method]input-stream.subscribe")]
extern "C" fn subscribe_input(_stream: u32) -> u32 {
    READY
}

#[unsafe(export_name = "wasi:io/streams@0.2.0#[resource-drop]output-stream")]
extern "C" fn drop_output_stream(_stream: u32) {}

#[unsafe(export_name = "wasi:cli/terminal-input@0.2.0#[resource-drop]terminal-input")]
extern "C" fn drop_terminal_input(_terminal: u32) {}

#[unsafe(export_name = "wasi:cli/terminal-output@0.2.0#[resource-drop]terminal-output")]
extern "C" fn drop_terminal_output(_terminal: u32) {}

#[unsafe(export_name = "wasi:io/error@0.2.0#[resource-drop]error")]
extern "C" fn drop_error(_error: u32) {}

/// An exit has no process to end. Python's own never comes here.
#[unsafe(export_name = "wasi:cli/exit@0.2.0#exit")]
extern "C" fn exit(_is_error: u32) {
    core::arch::wasm32::unreachable()
}
