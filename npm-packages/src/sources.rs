//! Where packages may come from: a registry, and the handler's own folder. A manager would fetch them from anywhere else, too: it reads
//! archives and folders of the host, runs `git`, and, in what that has fetched, whatever its settings name. So what is not known to be one of the two
//! is refused. Managers are given what was read here and not the text that it was read from: no other way to read it can count.

use serde_json::{Map, Value};
use url::Url;

/// What may not be installed, and why.
pub struct Outside {
    pub what: String,
    pub reason: &'static str,
}

const REASON: &str =
    "only packages of a registry and those in the handler's folder can be installed; for others, put node_modules beside package.json";

pub type Checked = Result<(), Outside>;

pub fn outside(what: &str) -> Checked {
    Err(Outside { what: what.to_owned(), reason: REASON })
}

/// Fields of a package.json that say what it requires, and at what version.
pub const REQUIRED: [&str; 6] = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "overrides", "resolutions"];

/// Those that a manager has to see besides. Without `scripts`, for one, it could not run any.
const OTHERS: [&str; 13] = [
    "bin",
    "bundleDependencies",
    "bundledDependencies",
    "cpu",
    "dependenciesMeta",
    "engines",
    "name",
    "os",
    "packageManager",
    "peerDependenciesMeta",
    "private",
    "version",
    "workspaces",
];

/// Settings of pnpm that say what is installed, in package.json or pnpm-workspace.yaml.
const OF_PNPM: [&str; 9] = [
    "allowedDeprecatedVersions",
    "catalog",
    "catalogs",
    "ignoredOptionalDependencies",
    "overrides",
    "packageExtensions",
    "packages",
    "patchedDependencies",
    "peerDependencyRules",
];

/// A package.json `depth` folders down, as a manager is given it.
pub fn manifest(mut manifest: Value, depth: usize) -> Result<Value, Outside> {
    let Some(fields) = manifest.as_object_mut() else { return Ok(manifest) };
    fields.retain(|name, _| REQUIRED.contains(&&**name) || OTHERS.contains(&&**name) || name == "pnpm");
    for name in REQUIRED {
        fields.get(name).map_or(Ok(()), |required| specifiers(required, depth))?;
    }
    let workspaces = &fields.get("workspaces").map_or(&Value::Null, |workspaces| workspaces.get("packages").unwrap_or(workspaces));
    each_text(workspaces, &mut |pattern| path(pattern, depth))?;
    if let Some(settings) = fields.get_mut("pnpm") {
        pnpm_settings(settings)?;
    }
    Ok(manifest)
}

/// All that a package.json requires.
pub fn required(manifest: &Value) -> Vec<&str> {
    let of = |name: &&str| manifest.get(*name).and_then(Value::as_object).into_iter().flatten();
    REQUIRED.iter().flat_map(of).filter_map(|(_, required)| required.as_str()).collect()
}

/// Keeps of pnpm's settings those that say what is installed.
pub fn pnpm_settings(settings: &mut Value) -> Checked {
    let Some(settings) = settings.as_object_mut() else { return Ok(()) };
    settings.retain(|name, _| OF_PNPM.contains(&&**name));
    for (name, value) in settings {
        match &**name {
            "packages" | "patchedDependencies" => each_text(value, &mut |text| path(text.trim_start_matches('!'), 0))?,
            "ignoredOptionalDependencies" | "peerDependencyRules" => {}
            _ => specifiers(value, 0)?,
        }
    }
    Ok(())
}

/// The texts in a value are what packages are required as.
pub fn specifiers(value: &Value, depth: usize) -> Checked {
    each_text(value, &mut |text| specifier(text, depth))
}

fn each_text(value: &Value, check: &mut dyn FnMut(&str) -> Checked) -> Checked {
    match value {
        Value::String(text) => check(text),
        Value::Array(values) => values.iter().try_for_each(|value| each_text(value, check)),
        Value::Object(fields) => fields.values().try_for_each(|value| each_text(value, check)),
        _ => Ok(()),
    }
}

/// What a package is required as: `^1.0.0`, `npm:other@1`, `file:./lib`.
pub fn specifier(text: &str, depth: usize) -> Checked {
    let is_path = |text: &str| {
        text.starts_with(['.', '/', '~', '\\']) || text.ends_with(".tgz") || text.ends_with(".tar.gz") || text.ends_with(".tar")
    };
    let allowed = match text.split_once(':') {
        Some(("npm", rest)) => return if rest.contains(':') { outside(text) } else { Ok(()) },
        Some(("catalog", _)) => return Ok(()),
        Some(("workspace", rest)) if !rest.contains(['/', '\\', ':']) => return Ok(()),
        Some(("file" | "link" | "portal" | "workspace", rest)) => path(rest.split("::").next().unwrap_or_default(), depth),
        Some(("patch", rest)) => return patch(rest),
        Some(_) => outside(text),
        None if is_path(text) => path(text, depth),
        // `somebody/something` is of GitHub.
        None if text.contains(['/', '\\']) => outside(text),
        None => Ok(()),
    };
    allowed.or_else(|_| outside(text))
}

/// Yarn's `patch:x@npm%3A1.0.0#~/.yarn/patches/x.patch`.
fn patch(text: &str) -> Checked {
    let (source, file) = text.split_once('#').unwrap_or((text, ""));
    let of_registry =
        source.replace("%3A", ":").rsplit_once('@').is_some_and(|(_, version)| !version.contains(':') || version.starts_with("npm:"));
    let file = file.split("::").next().unwrap_or_default().trim_start_matches("optional!").trim_start_matches("~/");
    let is_inside = file.starts_with("builtin<") || path(file, 0).is_ok();
    if of_registry && is_inside { Ok(()) } else { outside(text) }
}

/// A path that starts `depth` folders down in the handler's, and leads nowhere outside of that.
pub fn path(text: &str, depth: usize) -> Checked {
    let mut left = depth;
    let climbs = |part: &str| {
        match part {
            "." | "" => {}
            ".." => match left.checked_sub(1) {
                Some(less) => left = less,
                None => return true,
            },
            _ => left += 1,
        }
        false
    };
    let leads_outside = text.starts_with(['/', '~']) || text.contains(['\\', '%', ':']) || text.split('/').any(climbs);
    if leads_outside { outside(text) } else { Ok(()) }
}

/// Where npm and others take a repository from what looks like an address of the web.
const REPOSITORIES: [&str; 5] = ["github.com", "gist.github.com", "gitlab.com", "bitbucket.org", "git.sr.ht"];

/// The address of an archive.
pub fn address(text: &str) -> Checked {
    let is_archive = Url::parse(text).is_ok_and(|url| {
        let host = url.host_str().unwrap_or_default();
        let is_repository = REPOSITORIES.contains(&host.trim_start_matches("www.").trim_end_matches('.')) || url.path().ends_with(".git");
        matches!(url.scheme(), "http" | "https") && !is_repository
    });
    if is_archive { Ok(()) } else { outside(text) }
}

/// The keys of a YAML text that are kept, as JSON, which is YAML too. None: it is none.
pub fn kept(text: &str, keys: &[&str]) -> Option<Map<String, Value>> {
    let mut all: Map<String, Value> = if text.trim().is_empty() { Map::new() } else { yaml(text)? };
    all.retain(|name, _| keys.contains(&&**name));
    Some(all)
}

/// YAML without anchors, merges or keys that stand there twice, which others might read in another way.
pub fn yaml<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    let mut options = serde_saphyr::options! {};
    if let Some(budget) = &mut options.budget {
        budget.max_anchors = 0;
        budget.max_aliases = 0;
    }
    if text.contains("<<") { None } else { serde_saphyr::from_str_with_options(text, options).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn packages_come_from_a_registry_or_the_folder() {
        let inside = [
            "^1.0.0",
            "latest",
            "*",
            "",
            "1 || 2",
            "npm:other@^1",
            "npm:@s/other@1.0.0",
            "file:./lib",
            "file:lib-1.0.0.tgz",
            "link:lib",
            "./lib",
            "lib.tgz",
            "workspace:*",
            "workspace:^1.0.0",
            "workspace:packages/a",
            "catalog:",
            "catalog:next",
            "patch:x@npm%3A1.0.0#~/.yarn/patches/x.patch",
            "patch:fsevents@^2#optional!builtin<compat/fsevents>",
        ];
        for text in inside {
            assert!(specifier(text, 0).is_ok(), "{text}");
        }
        let outside = [
            "user/repo",
            "github:user/repo",
            "gist:1",
            "git+https://h/x.git",
            "git+file:///x",
            "git@github.com:user/repo.git",
            "ssh://h/x",
            "https://github.com/user/repo",
            "https://r.example/x.tgz",
            "http://h/x.git#main",
            "file:../x",
            "file:/etc/x.tgz",
            "file:lib/../../x",
            "/x",
            "~/x",
            "../x.tgz",
            "./../x.tgz",
            "link:../x",
            "portal:~/x",
            "workspace:../x",
            "exec:./x.js",
            "npm:x@file:/x",
            "file:%2e%2e/x",
            "patch:x@file:/x#./p",
            "patch:x@npm%3A1#../../p",
            "..\\x",
        ];
        for text in outside {
            assert!(specifier(text, 0).is_err(), "{text}");
        }
        assert!(specifier("link:../b", 1).is_ok() && specifier("link:../../b", 1).is_err());
    }

    #[test]
    fn archives_are_not_repositories() {
        for text in
            ["https://registry.npmjs.org/x/-/x-1.0.0.tgz", "http://127.0.0.1:4873/x.tgz", "https://codeload.github.com/u/r/tar.gz/abc"]
        {
            assert!(address(text).is_ok(), "{text}");
        }
        for text in [
            "https://github.com/u/r.tgz",
            "https://www.github.com/u/r",
            "https://h/x.git",
            "git+ssh://h/x",
            "file:///etc/x",
            "x",
            "ftp://h/x.tgz",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_manager_is_given_what_it_needs_of_a_manifest() {
        let given = manifest(
            json!({ "name": "h", "scripts": { "install": "x" }, "dependencies": { "a": "1" }, "pnpm": { "overrides": {}, "neverBuiltDependencies": [] } }),
            0,
        );
        assert_eq!(given.ok(), Some(json!({ "name": "h", "dependencies": { "a": "1" }, "pnpm": { "overrides": {} } })));
        for bad in [
            json!({ "dependencies": { "a": "u/r" } }),
            json!({ "workspaces": ["../x"] }),
            json!({ "workspaces": { "packages": ["a/../../x"] } }),
            json!({ "overrides": { "a": { "b": "file:/x" } } }),
        ] {
            assert!(manifest(bad.clone(), 0).is_err(), "{bad}");
        }
    }
}
