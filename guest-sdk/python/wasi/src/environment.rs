//! Randomness; and neither variables, arguments, input nor a terminal.

use ground::host;

use crate::{Answer, engine};

#[unsafe(export_name = "wasi:random/random@0.2.0#get-random-bytes")]
extern "C" fn get_random_bytes(len: u64, answer: Answer) {
    let len = len as usize;
    let bytes = engine::allocate(len, 1);
    // SAFETY: a block of so many bytes.
    unsafe { host::random(bytes, len) };
    answer.list(0, bytes, len);
}

#[unsafe(export_name = "wasi:cli/environment@0.2.0#get-environment")]
extern "C" fn get_environment(answer: Answer) {
    answer.list(0, core::ptr::without_provenance_mut(4), 0);
}

#[unsafe(export_name = "wasi:cli/environment@0.2.0#get-arguments")]
extern "C" fn get_arguments(answer: Answer) {
    answer.list(0, core::ptr::without_provenance_mut(4), 0);
}

#[unsafe(export_name = "wasi:cli/terminal-stdin@0.2.0#get-terminal-stdin")]
extern "C" fn get_terminal_stdin(answer: Answer) {
    answer.byte(0, 0);
}

#[unsafe(export_name = "wasi:cli/terminal-stdout@0.2.0#get-terminal-stdout")]
extern "C" fn get_terminal_stdout(answer: Answer) {
    answer.byte(0, 0);
}

#[unsafe(export_name = "wasi:cli/terminal-stderr@0.2.0#get-terminal-stderr")]
extern "C" fn get_terminal_stderr(answer: Answer) {
    answer.byte(0, 0);
}

/// What linking leaves of the adapter for programs of WASI 0.1, which has no state here.
#[unsafe(export_name = "wasi_snapshot_preview1#reset_adapter_state")]
extern "C" fn reset_adapter_state() {}
