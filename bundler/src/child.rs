//! The child: one request on standard input, one answer on standard output, and an end.

use std::{
    io::{self, Read as _, Write as _},
    process::{self, ExitCode},
    thread,
};

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::{
    Answer, Job, Limits,
    bundle::{bundle, rehearse},
};

/// The stack of every thread that walks a syntax tree. It is reserved, not used: 64 MB parse brackets nested some
/// 90,000 deep, far beyond what the engine itself parses.
const STACK_BYTES: usize = 64 << 20;

/// Threads beyond these bring nothing for a handler and reserve a stack each.
const MAX_WORKERS: usize = 4;

/// What the program that a [`Bundler`](crate::Bundler) starts has to run, and nothing else.
///
/// Reads one request from standard input, answers on standard output, and exits: with success after an answer or when
/// standard input ended before a request. It takes limits upon itself before it touches the handler, and ends
/// at once when standard input ends, since then nobody waits for the answer.
pub fn child_main() -> ExitCode {
    exit_on_panic();
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// A panic in one of rolldown's tasks would leave the others waiting for ever.
fn exit_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        process::exit(101);
    }));
}

fn serve() -> io::Result<()> {
    let workers = thread::available_parallelism().map_or(1, |n| n.get().min(MAX_WORKERS));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).thread_stack_size(STACK_BYTES).build()?;
    rayon::ThreadPoolBuilder::new().num_threads(workers).stack_size(STACK_BYTES).build_global().map_err(io::Error::other)?;

    let Some(job) = next_job(|| runtime.block_on(rehearse()))? else {
        return Ok(());
    };
    restrict(&job.limits, 2 * workers)?;
    thread::spawn(exit_with_the_parent);

    let task = runtime.spawn(async move {
        let bundled = bundle(&job.request, job.limits.source_bytes).await;
        bundled.map_or_else(Answer::Rejected, Answer::Bundled)
    });
    let answer = runtime.block_on(task).map_err(io::Error::other)?;
    let mut stdout = io::stdout().lock();
    serde_json::to_writer(&mut stdout, &answer)?;
    stdout.flush()?;
    // Freeing every syntax tree would only delay the answer's reader.
    process::exit(0)
}

/// Waits for the request; an empty line before it asks to prepare meanwhile.
fn next_job(prepare: impl Fn()) -> io::Result<Option<Job>> {
    for line in io::stdin().lines() {
        let line = line?;
        if !line.is_empty() {
            return Ok(Some(serde_json::from_str(&line)?));
        }
        prepare();
    }
    Ok(None)
}

/// What the kernel holds this process to from here on.
fn restrict(limits: &Limits, threads: usize) -> io::Result<()> {
    let exactly = |n: u64| Rlimit { current: Some(n), maximum: Some(n) };
    let stacks = (threads * STACK_BYTES) as u64;
    setrlimit(Resource::Data, exactly(limits.memory_bytes + stacks))?;
    // The first second past the limit brings SIGXCPU, which tells the parent what happened.
    let cpu = Rlimit { current: Some(limits.cpu_seconds), maximum: Some(limits.cpu_seconds + 1) };
    setrlimit(Resource::Cpu, cpu)?;
    setrlimit(Resource::Fsize, exactly(0))?;
    setrlimit(Resource::Core, exactly(0))?;
    Ok(())
}

/// The parent keeps standard input open for as long as it wants the answer, so its end is the parent's, or its loss of
/// interest. `PR_SET_PDEATHSIG` would be tied to the parent's thread that happened to start this process.
fn exit_with_the_parent() {
    let mut nothing = [0];
    while io::stdin().read(&mut nothing).is_ok_and(|n| n > 0) {}
    process::exit(0);
}
