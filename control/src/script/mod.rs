//! Scripts: handlers that accounts keep here, with versions of which one runs, and the history of their runs.

mod config;
mod history;
mod lint;
mod making;
mod market;
mod operations;
mod running;
mod source;
mod text;
mod versions;

pub use config::{Config, EXECUTIONS_PER_DAY_MAX};
pub use making::{check_owned, code_of, config_of, owned};
pub use market::{Pricing, check_own_work, copy, resources_of, search, surcharge};
pub use operations::{OPERATIONS, RUNS};
pub use running::{Wish, milliseconds, outcome, status};
pub use source::CODE_BYTES_MAX;
pub use versions::{create as create_version, deploy_newest, edit_code, make_deployed, read_code};
