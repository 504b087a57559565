//! What handlers and packages written for Node rely on.

// A test that cannot go on fails where it stands, helpers included.
#![allow(clippy::expect_used)]

mod common;

use common::{folder, has, has_not, only};

/// With this module the engine has what Node's variants of packages import.
const HTTP: &str = "node:http";

#[tokio::test]
async fn packages_give_their_code_for_node_where_there_is_http() {
    let handler = folder(&[
        (
            "index.mjs",
            "import a from 'a';\nimport b from 'b';\nimport c from 'c';\nimport d from 'cheerio';\n\
             export const handler = () => [a, b, c, d];",
        ),
        (
            "node_modules/a/package.json",
            r#"{ "exports": { "browser": "./browser.js", "node": { "import": "./node.mjs", "require": "./node.cjs" }, "default": "./x.js" } }"#,
        ),
        ("node_modules/a/browser.js", "export default 'a in browsers';"),
        ("node_modules/a/node.mjs", "export default 'a in Node';"),
        ("node_modules/a/node.cjs", "module.exports = require('http');"),
        ("node_modules/b/package.json", r#"{ "main": "main.js", "browser": "browser.js" }"#),
        ("node_modules/b/main.js", "module.exports = 'b in Node';"),
        ("node_modules/b/browser.js", "module.exports = 'b in browsers';"),
        // Left out of browsers, as packages do with fs and crypto.
        ("node_modules/c/package.json", r#"{ "main": "main.js", "browser": { "./inner.js": false } }"#),
        ("node_modules/c/main.js", "module.exports = require('./inner.js');"),
        ("node_modules/c/inner.js", "module.exports = 'c within';"),
        // One of the exceptions.
        ("node_modules/cheerio/package.json", r#"{ "main": "main.js", "browser": { "./main.js": "./other.js", "./fs.js": false } }"#),
        ("node_modules/cheerio/main.js", "module.exports = 'cheerio with sockets';"),
        ("node_modules/cheerio/other.js", "module.exports = ['cheerio without', require('./fs.js')];"),
        ("node_modules/cheerio/fs.js", "module.exports = 'left out';"),
    ]);
    let node = handler.bundle_for("index.mjs", &[HTTP]).await.expect("bundles").code;
    for part in ["a in Node", "b in Node", "c within", "cheerio without"] {
        has(&node, part);
    }
    for part in ["with sockets", "left out"] {
        has_not(&node, part);
    }
    has_not(&node, "in browsers");
    let browser = handler.bundle("index.mjs").await.expect("bundles").code;
    for part in ["a in browsers", "b in browsers"] {
        has(&browser, part);
    }
}

#[tokio::test]
async fn a_built_in_that_is_not_there_is_still_named() {
    let handler = folder(&[("index.mjs", "import sqlite from 'node:sqlite';\nexport const handler = () => sqlite;")]);
    let text = only(common::diagnostics(handler.bundle_for("index.mjs", &[HTTP]).await)).to_string();
    has(&text, "index.mjs:1:20: cannot import \"node:sqlite\": this Node built-in is not available to handlers");

    // A package may never come to need it.
    let handler = folder(&[
        ("index.mjs", "import p from 'p';\nexport const handler = () => p;"),
        ("node_modules/p/index.js", "exports.store = () => require('node:sqlite');"),
    ]);
    let code = handler.bundle_for("index.mjs", &[HTTP]).await.expect("bundles").code;
    has(&code, "this Node built-in is not available to handlers");
}

#[tokio::test]
async fn modules_know_where_they_are() {
    let handler = folder(&[
        ("index.ts", "import { own } from './lib/a b.js';\nexport const handler = () => [__dirname, own, import.meta.filename];"),
        (
            "lib/a b.js",
            "const __filename = 'bound';\nexport const own = [import.meta.url, import.meta.dirname, __filename, ((__dirname) => __dirname)('given')];",
        ),
        ("package.json", "{}"),
    ]);
    let code = handler.bundle("").await.expect("bundles").code;
    for part in [
        "[\n\t\"/var/task\",",
        "\"/var/task/index.ts\"",
        "\"file:///var/task/lib/a%20b.js\"",
        "\"/var/task/lib\"",
        "\"bound\"",
        "(__dirname) => __dirname",
    ] {
        has(&code, part);
    }
    has_not(&code, "import.meta");
}

#[tokio::test]
async fn every_form_of_module_works_with_every_other() {
    let handler = folder(&[
        (
            "index.mts",
            "import data from './data.json' with { type: 'json' };\nimport fromCts from './one.cjs';\nimport two from './two.mjs';\n\
             import * as namespace from './three.cjs';\nimport { four } from '#four';\nconst late = await import('./late.js');\n\
             export const handler = () => [data, fromCts, two, namespace.default, namespace.three, four, late];",
        ),
        ("data.json", r#"{ "data": 0 }"#),
        ("one.cts", "const value: string = 'one'; export = value;"),
        ("two.mts", "export default 'two' as const;"),
        ("three.cjs", "exports.three = require('./esm.mjs').default;"),
        ("esm.mjs", "export default 'three';"),
        ("four.ts", "export const four = 'four', unused = 'shaken off';"),
        ("late.js", "export const late = 'late';"),
        ("package.json", r##"{ "main": "index.mts", "imports": { "#four": "./four.ts" } }"##),
    ]);
    let code = handler.bundle("").await.expect("bundles").code;
    for part in ["one", "two", "three", "four", "late"] {
        has(&code, &format!("\"{part}\""));
    }
    has_not(&code, "shaken off");
}

#[tokio::test]
async fn workspaces_in_the_folder_are_found_by_their_names() {
    let handler = folder(&[
        ("package.json", r#"{ "main": "app/index.ts", "workspaces": ["libs/*"] }"#),
        ("app/index.ts", "import { greet } from '@me/greet';\nexport const handler = () => greet();"),
        ("libs/greet/package.json", r#"{ "name": "@me/greet", "exports": "./src/index.ts" }"#),
        ("libs/greet/src/index.ts", "import p from 'p';\nexport const greet = (): string => p + ' from a workspace';"),
        ("node_modules/p/index.js", "module.exports = 'p';"),
        ("node_modules/@me/.keep", ""),
    ]);
    handler.link("node_modules/@me/greet", "../../libs/greet");
    has(&handler.bundle("").await.expect("bundles").code, "from a workspace");
}

#[tokio::test]
async fn native_code_is_refused_where_it_is_imported_and_thrown_where_it_is_required() {
    let handler = folder(&[
        ("own.js", "import sharp from 'sharp';\nexport const handler = () => sharp;"),
        ("package.js", "import fast from 'fast';\nexport const handler = () => fast;"),
        ("node_modules/fast/index.js", "try { module.exports = require('./build/fast.node'); } catch { module.exports = 'slow'; }"),
        ("node_modules/fast/build/fast.node", "\u{7f}ELF"),
        ("compiled.js", "import bare from '@me/bare';\nexport const handler = () => bare;"),
        ("node_modules/@me/bare/index.js", "module.exports = require('./out/bare');"),
        ("node_modules/@me/bare/binding.gyp", "{}"),
        ("named.js", "import { a } from 'for/server.node';\nexport const handler = () => a;"),
        ("node_modules/for/package.json", r#"{ "exports": { "./server.node": "./server.node.js" } }"#),
        ("node_modules/for/server.node.js", "exports.a = require('./inner.node').a;"),
        ("node_modules/for/inner.node.js", "exports.a = 'only called so';"),
    ]);
    has(&handler.bundle("named.js").await.expect("bundles").code, "only called so");
    let refused = only(handler.rejected("compiled.js").await).to_string();
    has(&refused, "node_modules/@me/bare/index.js:1:26: @me/bare is native code, which cannot run in the sandbox: ");
    let refused = only(handler.rejected("own.js").await).to_string();
    has(&refused, "own.js:1:19: sharp is native code, which cannot run in the sandbox: ");
    let code = handler.bundle("package.js").await.expect("bundles").code;
    has(&code, "fast is native code, which cannot run in the sandbox: ");
    has(&code, "slow");
}

#[tokio::test]
async fn a_package_that_is_required_and_not_there_comes_with_its_remedy() {
    let handler = folder(&[
        ("package.json", r#"{ "main": "index.js", "dependencies": { "a": "1" }, "devDependencies": { "b": "1" } }"#),
        ("index.js", "import a from 'a';\nimport b from 'b';\nimport c from 'c';\nexport const handler = () => [a, b, c];"),
    ]);
    let found: Vec<_> = handler.rejected("").await.iter().map(ToString::to_string).collect();
    has(&found[0], "cannot find \"a\": package.json requires it: run `npm install`");
    has(&found[1], "cannot find \"b\": package.json requires it for development alone: move it");
    has(&found[2], "cannot find \"c\": run `npm install c`");
}
