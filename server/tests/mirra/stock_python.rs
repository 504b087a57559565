//! What `mirra build` writes of Python: it has all of Python's files and the handler's with it, in stock wasmtime and where mirra
//! takes it back.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::{
    built::Handler,
    support::{Server, mirra, run},
};

const SOURCE: &str = r#"
import asyncio, json, os, time
from pathlib import Path

HERE = Path(__file__).parent

async def handler(event, context):
    match event["do"]:
        case "import":
            import statistics, words.greeting
            return [statistics.mean([1, 2, 6]), words.greeting.of("Ada")]
        case "read":
            data = json.loads((HERE / "data.json").read_text())
            return [data, len((HERE / event["deep"]).read_text()), (HERE / "words/../data.json").stat().st_size]
        case "walk":
            return [[folder, sorted(folders), sorted(files)] for folder, folders, files in os.walk("/")]
        case "miss":
            try:
                (HERE / "none.json").read_text()
            except FileNotFoundError as error:
                return str(error)
        case "wait":
            began = time.monotonic()
            time.sleep(0.03)
            await asyncio.sleep(0.03)
            return time.monotonic() - began >= 0.058
        case "raise":
            raise ValueError("too far")
"#;

/// Longer than the field that a tar archive has for it.
const DEEP: &str = "deep/a-name-that-is-longer-than-others/another-name-that-is-longer-than-others/and-one-more-of-them/file.txt";

static HANDLER: LazyLock<Handler> = LazyLock::new(|| {
    let deep = format!("many/{DEEP}");
    let files = [
        ("many/handler.py", SOURCE),
        ("many/data.json", r#"{"answer":42}"#),
        ("many/words/__init__.py", ""),
        ("many/words/greeting.py", "def of(name):\n    return f'Hello, {name}!'\n"),
        (&deep, "far below"),
    ];
    Handler::build(&files, "many", "many.wasm")
});

fn events() -> [Value; 4] {
    [json!({"do": "import"}), json!({"do": "read", "deep": DEEP}), json!({"do": "walk"}), json!({"do": "miss"})]
}

#[test]
fn stock_wasmtime_shows_python_its_files() {
    let [import, read, walk, miss] = events().map(|event| HANDLER.stock(&[&event.to_string()], ""));
    assert_eq!(import.stdout, "[3,\"Hello, Ada!\"]\n", "{}", import.stderr);
    assert_eq!(read.stdout, "[{\"answer\":42},9,13]\n", "{}", read.stderr);
    assert_eq!(miss.stdout, "\"[Errno 44] No such file or directory: '/handler/none.json'\"\n", "{}", miss.stderr);
    let folders = walk.json().as_array().unwrap().len();
    assert!(folders > 20, "{folders} folders");
}

#[test]
fn stock_wasmtime_lets_python_sleep_and_fail() {
    assert_eq!(HANDLER.stock(&[r#"{"do":"wait"}"#], "").stdout, "true\n");
    let failed = HANDLER.stock(&[r#"{"do":"raise"}"#], "");
    assert_eq!((failed.code, failed.stdout.as_str()), (1, ""));
    assert!(failed.stderr.starts_with("ValueError: too far\n") && failed.stderr.contains("handler.py"), "{}", failed.stderr);
}

#[test]
fn mirra_takes_python_back_with_its_files() {
    let (source, built) = (HANDLER.path("many"), HANDLER.path("many.wasm"));
    for event in events() {
        let event = event.to_string();
        let [from_source, from_built] =
            [&source, &built].map(|path| run(&mut mirra(&["run", path.to_str().unwrap(), "--event", &event]), ""));
        assert_eq!((from_built.code, &from_built.stdout), (0, &from_source.stdout), "{event}: {}", from_built.stderr);
        assert_eq!(HANDLER.stock(&[&event], "").json(), from_source.json(), "{event}");
    }
    let server = Server::start(&[&built]);
    assert_eq!(server.call("many", r#"{"do":"import"}"#).text(), r#"[3,"Hello, Ada!"]"#);
}
