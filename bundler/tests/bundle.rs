//! What a handler may be made of, and what becomes of it.

// A test that cannot go on fails where it stands, helpers included.
#![allow(clippy::expect_used)]

mod common;

use common::{folder, has, has_not};
use mirra_bundler::{Entry, locate_entry};

#[tokio::test]
async fn a_script_stays_what_it_is() {
    let handler = folder(&[("handler.js", "export const handler = async (event) => ({ hello: event.name });\n")]);
    let bundle = handler.bundle("handler.js").await.expect("bundles");
    assert_eq!(bundle.code, "const handler = async (event) => ({ hello: event.name });\nexport { handler };\n");
    assert_eq!(bundle.warnings, [""; 0]);
}

#[tokio::test]
async fn typescript_becomes_javascript() {
    let handler = folder(&[(
        "handler.ts",
        r#"
        enum Colour { Red, Green }
        const enum Size { Small = 1, Large = 2 }
        namespace Geometry { export const area = (side: number) => side * side; }
        class Box { constructor(private readonly side: number) {} area(): number { return Geometry.area(this.side); } }
        abstract class Shape { declare kind: string; abstract area(): number }
        function id<T>(value: T): T { return value satisfies T; }
        export const handler = (event: { n?: number }) =>
            [Colour[event.n!], Size.Large, new Box(3).area(), id(event as unknown), Shape.name];
        "#,
    )]);
    let code = handler.bundle("handler.ts").await.expect("bundles").code;
    for part in ["Colour[\"Green\"] = 1", "area = (side) => side * side", "this.side = side", "export { handler }"] {
        has(&code, part);
    }
    for part in ["namespace", "readonly", "satisfies", "abstract", "declare", ": number"] {
        has_not(&code, part);
    }
}

#[tokio::test]
async fn imports_become_one_module() {
    let handler = folder(&[
        (
            "handler.ts",
            r#"import { greet, type Who } from "./lib/greet";
               import type { Unused } from "./nowhere";
               import settings, { colour } from "./settings.json";
               export const handler = async (who: Who) =>
                   [greet(who), settings.size, colour, (await import("./lazy.js")).default, undefined as Unused];"#,
        ),
        ("lib/greet.ts", "export interface Who { name: string }\nexport const greet = (who: Who) => `hello ${who.name}`;"),
        ("settings.json", r#"{ "size": 3, "colour": "red" }"#),
        ("lazy.ts", "export default 'lazy';"),
    ]);
    let code = handler.bundle("handler.ts").await.expect("bundles").code;
    for part in ["hello ${who.name}", "3", "red", "lazy"] {
        has(&code, part);
    }
    has_not(&code, "import ");
    has_not(&code, "import(");
}

#[tokio::test]
async fn packages_give_their_portable_code() {
    let handler = folder(&[
        ("index.ts", "import a from 'a';\nimport b from '@s/b/sub';\nexport const handler = () => [a, b];"),
        ("package.json", "{}"),
        (
            "node_modules/a/package.json",
            r#"{ "exports": { ".": { "node": "./node.js", "browser": "./browser.js", "default": "./other.js" } } }"#,
        ),
        ("node_modules/a/browser.js", "export default 'portable';"),
        ("node_modules/@s/b/package.json", r#"{ "main": "main.js" }"#),
        (
            "node_modules/@s/b/sub.js",
            "if (process.env.NODE_ENV === 'production') { module.exports = 'common'; } else { module.exports = 'debug'; }",
        ),
    ]);
    let bundle = handler.bundle("").await.expect("bundles");
    has(&bundle.code, "portable");
    has(&bundle.code, "module.exports = \"common\"");
    has_not(&bundle.code, "debug");
}

#[tokio::test]
async fn commonjs_is_the_default_export() {
    let handler =
        folder(&[("handler.cjs", "const { one } = require('./one.cjs');\nexports.handler = () => one;"), ("one.cjs", "exports.one = 1;")]);
    let code = handler.bundle("handler.cjs").await.expect("bundles").code;
    has(&code, "export default require_handler()");
}

#[tokio::test]
async fn names_are_kept() {
    let handler = folder(&[
        ("handler.ts", "import { load as other } from './other';\nfunction load() {}\nexport const handler = () => [load, other];"),
        ("other.ts", "export function load() { return 1; }"),
    ]);
    let code = handler.bundle("handler.ts").await.expect("bundles").code;
    has(&code, "function load()");
    has(&code, "__name(load$1, \"load\")");
}

#[tokio::test]
async fn legacy_decorators_follow_the_tsconfig() {
    let handler = folder(&[
        (
            "handler.ts",
            "const log = (..._: unknown[]) => {};\n@log class A { @log m(@log p: string) {} }\nexport const handler = () => new A();",
        ),
        ("tsconfig.json", r#"{ /* a comment */ "extends": "./base", }"#),
        ("base.json", r#"{ "compilerOptions": { "experimentalDecorators": true, "emitDecoratorMetadata": true } }"#),
    ]);
    let bundle = handler.bundle("handler.ts").await.expect("bundles");
    has(&bundle.code, "__decorateMetadata(\"design:paramtypes\", [String])");
    has_not(&bundle.code, "@log");
    let names: Vec<_> = bundle.inputs.iter().filter_map(|input| input.file_name()?.to_str()).collect();
    assert_eq!(names, ["base.json", "handler.ts", "tsconfig.json"]);
}

#[tokio::test]
async fn paths_of_the_tsconfig_lead_to_files() {
    let handler = folder(&[
        ("src/index.ts", "import util from '@/util';\nexport const handler = () => util;"),
        ("src/lib/util.ts", "export default 'found';"),
        ("tsconfig.json", r#"{ "compilerOptions": { "paths": { "@/*": ["./src/lib/*"] } } }"#),
    ]);
    has(&handler.bundle("").await.expect("bundles").code, "found");
}

#[tokio::test]
async fn builtins_of_the_engine_stay_imports() {
    let files = [
        (
            "esm.ts",
            "import { readFileSync } from 'fs';\nimport { memory } from 'mirra';\nexport const handler = () => [readFileSync, memory];",
        ),
        ("common.cjs", "const fs = require('node:fs');\nexports.handler = () => fs;"),
    ];
    let handler = folder(&files);
    let builtins = ["node:fs", "mirra"];
    let esm = handler.bundle_for("esm.ts", &builtins).await.expect("bundles").code;
    has(&esm, "import { readFileSync } from \"node:fs\";");
    has(&esm, "import { memory } from \"mirra\";");
    let common = handler.bundle_for("common.cjs", &builtins).await.expect("bundles").code;
    has(&common, "from \"node:fs\";");
    has_not(&common, "require(\"node:fs\")");
}

#[tokio::test]
async fn a_package_may_ask_for_what_is_not_there() {
    let handler = folder(&[("handler.js", "let fast; try { fast = require('fast'); } catch {}\nexport const handler = () => fast;")]);
    handler.bundle("handler.js").await.expect("an import in try and catch is optional");
}

#[tokio::test]
async fn the_source_map_leads_back_to_the_files() {
    let source = "// Ünïcödé 😀\nimport { fail } from './lib/fail';\nexport const handler = (n: number) => fail(n);\n";
    let fail = "export function fail(n: number): never {\n    throw new Error(`no ${n}`);\n}\n";
    let handler = folder(&[("handler.ts", source), ("lib/fail.ts", fail)]);
    let bundle = handler.bundle("handler.ts").await.expect("bundles");

    let map = oxc_sourcemap::SourceMap::from_json_string(&bundle.source_map).expect("is a source map");
    let mut sources: Vec<_> = map.get_sources().collect();
    sources.sort_unstable();
    assert_eq!(sources, ["handler.ts", "lib/fail.ts"]);
    let line = bundle.code.lines().position(|line| line.contains("throw")).expect("it throws");
    let column = bundle.code.lines().nth(line).and_then(|line| line.find("throw")).expect("it throws");
    let table = map.generate_lookup_table();
    let token = map.lookup_source_view_token(&table, line as u32, column as u32).expect("the place is mapped");
    assert_eq!(token.get_source(), Some("lib/fail.ts"));
    assert_eq!(token.get_source_content(), Some(fail));
    assert_eq!((token.get_src_line(), token.get_src_col()), (1, 4));
}

#[tokio::test]
async fn every_file_read_is_an_input() {
    let handler = folder(&[
        ("package.json", r#"{ "main": "main.ts" }"#),
        ("tsconfig.json", "{}"),
        ("main.ts", "import p from 'p';\nimport j from './j.json';\nexport const handler = () => [p, j];"),
        ("j.json", "1"),
        ("unused.ts", ""),
        ("node_modules/p/package.json", r#"{ "main": "p.js" }"#),
        ("node_modules/p/p.js", "module.exports = 1;"),
    ]);
    let root = handler.path().canonicalize().expect("exists");
    let inputs = handler.bundle("").await.expect("bundles").inputs;
    let names: Vec<_> = inputs.iter().map(|input| input.strip_prefix(&root).expect("inside").to_string_lossy()).collect();
    let expected = ["j.json", "main.ts", "node_modules/p/p.js", "node_modules/p/package.json", "package.json", "tsconfig.json"];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn links_and_names_within_the_folder_are_followed() {
    let handler = folder(&[
        ("a b#c?d%é/handler.ts", "import one from './ö';\nimport two from 'two';\nexport const handler = () => [one, two];"),
        ("a b#c?d%é/real.ts", "export default 'one';"),
        ("a b#c?d%é/store/two/index.js", "export default 'two';"),
        ("a b#c?d%é/node_modules/three/package.json", "{}"),
    ]);
    handler.link("a b#c?d%é/ö.ts", "real.ts");
    handler.link("a b#c?d%é/node_modules/two", "../store/two");
    let code = handler.bundle("a b#c?d%é/handler.ts").await.expect("bundles").code;
    has(&code, "one");
    has(&code, "two");
}

#[tokio::test]
async fn remarks_concern_the_handlers_own_files() {
    let handler = folder(&[
        ("handler.js", "import p from 'p';\nexport const handler = () => eval('1') + p;"),
        ("node_modules/p/index.js", "export default eval('2');"),
    ]);
    let warnings = handler.bundle("handler.js").await.expect("bundles").warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    has(&warnings[0], "handler.js:2:30: ");
}

#[tokio::test]
async fn the_same_handler_gives_the_same_bundle() {
    let files: Vec<_> = (0..20).map(|i| (format!("m{i}.ts"), format!("export const v{i} = () => {i};"))).collect();
    let imports: String = (0..20).map(|i| format!("import {{ v{i} }} from './m{i}';\n")).collect();
    let handler = folder(&[("handler.ts", format!("{imports}export const handler = () => [v0, v19, v7];"))]);
    for (name, content) in &files {
        handler.write(name, content);
    }
    let first = handler.bundle("handler.ts").await.expect("bundles");
    for _ in 0..5 {
        assert_eq!(handler.bundle("handler.ts").await.expect("bundles"), first);
    }
}

#[test]
fn an_entry_is_found_where_package_json_says_or_by_its_name() {
    let cases: [(&str, &[(&str, &str)]); 9] = [
        ("x.ts", &[("package.json", r#"{ "main": "x.js", "module": "x.ts" }"#), ("x.ts", ""), ("x.js", ""), ("index.ts", "")]),
        ("x.mjs", &[("package.json", r#"{ "main": "./x.mjs" }"#), ("x.mjs", "")]),
        ("x.ts", &[("package.json", r#"{ "main": "x.js" }"#), ("x.ts", ""), ("index.ts", "")]),
        ("lib/e.js", &[("package.json", r#"{ "exports": { ".": { "types": "./t.d.ts", "import": "./lib/e.js" } } }"#), ("lib/e.js", "")]),
        ("e.js", &[("package.json", r#"{ "exports": "./e.js", "main": "index.js" }"#), ("e.js", ""), ("index.js", "")]),
        ("index.ts", &[("package.json", r#"{ "main": "dist/index.js" }"#), ("index.js", ""), ("index.ts", "")]),
        ("handler.mjs", &[("handler.mjs", "")]),
        ("src/index.js", &[("package.json", "\u{feff}{}"), ("src/index.js", "")]),
        ("index.mjs", &[("package.json", r#"{ "main": 7 }"#), ("index.mjs", ""), ("handler.ts", "")]),
    ];
    for (expected, files) in cases {
        let handler = folder(files);
        let root = handler.path().canonicalize().expect("exists");
        let entry = locate_entry(handler.path()).expect("has an entry");
        assert_eq!(entry, Entry { file: root.join(expected), root }, "{files:?}");
    }
}
