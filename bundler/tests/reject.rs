//! Whatever is wrong with a handler, its author learns what and where.

// A test that cannot go on fails where it stands, helpers included.
#![allow(clippy::expect_used)]

mod common;

use common::{diagnostics, folder, has, only};
use mirra_bundler::{BundleError, Limits, locate_entry};

#[tokio::test]
async fn a_syntax_error_shows_its_line() {
    let handler = folder(&[("handler.ts", "export const handler = () => {\n  const é = ;\n};\n")]);
    let error = handler.bundle("handler.ts").await.expect_err("is no TypeScript");
    assert_eq!(error.to_string(), "handler.ts:2:13: Unexpected token\n  2 |   const é = ;\n    |             ^");
    let diagnostic = only(diagnostics(Err(error)));
    assert_eq!(diagnostic.file.as_deref(), Some("handler.ts"));
    assert_eq!((diagnostic.line, diagnostic.column), (Some(2), Some(13)));
}

#[tokio::test]
async fn a_syntax_error_of_an_import_names_that_file() {
    let handler = folder(&[
        ("handler.ts", "import './lib/broken';\nimport data from './data.json';\nexport const handler = () => data;"),
        ("lib/broken.ts", "let a;\nlet a;\n"),
        ("data.json", "{\n  \"a\": }"),
    ]);
    let found = handler.rejected("handler.ts").await;
    assert_eq!(found.len(), 2, "{found:?}");
    has(&found[0].to_string(), "data.json:2:8: ");
    has(&found[1].to_string(), "lib/broken.ts:1:5: ");
}

#[tokio::test]
async fn what_is_not_there_cannot_be_imported() {
    let cases = [
        ("import a from './nope';", "handler.ts:1:15: cannot find \"./nope\"\n"),
        ("import a from 'left-pad';", "handler.ts:1:15: cannot find \"left-pad\": run `npm install left-pad` in the handler's folder\n"),
        ("import a from '@a/b/c';", "run `npm install @a/b` in the handler's folder"),
        ("import a from 'x; rm -rf ~';", "handler.ts:1:15: cannot find \"x; rm -rf ~\"\n"),
        ("import a from 'there/nope';", "the package \"there\" has no such file"),
        ("import a from '#nope';", "cannot import \"#nope\": "),
        ("const a = await import('./nope');", "handler.ts:1:24: cannot find \"./nope\""),
        ("const a = require('nope');", "handler.ts:1:19: cannot find \"nope\""),
    ];
    for (import, expected) in cases {
        let handler = folder(&[
            ("handler.ts", format!("{import}\nexport const handler = () => a;").as_str()),
            ("package.json", r##"{ "imports": { "#other": "./other.js" } }"##),
            ("node_modules/there/package.json", "{}"),
        ]);
        has(&only(handler.rejected("handler.ts").await).to_string(), expected);
    }
}

#[tokio::test]
async fn every_missing_package_is_named_at_once() {
    let handler = folder(&[("handler.ts", "import a from 'a';\nimport b from 'b';\nexport const handler = () => [a, b];")]);
    let lines: Vec<_> = handler.rejected("handler.ts").await.iter().map(|diagnostic| diagnostic.line).collect();
    assert_eq!(lines, [Some(1), Some(2)]);
}

#[tokio::test]
async fn a_missing_export_is_named() {
    let handler = folder(&[
        ("named.ts", "import { one, two } from './m';\nexport const handler = () => [one, two];"),
        ("namespace.ts", "import * as m from './m';\nexport const handler = () => m.two;"),
        ("m.ts", "export const one = 1;"),
    ]);
    let named = only(handler.rejected("named.ts").await).to_string();
    has(&named, "named.ts:1:15: \"two\" is not exported by \"m.ts\"");
    let namespace = only(handler.rejected("namespace.ts").await).to_string();
    has(&namespace, "namespace.ts:2:30: Import `two` will always be undefined");
}

#[tokio::test]
async fn builtins_of_node_are_not_there_yet() {
    for import in ["import a from 'fs';", "import a from 'node:crypto';", "const a = require('fs/promises');"] {
        let handler = folder(&[("handler.ts", format!("\n{import}\nexport const handler = () => a;"))]);
        let diagnostic = only(handler.rejected("handler.ts").await);
        assert_eq!(diagnostic.line, Some(2));
        has(&diagnostic.message, "this Node built-in is not available to handlers");
    }
}

#[tokio::test]
async fn a_path_out_of_the_folder_cannot_be_imported() {
    let outer = folder(&[("secret.json", "{}"), ("secret.ts", "export default 1;"), ("package/index.js", "export default 1;")]);
    let absolute = outer.path().join("secret.json");
    let imports = [
        "../secret.json".to_string(),
        "./lib/../../secret".to_string(),
        "./link.json".to_string(),
        "./link".to_string(),
        "./absolute.json".to_string(),
        "./folder/secret.json".to_string(),
        "package".to_string(),
        absolute.display().to_string(),
        format!("file://{}", absolute.display()),
        "https://example.com/a.js".to_string(),
        "HTTP://example.com/a.js".to_string(),
        "//example.com/a.js".to_string(),
        "data:text/javascript,export default 1".to_string(),
        "data:image/png;base64,AAAA".to_string(),
    ];
    outer.write("in/lib/a.ts", "");
    outer.write("in/node_modules/other/package.json", "{}");
    outer.link("in/link.json", "../secret.json");
    outer.link("in/link.ts", "../secret.ts");
    outer.link("in/absolute.json", &absolute);
    outer.link("in/folder", "..");
    outer.link("in/node_modules/package", "../../package");
    for import in imports {
        outer.write("in/handler.ts", format!("import a from \"{import}\";\nexport const handler = () => a;"));
        let text = only(outer.rejected("in/handler.ts").await).to_string();
        has(&text, &format!("handler.ts:1:15: cannot import \"{import}\": "));
        has(&text, "folder");
    }
}

#[tokio::test]
async fn a_tsconfig_reaches_nothing_outside() {
    let outer = folder(&[
        ("base.json", r#"{ "compilerOptions": { "experimentalDecorators": true } }"#),
        ("tsconfig.json", r#"{ "compilerOptions": { "experimentalDecorators": true } }"#),
        ("secret.ts", "export default 1;"),
        ("in/handler.ts", "import a from '@/secret';\nexport const handler = () => a;"),
    ]);
    for reference in [r#""extends": "../base.json""#, r#""extends": ["../base"]"#, r#""references": [{ "path": "../base.json" }]"#] {
        outer.write("in/tsconfig.json", format!("{{ {reference} }}"));
        let text = only(outer.rejected("in/handler.ts").await).to_string();
        has(&text, "which is not in the handler's folder");
    }
    outer.write("in/tsconfig.json", r#"{ "compilerOptions": { "paths": { "@/*": ["../*"] } } }"#);
    has(&only(outer.rejected("in/handler.ts").await).to_string(), "handler.ts:1:15: cannot find \"@/secret\"");
    outer.write("in/tsconfig.json", "{\n  nonsense\n}");
    has(&only(outer.rejected("in/handler.ts").await).to_string(), "tsconfig.json:2:3: ");
}

#[tokio::test]
async fn a_tsconfig_above_the_folder_is_not_read() {
    let outer = folder(&[
        ("tsconfig.json", r#"{ "compilerOptions": { "experimentalDecorators": true } }"#),
        ("in/handler.ts", "const d = () => {};\n@d class A {}\nexport const handler = () => A;"),
    ]);
    has(&only(outer.rejected("in/handler.ts").await).to_string(), "handler.ts:2:1: decorators need");
}

#[tokio::test]
async fn the_newer_decorators_name_the_remedy() {
    let handler = folder(&[
        ("handler.ts", "import './other';\nconst d = () => {};\n@d class A { @d m() {} }\nexport const handler = () => A;"),
        ("other.js", "export class B { accessor x = 1; static accessor #y = 2; }"),
    ]);
    let found = handler.rejected("handler.ts").await;
    let places: Vec<_> = found.iter().map(|d| (d.file.as_deref().unwrap_or_default(), d.line, d.column)).collect();
    let expected = [
        ("handler.ts", Some(3), Some(1)),
        ("handler.ts", Some(3), Some(14)),
        ("other.js", Some(1), Some(18)),
        ("other.js", Some(1), Some(34)),
    ];
    assert_eq!(places, expected);
    has(&found[0].message, "\"experimentalDecorators\": true");
    has(&found[2].message, "write a getter and a setter");
}

#[tokio::test]
async fn a_file_that_is_not_text_names_the_byte() {
    let handler =
        folder(&[("handler.ts", &b"import a from './a';\nexport const handler = () => a;"[..]), ("a.ts", b"export default 'a\xff';")]);
    let text = only(handler.rejected("handler.ts").await).to_string();
    assert_eq!(text, "a.ts: not UTF-8 text: byte 0xff at offset 17");
    let package = folder(&[("package.json", &b"{ \"main\": \"\xe9\" }"[..]), ("index.ts", b"")]);
    has(&only(package.rejected("").await).to_string(), "package.json: not UTF-8 text: byte 0xe9 at offset 11");
}

#[tokio::test]
async fn what_the_engine_has_no_use_for_is_refused() {
    let cases = [
        ("import './a.css';", "a.css: handlers cannot import style sheets"),
        ("import './image.png';", "image.png: not UTF-8 text: byte 0x89 at offset 0"),
        ("import './view';", "view.tsx: cannot find \"react/jsx-runtime\": run `npm install react` in the handler's folder"),
    ];
    for (import, expected) in cases {
        let handler = folder(&[
            ("handler.ts", format!("{import}\nexport const handler = () => 1;").as_bytes()),
            ("a.css", b"a { color: red }"),
            ("image.png", b"\x89PNG"),
            ("view.tsx", b"console.log(<b/>);"),
        ]);
        assert_eq!(only(handler.rejected("handler.ts").await).to_string(), expected);
    }
}

#[tokio::test]
async fn too_much_source_is_refused() {
    let handler = folder(&[
        ("handler.ts", "import a from './a';\nexport const handler = () => a;".to_string()),
        ("a.ts", format!("export default '{}';", "a".repeat(2_000_000))),
    ]);
    let limits = Limits { source_bytes: 2_000_000, ..Limits::default() };
    let text = only(diagnostics(handler.bundle_within("handler.ts", limits).await)).to_string();
    has(&text, "exceed 2 MB of source");
    handler.bundle("handler.ts").await.expect("50 MB is the default");
}

#[tokio::test]
async fn what_is_not_a_handler_is_refused() {
    let handler = folder(&[
        ("data.json", "{}"),
        ("empty/readme.md", ""),
        ("named/package.json", r#"{ "main": "lib/nope.js" }"#),
        ("broken/package.json", "{\n  \"main\": nope\n}"),
        ("leads/package.json", r#"{ "main": "../outside.js" }"#),
        ("linked/package.json", r#"{ "main": "link.js" }"#),
        ("outside.js", ""),
    ]);
    handler.link("linked/link.js", "../outside.js");
    let cases = [
        ("nope.ts", "no such file or folder: "),
        ("data.json", "is not a script: expected a file ending in .ts, .js, .mjs, .mts, .cts, .cjs"),
        ("empty", "there is no index, handler, src/index as .ts, .js or .mjs"),
        ("named", "package.json names lib/nope.js, which does not exist"),
        ("broken", "package.json:2:12: not JSON: "),
        ("leads", "package.json: the entry ../outside.js is outside the handler's folder"),
        ("linked", "package.json names link.js, which does not exist"),
    ];
    for (entry, expected) in cases {
        has(&only(handler.rejected(entry).await).to_string(), expected);
        let located = locate_entry(&handler.path().join(entry));
        assert!(matches!(located, Err(BundleError::Rejected { .. })), "{located:?}");
    }
}
