//! WASI for components of other origin: output becomes log lines, and there are neither files, sockets, arguments nor
//! variables.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use mirra_host_sdk::LogLevel;
use tokio::io::AsyncWrite;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{
    WasiCtx, WasiCtxView, WasiView,
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
};

use super::{Call, Logs};

pub struct Wasi {
    context: WasiCtx,
    table: ResourceTable,
    stdout: Output,
    stderr: Output,
}

impl Wasi {
    /// `output_bytes_max` bounds each of the two streams; what goes beyond is dropped.
    pub fn new(output_bytes_max: u64) -> Wasi {
        let (stdout, stderr) = (Output::new(output_bytes_max), Output::new(output_bytes_max));
        let context = WasiCtx::builder().stdout(stdout.clone()).stderr(stderr.clone()).build();
        Wasi { context, table: ResourceTable::new(), stdout, stderr }
    }

    /// What was written, a log line for each line.
    pub fn drain_into(&self, logs: &mut Logs) {
        for (output, level) in [(&self.stdout, LogLevel::Info), (&self.stderr, LogLevel::Error)] {
            let written = std::mem::take(&mut output.buffer().bytes);
            String::from_utf8_lossy(&written).lines().for_each(|line| logs.push(level, line.to_owned()));
        }
    }
}

impl WasiView for Call {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        // A component that does not import WASI has none; one that does is given it before it is instantiated.
        let wasi = self.wasi.get_or_insert_with(|| Box::new(Wasi::new(self.guard.limits().log_bytes_max)));
        WasiCtxView { ctx: &mut wasi.context, table: &mut wasi.table }
    }
}

/// One stream of output, kept in memory.
#[derive(Clone)]
struct Output(Arc<Mutex<Buffer>>);

struct Buffer {
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl Output {
    fn new(bytes_max: u64) -> Output {
        Output(Arc::new(Mutex::new(Buffer { bytes: Vec::new(), bytes_max: bytes_max as usize })))
    }

    fn buffer(&self) -> std::sync::MutexGuard<'_, Buffer> {
        // Nothing that holds the lock can leave the buffer half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Only WASI 0.3 asks for this form, and handlers get 0.2.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut buffer = self.buffer();
        let room = buffer.bytes_max.saturating_sub(buffer.bytes.len());
        buffer.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}

#[async_trait::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}
