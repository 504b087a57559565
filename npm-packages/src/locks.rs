//! Where the locks of npm, pnpm and yarn say that packages come from. A lock of another's making can name what the package.json does not.

use serde_json::Value;

use crate::sources::{Checked, Outside, REQUIRED, address, outside, path, specifier, specifiers};

/// package-lock.json, as npm is given it.
pub fn npm_lock(mut lock: Value) -> Result<Value, Outside> {
    if let Some(fields) = lock.as_object_mut() {
        // Of npm 6, which later ones do not look at where there is `packages`.
        let of_npm_6 =
            fields.remove("dependencies").is_some_and(|packages| packages.as_object().is_some_and(|packages| !packages.is_empty()));
        if of_npm_6 && !fields.contains_key("packages") {
            return Err(Outside { what: "lockfileVersion 1".to_owned(), reason: "it is of npm 6: run `npm install` with a newer one" });
        }
    }
    let packages = lock.get("packages").and_then(Value::as_object);
    for (folder, package) in packages.into_iter().flatten() {
        path(folder, 0)?;
        let text = |field: &str| package.get(field).and_then(Value::as_str);
        match text("resolved") {
            Some(resolved) if package["link"] == true => path(resolved, 0)?,
            Some(resolved) if resolved.starts_with("file:") => path(&resolved["file:".len()..], 0).or_else(|_| outside(resolved))?,
            Some(resolved) => address(resolved)?,
            None => {}
        }
        // What is not resolved is looked for by these.
        for name in ["name", "version"] {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "@/._~+-".contains(c);
            let is_name = |text: &str| text.chars().all(allowed) && (name == "name" || !text.contains('/'));
            text(name).filter(|text| !is_name(text)).map_or(Ok(()), outside)?;
        }
    }
    Ok(lock)
}

/// Fields of a lock that are text for people.
const TOLD: [&str; 3] = ["deprecated", "description", "license"];

/// pnpm-lock.yaml.
pub fn pnpm_lock(lock: &Value) -> Checked {
    for (name, value) in lock.as_object().into_iter().flatten() {
        match (&**name, value) {
            ("importers", Value::Object(importers)) => {
                for (importer, value) in importers {
                    path(importer, 0)?;
                    let depth = importer.split('/').filter(|part| !matches!(*part, "" | ".")).count();
                    of_pnpm(value, depth)?;
                }
            }
            ("overrides" | "packageExtensions" | "packageExtensionsChecksum" | "settings" | "time" | "pnpmfileChecksum", _) => {}
            ("patchedDependencies", patches) => patches
                .as_object()
                .into_iter()
                .flatten()
                .try_for_each(|(_, patch)| patch.get("path").unwrap_or(patch).as_str().map_or(Ok(()), |file| path(file, 0)))?,
            _ => of_pnpm(value, 0)?,
        }
    }
    Ok(())
}

fn of_pnpm(value: &Value, depth: usize) -> Checked {
    let Some(fields) = value.as_object() else { return value.as_str().map_or(Ok(()), |text| reference(text, depth)) };
    for (name, value) in fields {
        reference(name, depth)?;
        let text = value.as_str();
        match (&**name, text) {
            (told, _) if TOLD.contains(&told) => {}
            ("repo" | "commit", Some(text)) => outside(text)?,
            ("type", Some(kind)) if kind != "directory" => outside(kind)?,
            ("directory" | "path", Some(folder)) => path(folder, 0)?,
            ("tarball", Some(archive)) if archive.starts_with("file:") => {
                path(&archive["file:".len()..], 0).or_else(|_| outside(archive))?
            }
            ("tarball", Some(archive)) => address(archive)?,
            ("specifier", Some(text)) => specifier(text, depth)?,
            _ => of_pnpm(value, depth)?,
        }
    }
    Ok(())
}

/// A name or version in a lock that may say where the package is from: `x@file:lib`, `link:../x`, `https://r.example/x.tgz`.
fn reference(text: &str, depth: usize) -> Checked {
    // Behind it may stand what it was resolved with.
    let plain = text.split('(').next().unwrap_or_default();
    let from = plain.char_indices().skip(1).find_map(|(at, c)| (c == '@').then(|| &plain[at + 1..])).unwrap_or(plain);
    match from.split_once(':') {
        None => Ok(()),
        Some(("file" | "link" | "portal", rest)) => path(rest, depth).or_else(|_| outside(text)),
        Some(("http" | "https", _)) => address(from),
        Some(("npm" | "workspace" | "catalog" | "runtime", _)) => Ok(()),
        // `sha512-…` and times have none of these.
        Some((scheme, _)) if scheme.chars().all(|c| c.is_ascii_lowercase() || "+-".contains(c)) => outside(text),
        Some(_) => Ok(()),
    }
}

/// yarn.lock of version 2 and later. `depth`: that of the deepest package.json, by which one of them may name another.
pub fn yarn_lock(lock: &Value, depth: usize) -> Checked {
    let described = |text: &str| {
        let from = text.char_indices().skip(1).find_map(|(at, c)| (c == '@').then(|| &text[at + 1..])).unwrap_or_default();
        // What it is bound to stands behind: `::locator=…`, and of an archive `#./x.tgz::hash=…`.
        let from = if from.starts_with("patch:") { from } else { from.split(['#']).next().unwrap_or_default() };
        specifier(from.split("::").next().unwrap_or_default(), depth)
    };
    for (descriptors, package) in lock.as_object().into_iter().flatten().filter(|(name, _)| *name != "__metadata") {
        descriptors.split(", ").try_for_each(described)?;
        package.get("resolution").and_then(Value::as_str).map_or(Ok(()), described)?;
        for field in REQUIRED {
            package.get(field).map_or(Ok(()), |required| specifiers(required, depth))?;
        }
    }
    Ok(())
}

/// yarn.lock of version 1, which has a language of its own: what is looked at are its words.
pub fn yarn_classic_lock(text: &str) -> Checked {
    // Escapes, which no yarn writes, could hide anything.
    if text.contains('\\') {
        return outside("\\");
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut is_resolved = false;
        for word in words(line) {
            if is_resolved {
                match word.strip_prefix("file:") {
                    Some(file) => path(file.split('#').next().unwrap_or_default(), 0).or_else(|_| outside(word))?,
                    None => address(word)?,
                }
            } else if !word.starts_with("sha") {
                let from = word.char_indices().skip(1).find_map(|(at, c)| (c == '@').then(|| &word[at + 1..]));
                from.map_or(Ok(()), |from| specifier(from, 0))?;
                if from.is_none() && word.contains("://") {
                    outside(word)?;
                }
            }
            is_resolved = word == "resolved";
        }
    }
    Ok(())
}

/// What stands in quotes, and what stands between spaces, commas and at most one colon at its end.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').enumerate().flat_map(|(at, part)| {
        let is_quoted = at % 2 == 1;
        let ends = move |c: char| !is_quoted && (c.is_whitespace() || c == ',');
        part.split(ends).map(|word| word.strip_suffix(':').unwrap_or(word)).filter(|word| !word.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::yaml;
    use serde_json::json;

    #[test]
    fn locks_of_npm_name_registries_and_the_folder() {
        let lock = |key: &str, package: Value| npm_lock(json!({ "lockfileVersion": 3, "packages": { key: package } }));
        assert!(lock("node_modules/x", json!({ "version": "1.0.0", "resolved": "https://r.example/x/-/x-1.0.0.tgz" })).is_ok());
        assert!(lock("node_modules/x", json!({ "resolved": "lib", "link": true })).is_ok());
        assert!(lock("node_modules/x", json!({ "version": "1.0.0", "resolved": "file:x.tgz" })).is_ok());
        for (key, package) in [
            ("../x", json!({})),
            ("node_modules/../../x", json!({})),
            ("/x", json!({})),
            ("node_modules/x", json!({ "resolved": "/tmp/x.tgz" })),
            ("node_modules/x", json!({ "resolved": "file:/tmp/x.tgz" })),
            ("node_modules/x", json!({ "resolved": "../x", "link": true })),
            ("node_modules/x", json!({ "resolved": "git+ssh://git@github.com/u/r.git#abc" })),
            ("node_modules/x", json!({ "resolved": "https://github.com/u/r" })),
            ("node_modules/x", json!({ "version": "file:/tmp/x.tgz" })),
            ("node_modules/x", json!({ "version": "u/r" })),
            ("node_modules/x", json!({ "name": "x@file:/tmp/x", "version": "1.0.0" })),
        ] {
            assert!(lock(key, package.clone()).is_err(), "{key} {package}");
        }
        assert!(npm_lock(json!({ "lockfileVersion": 1, "dependencies": { "x": { "version": "file:/x" } } })).is_err());
    }

    #[test]
    fn locks_of_pnpm_name_registries_and_the_folder() {
        let good = "lockfileVersion: '9.0'\nsettings:\n  autoInstallPeers: true\nimporters:\n  .:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        \
                    version: 1.0.0(b@2.0.0)\n      lib:\n        specifier: file:lib-1.0.0.tgz\n        version: file:lib-1.0.0.tgz\n  packages/c:\n    dependencies:\n      \
                    d:\n        specifier: workspace:*\n        version: link:../d\npackages:\n  a@1.0.0:\n    resolution: {integrity: sha512-a/b+c==}\n    \
                    deprecated: 'moved to git+https://h/x'\n    peerDependencies:\n      b: '>=1'\n  lib@file:lib-1.0.0.tgz:\n    resolution: {integrity: sha512-x, tarball: file:lib-1.0.0.tgz}\n    \
                    version: 1.0.0\nsnapshots:\n  a@1.0.0(b@2.0.0):\n    dependencies:\n      b: 2.0.0\n  '@s/x@1.0.0': {}\n";
        let checked = |text: &str| pnpm_lock(&yaml::<Value>(text).unwrap());
        assert!(checked(good).is_ok(), "{}", checked(good).err().map(|outside| outside.what).unwrap_or_default());
        for bad in [
            "packages:\n  x@1.0.0:\n    resolution: {directory: ../private, type: directory}\n",
            "packages:\n  x@1.0.0:\n    resolution: {type: git, repo: https://h/x, commit: abc}\n",
            "packages:\n  x@1.0.0:\n    resolution: {tarball: file:/etc/x.tgz}\n",
            "packages:\n  x@1.0.0:\n    resolution: {tarball: /etc/x.tgz}\n",
            "packages:\n  x@1.0.0:\n    resolution: {\"\\u0074arball\": \"\\u0066ile:../x.tgz\"}\n",
            "packages:\n  x@git+https://h/x:\n    resolution: {integrity: a}\n",
            "importers:\n  .:\n    dependencies:\n      x: {specifier: ^1, version: 'link:../x'}\n",
            "importers:\n  ../up: {}\n",
            "importers:\n  a:\n    dependencies:\n      x: {specifier: ^1, version: 'link:../../x'}\n",
            "dependencies:\n  x: file:../x\n",
        ] {
            assert!(checked(bad).is_err(), "{bad}");
        }
        for strange in ["a: &x 1\nb: *x\n", "a: 1\na: 2\n", "a:\n  <<: {b: 1}\n", "--- 1\n--- 2\n"] {
            assert!(yaml::<Value>(strange).is_none(), "{strange}");
        }
    }

    #[test]
    fn locks_of_yarn_name_registries_and_the_folder() {
        let berry = |text: &str| yarn_lock(&yaml::<Value>(&format!("__metadata:\n  version: 8\n{text}")).unwrap(), 0);
        for good in [
            "\"a@npm:^1.0.0, a@npm:^1.2.0\":\n  version: 1.2.0\n  resolution: \"a@npm:1.2.0\"\n  dependencies:\n    b: \"npm:^2\"\n  checksum: 10c0/a\n",
            "\"h@workspace:.\":\n  resolution: \"h@workspace:.\"\n  dependencies:\n    x: \"file:./x.tgz\"\n",
            "\"x@file:./x.tgz::locator=h%40workspace%3A.\":\n  resolution: \"x@file:./x.tgz#./x.tgz::hash=1&locator=h\"\n",
            "\"@s/x@npm:1\":\n  resolution: \"@s/x@npm:1.0.0\"\n",
            "\"x@patch:x@npm%3A1#~/.yarn/patches/x.patch\":\n  resolution: \"x@patch:x@npm%3A1.0.0#~/.yarn/patches/x.patch::version=1&hash=2\"\n",
        ] {
            assert!(berry(good).is_ok(), "{good}{}", berry(good).err().map(|outside| outside.what).unwrap_or_default());
        }
        for bad in [
            "\"x@exec:./x.js\":\n  resolution: \"x@exec:./x.js\"\n",
            "\"x@npm:1\":\n  resolution: \"x@https://github.com/u/r.git#commit=a\"\n",
            "\"x@u/r\":\n  resolution: \"x@npm:1\"\n",
            "\"x@portal:../x\":\n  resolution: \"x@portal:../x\"\n",
        ] {
            assert!(berry(bad).is_err(), "{bad}");
        }
        let good = "# yarn lockfile v1\n\n\n\"@s/a@^1.0.0\", \"@s/a@npm:b@1\":\n  version \"1.0.0\"\n  resolved \"https://r.example/@s/a/-/a-1.0.0.tgz#abc\"\n  \
                    integrity sha512-a/b+c==\n  dependencies:\n    b \"^2.0.0 || 3\"\n\n\"x@file:./x.tgz\":\n  version \"1.0.0\"\n  resolved \"file:./x.tgz#abc\"\n";
        let checked = yarn_classic_lock(good);
        assert!(checked.is_ok(), "{}", checked.err().map(|outside| outside.what).unwrap_or_default());
        for bad in [
            "x@^1:\n  resolved \"git+https://h/x.git#a\"\n",
            "x@^1:\n  resolved \"https://github.com/u/r#a\"\n",
            "x@^1:\n  \"resolved\" \"file:/etc/x.tgz\"\n",
            "x@^1:\n  \"\\u0072esolved\" \"file:/etc/x.tgz\"\n",
            "x@u/r:\n  version \"1\"\n",
            "\"x@file:../x.tgz\":\n  version \"1\"\n",
        ] {
            assert!(yarn_classic_lock(bad).is_err(), "{bad}");
        }
    }
}
