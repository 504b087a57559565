//! What `mirra bench` measures: programs, not timed tests. Each prints a table for people and JSON for programs.

mod cold_start;
mod limits;
mod report;
mod workbench;

pub use cold_start::cold_start;
pub use limits::limits;
pub use report::{Figure, Report};
pub use workbench::Workbench;
