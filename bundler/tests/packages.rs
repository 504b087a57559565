//! Packages that were installed elsewhere are seen as the handler's `node_modules`.

// A test that cannot go on fails where it stands, helpers included.
#![allow(clippy::expect_used)]

mod common;

use common::{child, folder, has, only};
use mirra_bundler::{Bundler, Request};

#[tokio::test]
async fn modules_are_found_there_and_links_lead_back() {
    let handler = folder(&[
        ("index.js", "import a from 'a';\nimport lib from 'lib';\nimport w from '@me/w';\nexport const handler = () => [a, lib, w];"),
        ("package.json", "{}"),
        ("lib/package.json", "{}"),
        ("lib/index.js", "export default 'own lib';"),
        ("packages/w/package.json", r#"{ "exports": "./w.js" }"#),
        ("packages/w/w.js", "import b from 'b';\nexport default 'own w with ' + b;"),
        ("node_modules/.cache/x", ""),
    ]);
    let installed = folder(&[
        ("node_modules/a/package.json", "{}"),
        ("node_modules/a/index.js", "export default require('b');"),
        ("node_modules/b/index.js", "module.exports = 'outer b';"),
        ("lib/package.json", "{}"),
        ("packages/w/package.json", "{}"),
        ("packages/w/node_modules/b/index.js", "module.exports = 'inner b';"),
    ]);
    installed.link("node_modules/lib", "../lib");
    installed.write("node_modules/@me/.keep", "");
    installed.link("node_modules/@me/w", "../../packages/w");
    let request = Request { packages: Some(installed.path().to_owned()), ..handler.request("", &[]) };
    let bundle = Bundler::new(child()).bundle(&request).await.expect("bundles");
    for part in ["own lib", "own w with", "outer b", "inner b"] {
        has(&bundle.code, part);
    }
    let root = handler.path().canonicalize().expect("exists");
    let inputs: Vec<_> = bundle.inputs.iter().map(|input| input.strip_prefix(&root).expect("inside").to_string_lossy()).collect();
    let expected = ["index.js", "lib/index.js", "lib/package.json", "package.json", "packages/w/package.json", "packages/w/w.js"];
    assert_eq!(inputs, expected, "what is installed does not change");
}

#[tokio::test]
async fn links_out_of_it_lead_nowhere() {
    let outer = folder(&[
        ("secret/index.js", "export default 1;"),
        ("handler/index.js", "import a from 'PACKAGE';\nexport const handler = () => a;"),
        ("installed/node_modules/real/index.js", "export default 1;"),
    ]);
    outer.link("installed/node_modules/up", "../../secret");
    outer.link("installed/node_modules/absolute", outer.path().join("secret"));
    outer.link("installed/node_modules/circle", "circle");
    outer.link("installed/node_modules/real/escape.js", "../../../secret/index.js");
    for package in ["up", "absolute", "circle", "real/escape.js"] {
        outer.write("handler/index.js", format!("import a from '{package}';\nexport const handler = () => a;"));
        let request = Request { packages: Some(outer.path().join("installed")), ..outer.request("handler", &[]) };
        let found = common::diagnostics(Bundler::new(child()).bundle(&request).await);
        has(&only(found).to_string(), &format!("\"{package}\""));
    }
}
