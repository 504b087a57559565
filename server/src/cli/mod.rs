//! The command line: one file for each subcommand.

mod backup;
mod bench;
mod build;
mod completions;
mod dev;
mod exec;
mod new;
mod once;
mod remote;
mod rotate_key;
mod run;
mod serve;

use clap::{Parser, Subcommand};
use mirra_runtime::ChildCommand;

use crate::failure::{Exit, Failure};

#[derive(Parser)]
#[command(name = "mirra", version, about = ABOUT, after_help = MORE, after_long_help = MORE_LONG)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Run),
    Serve(serve::Serve),
    Dev(dev::Dev),
    New(new::New),
    Build(build::Build),
    Bench(bench::Bench),
    Exec(exec::Exec),
    Backup(backup::Backup),
    RotateKey(rotate_key::RotateKey),
    Deploy(remote::Deploy),
    Scripts(remote::Scripts),
    Flows(remote::Flows),
    Events(remote::Events),
    Logs(remote::Logs),
    Keys(remote::Keys),
    Resources(remote::Resources),
    Notifications(remote::Notifications),
    Login(remote::Login),
    Completions(completions::Completions),
}

impl Cli {
    /// `bundler`: how this program is started to bundle a handler.
    pub fn run(self, bundler: ChildCommand) -> Result<Exit, Failure> {
        match self.command {
            Command::Run(command) => command.run(bundler),
            Command::Serve(command) => command.run(bundler),
            Command::Dev(command) => command.run(bundler),
            Command::New(command) => command.run(),
            Command::Build(command) => command.run(bundler),
            Command::Bench(command) => command.run(bundler),
            Command::Exec(command) => command.run(bundler),
            Command::Backup(command) => command.run(),
            Command::RotateKey(command) => command.run(),
            Command::Deploy(command) => command.run(),
            Command::Scripts(command) => command.run(),
            Command::Flows(command) => command.run(),
            Command::Events(command) => command.run(),
            Command::Logs(command) => command.run(),
            Command::Keys(command) => command.run(),
            Command::Resources(command) => command.run(),
            Command::Notifications(command) => command.run(),
            Command::Login(command) => command.run(),
            Command::Completions(command) => command.run(),
        }
    }
}

const ABOUT: &str =
    "Runs functions written in TypeScript or JavaScript, each call in a fresh WebAssembly instance with limits on memory, time and money.";

const MORE: &str = "\
Examples:
  mirra new hello                                 a folder with a handler to begin with
  mirra run hello --event '{\"name\":\"Ada\"}'        one call
  mirra serve hello                               the same over HTTP, redeployed whenever you save
  curl http://127.0.0.1:3000/run/hello -d '{\"name\":\"Ada\"}'

'mirra --help' tells more: what a handler is, exit codes, environment.";

const MORE_LONG: &str = "\
Examples:
  mirra new hello                                 a folder with a handler to begin with
  mirra run hello --event '{\"name\":\"Ada\"}'        one call; the event may also be @file or - (stdin)
  mirra run hello --json | jq .usage              the whole outcome as JSON
  mirra serve hello other.ts folder-of-handlers   over HTTP, redeployed whenever you save
  curl http://127.0.0.1:3000/run/hello -d '{\"name\":\"Ada\"}'
  mirra build hello -o hello.wasm                 a component for any wasmtime, and for mirra itself
  mirra deploy hello                              to a server, as a script: mirra scripts run hello
  echo '{\"handler\":\"hello\",\"event\":{}}' | mirra exec

A handler:
  A .ts, .js, .mjs or .py file, a .wasm component of the world mirra:function/function, or a folder
  with a package.json, an index or a handler file. It exports `handler`, by name or as default:

      export async function handler(event: { name?: string }) {
        return { greeting: `Hello, ${event.name ?? 'world'}!` };
      }

  In Python, with packages from requirements.txt:

      async def handler(event, context):
          return {'greeting': f\"Hello, {event.get('name', 'world')}!\"}

Exit codes:
  0  success
  1  the handler failed: it threw, never settled, or answered what JSON cannot carry
  2  wrong use: flags, no such file, an event that is not JSON, a source that is rejected
  3  a limit was hit: time, memory, cost, the size of the event or the result
  4  the host failed: its disk, its ports, itself

Environment:
  MIRRA_OWNER_KEY  what callers of 'mirra serve' must know; needed to listen beyond this machine
  MIRRA_URL        the server that 'mirra deploy', 'scripts', 'flows' and others ask, as --url
  MIRRA_API_KEY    the key that they ask it with; otherwise the one that 'mirra login' has kept
  MIRRA_DATA       where compiled code and what users keep lies, as --data
  MIRRA_PRICES     a file with prices, as --prices
  MIRRA_SECRET_KEY what credentials are encrypted with (openssl rand -base64 32), instead of a file in the data folder
  RUST_LOG         what the host tells about itself, such as 'debug' or 'mirra=debug'
  NO_COLOR         no colours";
