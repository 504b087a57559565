//! JavaScript beside Node, and beside the interpreter as compiled for this machine.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;
use mirra_host_sdk::{Executor, Source};
use mirra_runtime::{LocalExecutor, Metering};

use crate::{
    Figure, Lang, Report, Workbench,
    beside::{Beside, Peer, Work},
    packages::packages,
    subject::Promise,
};

const JSON: &str = include_str!("../handlers/node/json.js");
const NATIVE: &str = include_str!("../handlers/node/native.mjs");
const NATIVE_KEYS: &str = include_str!("../../fixtures/handlers/node-crypto/keys.mjs");
const PEER: &str = include_str!("../handlers/node/peer.mjs");

/// What is promised of hashing, compression and JSON against Node.
const AGAINST_NODE: Option<Promise> = Some((2.0, 2.0));
/// And of the interpreter against itself outside of wasm.
const AGAINST_QUICKJS: Promise = (1.5, 1.5);

/// A kind of work as the handler knows it, how it is called in the report, and what is promised of it against Node.
type Kind = (&'static str, &'static str, Option<Promise>);

const LANGUAGE_KINDS: [Kind; 6] = [
    ("fib", "fib(23)", None),
    ("loop", "a loop of a million turns", None),
    ("regex", "regular expressions", None),
    ("sort", "sorting", None),
    ("strings", "building strings", None),
    ("objects", "Map and objects", None),
];

const JSON_KINDS: [Kind; 2] = [("parse", "JSON.parse of 1.4 MB", AGAINST_NODE), ("stringify", "JSON.stringify of 1.4 MB", AGAINST_NODE)];

const NATIVE_KINDS: [Kind; 18] = [
    ("md5", "MD5 of 1 MB", AGAINST_NODE),
    ("sha1", "SHA-1 of 1 MB", AGAINST_NODE),
    ("sha256", "SHA-256 of 1 MB", AGAINST_NODE),
    ("sha512", "SHA-512 of 1 MB", AGAINST_NODE),
    ("gzip", "gzip of 1 MB", AGAINST_NODE),
    ("gunzip", "gunzip to 1 MB", AGAINST_NODE),
    ("hmac", "1,000 short HMACs", None),
    ("gcm", "AES-256-GCM of 1 MB", None),
    ("cbc", "AES-256-CBC of 1 MB", None),
    ("cbc-open", "AES-256-CBC of 1 MB, decrypted", None),
    ("pbkdf2", "PBKDF2, 10,000 rounds", None),
    ("scrypt", "scrypt, N = 16,384", None),
    ("rsa-sign", "4 signatures, RSA 2048", None),
    ("rsa-verify", "20 signatures verified, RSA 2048", None),
    ("p256-sign", "20 signatures, P-256", None),
    ("p256-verify", "20 signatures verified, P-256", None),
    ("ed25519-sign", "20 signatures, Ed25519", None),
    ("ed25519-verify", "20 signatures verified, Ed25519", None),
];

/// `npm`: a folder with `node_modules` in it, of which lodash, date-fns and axios are among. `quickjs`: the program of
/// `guest-sdk/node/native-comparison`, if it is there.
pub async fn node(workbench: &Workbench, npm: &Path, quickjs: Option<&Path>, rounds: usize) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let executor = workbench.executor(Metering::On).await?;
    let write = |name: &str, code: &str| -> Result<PathBuf> {
        let path = folder.path().join(name);
        std::fs::write(&path, code)?;
        Ok(path)
    };
    let (language, json) = (write("cpu.mjs", Lang::Js.subject().cpu)?, write("json.mjs", JSON)?);
    write("keys.mjs", NATIVE_KEYS)?;
    let native = write("native.mjs", NATIVE)?;

    let mut node = node_peer(&write("peer.mjs", PEER)?)?;
    let mut quickjs = quickjs.map(|program| Peer::start("QuickJS", &mut Command::new(program))).transpose()?;
    let mut figures = Vec::new();
    let mut interpreter = Vec::new();
    for (file, kinds) in [(&language, &LANGUAGE_KINDS[..]), (&json, &JSON_KINDS), (&native, &NATIVE_KINDS)] {
        // QuickJS alone has nothing of Node's.
        let quickjs = if file == &native { None } else { quickjs.as_mut() };
        let against_quickjs = set(&executor, file, kinds, [node.as_mut(), quickjs], rounds, &mut figures).await?;
        // JSON goes another way than in QuickJS.
        if file == &language {
            interpreter = against_quickjs;
        }
    }
    if !interpreter.is_empty() {
        let mean = interpreter.iter().sum::<f64>() / interpreter.len() as f64;
        figures.push(Figure::low("the interpreter: slower than QuickJS outside of wasm, mean", mean, "times").promised(AGAINST_QUICKJS));
    }
    figures.extend(packages(&executor, npm).await?);
    Ok(Report { bench: "node", figures })
}

/// None, with a word about it, where there is no Node.
fn node_peer(program: &Path) -> Result<Option<Peer>> {
    if Command::new("node").arg("--version").output().is_err() {
        eprintln!("node is not on PATH: nothing is compared with it");
        return Ok(None);
    }
    Peer::start("Node", Command::new("node").arg(program)).map(Some)
}

/// Adds the figures of a handler's kinds of work, and answers how many times slower each is than in QuickJS.
async fn set(
    executor: &LocalExecutor,
    file: &Path,
    kinds: &[Kind],
    [mut node, mut quickjs]: [Option<&mut Peer>; 2],
    rounds: usize,
    figures: &mut Vec<Figure>,
) -> Result<Vec<f64>> {
    let handler = executor.prepare(Source::path(file)).await?.id;
    let work = Work { executor, handler: &handler, file };
    let mut against_quickjs = Vec::new();
    for (kind, name, promise) in kinds {
        let mut peers: Vec<&mut Peer> = node.iter_mut().chain(quickjs.iter_mut()).map(|peer| &mut **peer).collect();
        let Beside { ours_ms, ratios } = work.beside(kind, &mut peers, rounds).await?;
        figures.push(Figure::low(format!("{name}, p50"), ours_ms, "ms"));
        let mut ratios = ratios.into_iter();
        if let Some(ratio) = node.as_ref().and(ratios.next()) {
            let figure = Figure::low(format!("{name}: slower than Node"), ratio, "times");
            figures.push(promise.map_or(figure.clone(), |promise| figure.promised(promise)));
        }
        if let Some(ratio) = ratios.next() {
            figures.push(Figure::low(format!("{name}: slower than QuickJS outside of wasm"), ratio, "times"));
            against_quickjs.push(ratio);
        }
    }
    Ok(against_quickjs)
}
