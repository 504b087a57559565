//! What `mirra bench` measures: programs, not timed tests. Each prints a table for people and JSON for programs.

mod beside;
mod cold_start;
mod density;
mod deploy;
mod flows;
mod http;
mod limits;
mod memory;
mod node;
mod packages;
mod python;
mod report;
mod resources;
mod scientific;
mod serve;
mod subject;
mod throughput;
mod workbench;
mod workerd;

pub use cold_start::cold_start;
pub use density::density;
pub use deploy::deploy;
pub use flows::{Amounts, flows};
pub use limits::limits;
pub use memory::memory;
pub use node::node;
pub use python::python;
pub use report::{Figure, Report};
pub use resources::resources;
pub use scientific::scientific;
pub use subject::Lang;
pub use throughput::throughput;
pub use workbench::Workbench;
