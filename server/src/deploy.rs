//! Deploys handlers, several at a time, and tells the operator what became of each.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc, time::Instant};

use futures_util::{StreamExt, stream};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    problem::Problem,
    routes::{Deployed, Routes},
    terminal::{progress_bar, red, say, time},
};

/// Where each handler lies, by name.
pub type Handlers = BTreeMap<String, PathBuf>;

/// At the start: every handler, with a line for each.
pub async fn first(routes: &Arc<Routes>, handlers: Handlers) {
    let bar = progress_bar(handlers.len());
    let tell = |name: &str, deployed: Deployed| {
        bar.inc(1);
        bar.suspend(|| match deployed {
            Deployed::Unchanged => {}
            Deployed::New { took, warnings, .. } => {
                say(format_args!("{name} is ready ({})", time(took)));
                tell_warnings(name, &warnings);
            }
            Deployed::Failed { problem, .. } => tell_problem(&format!("{name} is rejected:"), &problem),
        });
    };
    deploy(routes, handlers, tell).await;
    bar.finish_and_clear();
}

/// After a change at `began`: those that it may concern. Most times it concerns one.
pub async fn again(routes: &Arc<Routes>, handlers: Handlers, began: Instant) {
    let tell = |name: &str, deployed: Deployed| match deployed {
        Deployed::Unchanged => {}
        Deployed::New { warnings, is_first, .. } => {
            let done = if is_first { "deployed" } else { "redeployed" };
            say(format_args!("{done} {name} in {}", time(began.elapsed())));
            tell_warnings(name, &warnings);
        }
        Deployed::Failed { problem, serves_previous: true } => {
            tell_problem(&format!("{name} is rejected, and the version before goes on serving:"), &problem);
        }
        Deployed::Failed { problem, serves_previous: false } => tell_problem(&format!("{name} is rejected:"), &problem),
    };
    deploy(routes, handlers, tell).await;
}

/// For whoever writes handlers and wants to call them.
pub fn tell_addresses(routes: &Routes, address: SocketAddr) {
    let all = routes.all();
    let mut names: Vec<_> = all.keys().collect();
    names.sort();
    for name in names {
        say(format_args!("{name}: http://{address}/run/{}", utf8_percent_encode(name, NON_ALPHANUMERIC)));
    }
}

async fn deploy(routes: &Arc<Routes>, handlers: Handlers, tell: impl Fn(&str, Deployed)) {
    let at_a_time = std::thread::available_parallelism().map_or(1, usize::from) * 2;
    let tasks = handlers.into_iter().map(|(name, path)| {
        let routes = routes.clone();
        tokio::spawn(async move {
            let deployed = routes.deploy(&name, &path).await;
            (name, deployed)
        })
    });
    let mut ends = stream::iter(tasks).buffer_unordered(at_a_time);
    while let Some(end) = ends.next().await {
        match end {
            Ok((name, deployed)) => tell(&name, deployed),
            Err(panic) => tracing::error!(%panic, "a deploy failed"),
        }
    }
}

fn tell_warnings(name: &str, warnings: &[String]) {
    for warning in warnings {
        say(format_args!("{name}: {warning}"));
    }
}

fn tell_problem(what: &str, problem: &Problem) {
    let indented = problem.to_string().replace('\n', "\n  ");
    say(format_args!("{}\n  {indented}", red(what)));
}
