use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Call, bindings::mirra::function::clocks::Host};

impl Host for Call {
    fn unix_time_us(&mut self) -> wasmtime::Result<u64> {
        Ok(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as u64)
    }

    fn elapsed_us(&mut self) -> wasmtime::Result<u64> {
        Ok(self.guard.elapsed().as_micros() as u64)
    }

    async fn sleep_us(&mut self, duration: u64) -> wasmtime::Result<()> {
        tokio::time::sleep(Duration::from_micros(duration)).await;
        Ok(())
    }
}
