//! What no handler can have: native code, as the sandbox has no dynamic linker, and Node's modules that the engine is without. Packages
//! that require such get an error that says what to do. Where that is within `try`, or never reached, it is no error of the handler's.

use nodejs_built_in_modules::is_nodejs_builtin_module;

/// What cannot run, and what does the same. Those that work without their native code are not here.
const KNOWN: [(&str, &str); 25] = [
    ("@napi-rs/canvas", SERVICE),
    ("@node-rs/argon2", SCRYPT),
    ("@node-rs/bcrypt", BCRYPTJS),
    ("@swc/core", "compile before the handler is deployed: TypeScript needs no compiling"),
    ("argon2", SCRYPT),
    ("bcrypt", BCRYPTJS),
    ("better-sqlite3", DATABASE),
    ("bigint-buffer", "use BigInt and the methods of Buffer"),
    ("canvas", SERVICE),
    ("couchbase", DATABASE),
    ("duckdb", DATABASE),
    ("esbuild", "compile before the handler is deployed: TypeScript needs no compiling"),
    ("farmhash", "use createHash of node:crypto"),
    ("leveldown", DATABASE),
    ("libpq", DATABASE),
    ("node-sass", "use the package sass"),
    ("nodegit", SERVICE),
    ("oracledb", DATABASE),
    ("re2", "use RegExp: its time is limited as that of all else"),
    ("scrypt", SCRYPT),
    ("sharp", SERVICE),
    ("skia-canvas", SERVICE),
    ("snappy", "use node:zlib"),
    ("sqlite3", DATABASE),
    ("zlib-sync", "use node:zlib"),
];

const BCRYPTJS: &str = "use the package bcryptjs, which has the same functions";
const SCRYPT: &str = "use scrypt of node:crypto, or the package bcryptjs";
const SERVICE: &str = "nothing does the same here: leave it to a service that is called by fetch";
const DATABASE: &str = "use mirra.memory, or a database that is reached by fetch";
const OTHERWISE: &str = "use a package in JavaScript, or a service that is called by fetch";

/// Packages whose only work is to find and load a native part of the package that requires them.
const LOADERS: [&str; 7] = [
    "@mapbox/node-pre-gyp",
    "bindings",
    "node-gyp-build",
    "node-gyp-build-optional-packages",
    "node-pre-gyp",
    "pkg-prebuilds",
    "prebuildify",
];

/// The package or file that an import would load native code for, if it would.
pub fn native<'a>(specifier: &'a str, importer: &'a str) -> Option<&'a str> {
    let package = package(specifier);
    if KNOWN.iter().any(|(known, _)| *known == package) {
        return Some(package);
    }
    let is_native = is_file(specifier) || LOADERS.contains(&package);
    let of_importer = importer.rsplit_once("node_modules/").map(|(_, rest)| self::package(rest));
    is_native.then(|| of_importer.unwrap_or(specifier))
}

/// Whether a file of this name is native code.
pub fn is_file(name: &str) -> bool {
    name.ends_with(".node")
}

/// What is told of it, or of a module of Node's.
pub fn message(name: &str) -> String {
    if is_nodejs_builtin_module(name) {
        return format!("cannot import \"{name}\": this Node built-in is not available to handlers");
    }
    let advice = KNOWN.iter().find(|(known, _)| *known == name).map_or(OTHERWISE, |(_, advice)| advice);
    format!("{name} is native code, which cannot run in the sandbox: {advice}")
}

/// The package that a specifier begins with, or a path below `node_modules`.
pub fn package(specifier: &str) -> &str {
    let parts = if specifier.starts_with('@') { 2 } else { 1 };
    specifier.match_indices('/').nth(parts - 1).map_or(specifier, |(end, _)| &specifier[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_wants_native_code_is_known() {
        let inner = "/h/node_modules/x/node_modules/@me/fast/lib/index.js";
        let cases = [
            ("bcrypt", "/h/index.js", Some("bcrypt")),
            ("sharp/lib/index.js", "/h/index.js", Some("sharp")),
            ("bcryptjs", "/h/index.js", None),
            ("bindings", inner, Some("@me/fast")),
            ("../build/Release/fast.node", inner, Some("@me/fast")),
            ("./own.node", "/h/index.js", Some("./own.node")),
            ("@napi-rs/canvas", "/h/index.js", Some("@napi-rs/canvas")),
            ("./bindings", "/h/index.js", None),
        ];
        for (specifier, importer, expected) in cases {
            assert_eq!(native(specifier, importer), expected, "{specifier}");
        }
    }
}
