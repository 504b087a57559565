use std::path::PathBuf;

use clap::{Args, Subcommand};
use mirra_benches::{Lang, Report, Workbench};
use mirra_runtime::ChildCommand;

use super::serve::raise_descriptor_limit;
use crate::{
    compose,
    config::HostFlags,
    failure::{Exit, Failure},
    terminal::Spinner,
};

/// Measure this machine, beside what is promised
///
/// Figures are of this moment: close other programs, and compare only what was measured in one run.
#[derive(Args)]
pub struct Bench {
    #[command(subcommand)]
    what: What,

    /// The language of the handlers
    #[arg(long, global = true, value_enum, default_value_t = Lang::Js)]
    lang: Lang,

    /// Print JSON instead of a table
    #[arg(long, global = true)]
    json: bool,

    #[command(flatten)]
    host: HostFlags,
}

#[derive(Subcommand)]
enum What {
    /// A call in a fresh instance: latency
    ColdStart {
        #[arg(long, default_value_t = 2000)]
        calls: usize,
        /// Cloudflare's workerd (npm install workerd), to be measured beside it
        #[arg(long, value_name = "PROGRAM")]
        workerd: Option<PathBuf>,
    },
    /// From a saved file to a callable handler, and 'mirra run' as a whole process
    Deploy {
        #[arg(long, default_value_t = 40)]
        rounds: usize,
    },
    /// POST /run on one core, and beside busy neighbours
    Throughput {
        #[arg(long, default_value_t = 4)]
        seconds: u64,
    },
    /// Memory of many handlers and of live instances
    Density {
        #[arg(long, default_value_t = 1000)]
        handlers: usize,
        #[arg(long, default_value_t = 500)]
        instances: usize,
    },
    /// Python beside python3 and componentize-py
    Python {
        /// componentize-py (pip install componentize-py), to be measured beside it
        #[arg(long, value_name = "PROGRAM")]
        componentize_py: Option<PathBuf>,
    },
    /// CPU-bound work beside Node, and handlers with packages of npm in them
    Node {
        /// A folder with lodash, date-fns and axios in its node_modules, such as fixtures/npm after npm ci
        #[arg(long, value_name = "DIR", default_value = "fixtures/npm")]
        packages: PathBuf,
        /// QuickJS as compiled for this machine (guest-sdk/node/native-comparison), to be measured beside it
        #[arg(long, value_name = "PROGRAM")]
        quickjs: Option<PathBuf>,
        #[arg(long, default_value_t = 11)]
        rounds: usize,
    },
    /// The memory: from handlers, over the API, and what a search takes
    Memory {
        /// How many there are when it is searched
        #[arg(long, default_value_t = 100_000)]
        entities: usize,
        #[arg(long, default_value_t = 4)]
        seconds: u64,
    },
    /// Scripts and flows: executions over the API, events, ticks, and lists where there is much; a few minutes
    Flows {
        /// That events start, and as many that the clock does
        #[arg(long, default_value_t = 1_000)]
        flows: usize,
        /// That are stored when they are listed and searched
        #[arg(long, default_value_t = 5_000)]
        stored_flows: usize,
        /// Runs in the history
        #[arg(long, default_value_t = 100_000)]
        history_rows: usize,
        #[arg(long, default_value_t = 4)]
        seconds: u64,
    },
    /// Resources: what a call adds to its HTTP request, and many at a time
    Resources,
    /// Handlers with numpy and pandas in them
    Scientific,
    /// What the limits cost CPU-bound handlers
    Limits {
        #[arg(long, default_value_t = 21)]
        rounds: usize,
    },
}

impl Bench {
    pub fn run(self, bundler: ChildCommand) -> Result<Exit, Failure> {
        let workbench = Workbench { cache_folder: self.host.cache_folder(), bundler };
        raise_descriptor_limit();
        let program = std::env::current_exe().map_err(Failure::host)?;
        let report = compose::block_on(self.what.measure(&workbench, self.lang, program))?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report).map_err(Failure::host)?);
        } else {
            print!("{report}");
        }
        Ok(Exit::Success)
    }
}

impl What {
    async fn measure(&self, workbench: &Workbench, lang: Lang, program: PathBuf) -> Result<Report, Failure> {
        let _spinner = Spinner::start("measuring");
        let report = match *self {
            What::ColdStart { calls, ref workerd } => mirra_benches::cold_start(workbench, lang, calls, workerd.as_deref()).await,
            What::Deploy { rounds } => mirra_benches::deploy(workbench, &program, lang, rounds).await,
            What::Throughput { seconds } => mirra_benches::throughput(&program, lang, seconds).await,
            What::Density { handlers, instances } => mirra_benches::density(workbench, lang, handlers, instances).await,
            What::Python { ref componentize_py } => mirra_benches::python(workbench, componentize_py.as_deref()).await,
            What::Node { ref packages, ref quickjs, rounds } => mirra_benches::node(workbench, packages, quickjs.as_deref(), rounds).await,
            What::Memory { entities, seconds } => mirra_benches::memory(workbench, &program, entities, seconds).await,
            What::Flows { flows, stored_flows, history_rows, seconds } => {
                let amounts = mirra_benches::Amounts { flows, stored_flows, history_rows, seconds };
                mirra_benches::flows(&program, amounts).await
            }
            What::Resources => mirra_benches::resources(workbench).await,
            What::Scientific => mirra_benches::scientific(workbench).await,
            What::Limits { rounds } => mirra_benches::limits(workbench, lang, rounds).await,
        };
        report.map_err(Failure::host)
    }
}
