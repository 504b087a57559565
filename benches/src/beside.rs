//! The same work in mirra and in another program, in turn, so that the machine's moods hit both alike.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use mirra_host_sdk::{HandlerId, Limits};
use mirra_runtime::LocalExecutor;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    report::{cpu_time_ms, percentile},
    workbench::{invoke, json},
};

/// A program that runs handlers, as `handlers/node/peer.mjs` does. It ends with its stdin.
pub struct Peer {
    name: &'static str,
    child: Child,
    calls: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

#[derive(Serialize)]
struct Call<'a> {
    handler: &'a Path,
    event: &'a RawValue,
}

#[derive(Deserialize)]
struct Answer {
    ms: f64,
    result: serde_json::Value,
}

impl Peer {
    pub fn start(name: &'static str, command: &mut Command) -> Result<Peer> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {name}"))?;
        let (calls, answers) = (child.stdin.take(), child.stdout.take());
        let answers = BufReader::new(answers.context("a child without stdout")?);
        Ok(Peer { name, child, calls, answers })
    }

    fn call(&mut self, handler: &Path, event: &RawValue) -> Result<Answer> {
        let calls = self.calls.as_mut().context("the peer has ended")?;
        writeln!(calls, "{}", serde_json::to_string(&Call { handler, event })?)?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        serde_json::from_str(&line).with_context(|| format!("{} does not answer as the bench expects: {line}", self.name))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.calls = None;
        // It has nothing left to do; whether it ends well matters to nobody.
        let _ = self.child.wait();
    }
}

/// A handler, ready in mirra, and its file for peers.
pub struct Work<'a> {
    pub executor: &'a LocalExecutor,
    pub handler: &'a HandlerId,
    pub file: &'a Path,
}

/// CPU time here, in milliseconds, and how many times that of each peer; medians of so many rounds.
pub struct Beside {
    pub ours_ms: f64,
    pub ratios: Vec<f64>,
}

impl Work<'_> {
    /// `event.work` is the kind of work. The answers must be equal.
    pub async fn beside(&self, kind: &str, peers: &mut [&mut Peer], rounds: usize) -> Result<Beside> {
        let event = json(&format!(r#"{{"work":"{kind}"}}"#))?;
        // A compiler that works while a program runs has done so by then.
        for peer in &mut *peers {
            peer.call(self.file, &event)?;
            peer.call(self.file, &event)?;
        }
        let mut ours = Vec::new();
        let mut ratios = vec![Vec::new(); peers.len()];
        for _ in 0..rounds {
            let began = cpu_time_ms();
            let outcome = invoke(self.executor, self.handler, &event, Limits::default()).await?;
            let ours_ms = cpu_time_ms() - began;
            let result: serde_json::Value = serde_json::from_str(outcome.result.map_err(anyhow::Error::from)?.get())?;
            ours.push(ours_ms);
            for (peer, ratios) in peers.iter_mut().zip(&mut ratios) {
                let answer = peer.call(self.file, &event)?;
                ensure!(answer.result == result, "{kind}: {} answers {} and mirra {result}", peer.name, answer.result);
                ratios.push(ours_ms / answer.ms);
            }
        }
        let ratios = ratios.iter_mut().map(|ratios| percentile(ratios, 0.5)).collect();
        Ok(Beside { ours_ms: percentile(&mut ours, 0.5), ratios })
    }
}
