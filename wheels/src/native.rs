//! What is known of packages with native code. Everything else is found out from the index.

/// Whether a file is native code, by its name.
pub(crate) fn is_native_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    [".so", ".pyd", ".dylib"].iter().any(|end| name.ends_with(end)) || name.contains(".so.")
}

/// Packages whose native code only makes them faster: they try to import it and go on without it. Each was read, and run with
/// its native files removed. None has a pure wheel of its newest version.
const FALLBACKS: [&str; 11] = [
    // `_crc32c` is tried first, then the module `python` of its own; it warns that it is slow.
    "google-crc32c",
    // Backends in order of speed; the last one is `python`.
    "ijson",
    // `_map` is tried first, then `map.py`.
    "immutables",
    // `cext` is tried first, then `simple.py`.
    "lazy-object-proxy",
    // `_speedups` is tried first, then `_native.py`.
    "markupsafe",
    // `_cmsgpack` is tried first, then `fallback.py`.
    "msgpack",
    // `bson/_cbson` and `pymongo/_cmessage` are imported under `try`; `has_c()` tells.
    "pymongo",
    // `yaml/cyaml.py` is imported under `try`; then there is no `CLoader`, as its documentation says.
    "pyyaml",
    // Every `_cpp` module has a `_py` twin, which is taken on ImportError.
    "rapidfuzz",
    // `speedups` serves `_websocket_mask` only, which is in Python too.
    "tornado",
    // `_zope_interface_coptimizations` replaces functions that are in Python too.
    "zope-interface",
];

/// The same, but newer versions of them have a pure wheel, which is better.
const FALLBACKS_BY_AGE: [&str; 2] = [
    // 1.4: `cprocessors`, `cresultproxy` and `cimmutabledict` are imported under `try`.
    "sqlalchemy",
    // 1.x: `_wrappers` is tried first, then the classes in Python.
    "wrapt",
];

/// Whether a package works without its native files.
pub(crate) fn works_without(name: &str) -> bool {
    FALLBACKS.contains(&name) || FALLBACKS_BY_AGE.contains(&name)
}

/// Whether it is known that there is no pure wheel to look for.
pub(crate) fn is_never_pure(name: &str) -> bool {
    FALLBACKS.contains(&name)
}

/// What helps somebody who needs a native package.
pub(crate) struct Hint {
    pub name: &'static str,
    pub advice: &'static str,
    /// Requirements by which the package is avoided. They spare pip to try every version of what depends on it.
    pub instead: &'static [&'static str],
}

const HINTS: [Hint; 17] = [
    hint("asyncpg", "pg8000 is pure Python", &[]),
    hint("cryptography", "hashlib, hmac and secrets of the standard library work", &[]),
    hint("greenlet", "SQLAlchemy works without it, except for its asyncio extension", &[]),
    hint("grpcio", "use the service's HTTP interface", &[]),
    hint("hiredis", "redis works without it", &[]),
    hint("httptools", "uvicorn works without its extra \"standard\"", &[]),
    hint("jiter", "openai<1.40 works without it", &["openai<1.40"]),
    hint("mysqlclient", "PyMySQL is pure Python", &[]),
    hint("orjson", "json of the standard library works, and simplejson", &[]),
    hint("psycopg2", "pg8000 is pure Python", &[]),
    hint("psycopg2-binary", "pg8000 is pure Python", &[]),
    hint("pydantic-core", "pydantic<2 is pure Python", &["pydantic<2"]),
    hint("python-levenshtein", "rapidfuzz works", &[]),
    hint("regex", "re of the standard library works", &[]),
    hint("rpds-py", "jsonschema<4.18 is pure Python", &["jsonschema<4.18"]),
    hint("ujson", "json of the standard library works, and simplejson", &[]),
    hint("uvloop", "asyncio works without it", &[]),
];

const fn hint(name: &'static str, advice: &'static str, instead: &'static [&'static str]) -> Hint {
    Hint { name, advice, instead }
}

pub(crate) fn hint_for(name: &str) -> Option<&'static Hint> {
    HINTS.iter().find(|hint| hint.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_files_are_known_by_their_names() {
        for native in ["a/_speedups.cpython-314-x86_64-linux-gnu.so", "a.libs/libz-1.so.1.2", "b.pyd", "c.dylib"] {
            assert!(is_native_file(native), "{native}");
        }
        for other in ["a/so.py", "a/so", "b/sources/x.txt", "_native.py", "a.so/x.py"] {
            assert!(!is_native_file(other), "{other}");
        }
    }
}
