//! Measures guests side by side: `measure NAME=PATH...` prints one table, a column for each guest.
//!
//! Every round measures every guest once, so that whatever else the machine does falls on all of them; the table has medians.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use wasmtime::{Engine, InstancePre, Linker, Module, Result, Val, error::Context};

mod session;
mod snapshot;

use session::Session;

const HANDLERS: [(&str, &str); 3] = [
    ("sync", "export function handler(e) { return { success: true, greeting: `Hello, ${e.name}!` }; }"),
    ("async", "export async function handler(e) { await 0; return { success: true, greeting: `Hello, ${e.name}!` }; }"),
    (
        "computing",
        "const fib = (n) => n < 2 ? n : fib(n - 1) + fib(n - 2);
         export function handler(e) { return { success: fib(20) === 6765, greeting: `Hello, ${e.name}!` }; }",
    ),
];
const EVENT: &str = r#"{"name":"Ada"}"#;
const RESULT: &str = r#"{"success":true,"greeting":"Hello, Ada!"}"#;

const COMPILE_ROUNDS: usize = 7;
const BOOT_ROUNDS: usize = 101;
const CALL_ROUNDS: usize = 3001;

/// What Linux maps and copies at once.
const PAGE_BYTES: usize = 4 << 10;

struct Guest {
    name: String,
    wasm: Vec<u8>,
    fresh: InstancePre<Called>,
    booted: Vec<u8>,
    /// One for each of `HANDLERS`: the snapshot with it, and the pages that a call changes.
    loaded: Vec<(InstancePre<Called>, usize)>,
    called: Called,
}

/// The imports that were called.
type Called = BTreeSet<String>;

fn main() -> Result<()> {
    let engine = Engine::new(&session::config())?;
    let guests = std::env::args().skip(1).map(|guest| prepare(&engine, &guest)).collect::<Result<Vec<_>>>()?;
    let show = |title: &str, cell: &dyn Fn(&Guest) -> String| row(title, guests.iter().map(cell).collect());

    show("", &|guest| guest.name.clone());
    show("---", &|_| "---:".into());
    show("wasm, kB", &|guest| (guest.wasm.len() / 1000).to_string());
    show("imports", &|guest| guest.fresh.module().imports().count().to_string());
    show("imports called", &|guest| format!("{:?}", guest.called));
    row("compiled, ms", timed(&guests, COMPILE_ROUNDS, 1e3, |guest| time(|| Module::new(&engine, &guest.wasm)))?);
    let boot = |guest: &Guest| Session::start(&guest.fresh).and_then(|mut session| time(|| session.boot()));
    row("boot, us", timed(&guests, BOOT_ROUNDS, 1e6, boot)?);
    show("memory after boot, KiB", &|guest| (guest.booted.len() >> 10).to_string());
    show("pages of it in use", &|guest| changed(&[], &guest.booted).to_string());
    for (index, (name, _)) in HANDLERS.iter().enumerate() {
        show(&format!("{name}: pages changed by a call"), &|guest| guest.loaded[index].1.to_string());
        let call = |guest: &Guest| time(|| Session::start(&guest.loaded[index].0)?.handle(EVENT));
        row(&format!("{name}: a call in a fresh instance, us"), timed(&guests, CALL_ROUNDS, 1e6, call)?);
    }
    Ok(())
}

fn prepare(engine: &Engine, guest: &str) -> Result<Guest> {
    let (name, path) = guest.split_once('=').context("NAME=PATH")?;
    let wasm = std::fs::read(path).with_context(|| format!("cannot read {path}"))?;
    let fresh = link(engine, &wasm)?;
    let mut session = Session::start(&fresh)?;
    session.boot()?;
    let booted = session.image();
    let mut called = session.into_called();
    let mut loaded = Vec::new();
    for (name, source) in HANDLERS {
        let mut session = Session::start(&fresh)?;
        session.boot()?;
        session.load(source)?;
        let image = session.image();
        let snapshot = link(engine, &snapshot::with_image(&wasm, &image)?)?;
        let mut session = Session::start(&snapshot)?;
        let result = session.handle(EVENT)?;
        wasmtime::ensure!(result == RESULT, "the {name} handler answered {result}");
        loaded.push((snapshot, changed(&image, &session.image())));
        called.append(&mut session.into_called());
    }
    Ok(Guest { name: name.into(), wasm, fresh, booted, loaded, called })
}

/// Every import only notes that it was called and answers zero, which WASI takes for success.
fn link(engine: &Engine, wasm: &[u8]) -> Result<InstancePre<Called>> {
    let module = Module::new(engine, wasm)?;
    let mut linker: Linker<Called> = Linker::new(engine);
    for import in module.imports() {
        let ty = import.ty().func().context("an import that is no function")?.clone();
        let name = import.name().to_owned();
        linker.func_new(import.module(), import.name(), ty.clone(), move |mut caller, _, results| {
            caller.data_mut().insert(name.clone());
            for (result, ty) in results.iter_mut().zip(ty.results()) {
                *result = Val::default_for_ty(&ty).context("an import that answers no number")?;
            }
            Ok(())
        })?;
    }
    linker.instantiate_pre(&module)
}

/// Pages of `after` that are not as in `before`, which is followed by zeros without end.
fn changed(before: &[u8], after: &[u8]) -> usize {
    let zeros = [0; PAGE_BYTES];
    let before = before.chunks(PAGE_BYTES).chain(std::iter::repeat(&zeros[..]));
    after.chunks(PAGE_BYTES).zip(before).filter(|(after, before)| after != before).count()
}

fn time<T>(work: impl FnOnce() -> Result<T>) -> Result<Duration> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}

/// The median for each guest, in units of which a second has `per_second`.
fn timed(guests: &[Guest], rounds: usize, per_second: f64, measure: impl Fn(&Guest) -> Result<Duration>) -> Result<Vec<String>> {
    let mut samples = vec![Vec::with_capacity(rounds); guests.len()];
    for _ in 0..rounds {
        for (guest, samples) in guests.iter().zip(&mut samples) {
            samples.push(measure(guest)?);
        }
    }
    let median = |mut samples: Vec<Duration>| {
        samples.sort();
        format!("{:.1}", samples[rounds / 2].as_secs_f64() * per_second)
    };
    Ok(samples.into_iter().map(median).collect())
}

fn row(title: &str, cells: Vec<String>) {
    println!("| {title} | {} |", cells.join(" | "));
}
