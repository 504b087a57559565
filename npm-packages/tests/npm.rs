//! Installation by npm from a registry on this machine, and all that can go wrong with it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{
    fs,
    time::{Duration, Instant},
};

use common::{Registry, folder, npm, program, project, refusal, text, write};
use mirra_npm_packages::{Error, Limits, Project};
use serde_json::json;

fn manifest(dependencies: &str) -> String {
    format!(r#"{{ "name": "h", "version": "1.0.0", "dependencies": {{ {dependencies} }} }}"#)
}

#[tokio::test]
async fn what_the_lock_names_is_installed_once() {
    let (registry, cache) = (Registry::start(), tempfile::tempdir().unwrap());
    registry.publish("bb", "2.0.0", json!({}), &[("index.js", "module.exports = 'bb';")]);
    let marker = cache.path().join("ran-an-install-script");
    let more = json!({ "dependencies": { "bb": "^2.0.0" }, "scripts": { "install": format!("touch {}", marker.display()) } });
    registry.publish("aa", "1.0.0", more, &[("index.js", "module.exports = require('bb');")]);
    registry.publish("dev", "1.0.0", json!({}), &[]);
    let handler = folder(&[("package.json", r#"{ "dependencies": { "aa": "1.0.0" }, "devDependencies": { "dev": "*" } }"#)]);
    assert!(Project::of(handler.path()).unwrap().is_none(), "without a lock there is nothing to install");
    registry.lock(&handler);
    let before = fs::read_to_string(handler.path().join("package-lock.json")).unwrap();

    let installer = registry.installer(cache.path());
    registry.asked();
    let (one, other) = (project(&handler), project(&handler));
    // Two that want the same at the same time.
    let (one, other) = tokio::join!(installer.install(&one), installer.install(&other));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.folder, other.folder);
    assert_eq!(text(&one, "node_modules/bb/index.js"), "module.exports = 'bb';");
    assert_eq!(one.with_scripts, ["node_modules/aa"]);
    assert!(!one.folder.join("node_modules/dev").exists(), "what is for development is left out");
    assert!(!marker.exists());
    assert_eq!(registry.asked().iter().filter(|path| path.ends_with("aa-1.0.0.tgz")).count(), 1);
    assert!(!handler.path().join("node_modules").exists(), "the handler's folder stays as it is");
    assert_eq!(fs::read_to_string(handler.path().join("package-lock.json")).unwrap(), before);

    // Installed is installed, without npm and its registry.
    drop(registry);
    let offline = installer.with_env("PATH", "/nonexistent");
    assert_eq!(offline.install(&project(&handler)).await.unwrap().folder, one.folder);
    write(handler.path(), "node_modules/aa/index.js", "");
    assert!(Project::of(handler.path()).unwrap().is_none(), "node_modules counts as it stands");
}

#[tokio::test]
async fn packages_in_the_folder_are_linked_or_unpacked() {
    let (registry, cache) = (Registry::start(), tempfile::tempdir().unwrap());
    let handler = folder(&[
        (
            "package.json",
            r#"{ "workspaces": ["packages/*"], "dependencies": { "lib": "file:./lib", "arc": "file:./arc.tgz", "@me/w": "*" } }"#,
        ),
        ("lib/package.json", r#"{ "name": "lib", "version": "1.0.0" }"#),
        ("packages/w/package.json", r#"{ "name": "@me/w", "version": "1.0.0" }"#),
        ("arc/package.json", r#"{ "name": "arc", "version": "3.0.0" }"#),
        ("arc/index.js", "module.exports = 'arc';"),
    ]);
    npm(handler.path(), &["pack", "./arc"], &[]);
    fs::rename(handler.path().join("arc-3.0.0.tgz"), handler.path().join("arc.tgz")).unwrap();
    fs::remove_dir_all(handler.path().join("arc")).unwrap();
    registry.lock(&handler);
    let installed = registry.installer(cache.path()).install(&project(&handler)).await.unwrap();
    assert_eq!(text(&installed, "node_modules/arc/index.js"), "module.exports = 'arc';");
    let target = |link: &str| fs::read_link(installed.folder.join(link)).unwrap().to_string_lossy().into_owned();
    assert_eq!((target("node_modules/lib"), target("node_modules/@me/w")), ("../lib".to_owned(), "../../packages/w".to_owned()));
    let inputs: Vec<_> = project(&handler).inputs().iter().map(|path| path.strip_prefix(handler.path()).unwrap().to_owned()).collect();
    let expected = ["arc.tgz", "lib/package.json", "package-lock.json", "package.json", "packages/w/package.json"];
    assert_eq!(inputs, expected.map(std::path::PathBuf::from));
}

#[tokio::test]
async fn what_went_wrong_is_told() {
    let (registry, cache) = (Registry::start(), tempfile::tempdir().unwrap());
    registry.publish("aa", "1.0.0", json!({}), &[("index.js", "1")]);
    let installer = registry.installer(cache.path());
    let handler = folder(&[("package.json", &manifest(r#""aa": "1.0.0""#))]);
    registry.lock(&handler);
    let lock = fs::read_to_string(handler.path().join("package-lock.json")).unwrap();

    registry.publish("bb", "1.0.0", json!({}), &[]);
    write(handler.path(), "package.json", manifest(r#""aa": "1.0.0", "bb": "1.0.0""#));
    let error = refusal(&installer, &handler).await;
    assert!(matches!(&error, Error::OutOfStep { file, .. } if file == "package-lock.json"), "{error}");
    assert!(error.to_string().contains("run `npm install`") && error.to_string().contains("bb@1.0.0"), "{error}");

    write(handler.path(), "package.json", manifest(r#""aa": "1.0.0""#));
    let (begin, end) = lock.split_once("sha512-").unwrap();
    write(handler.path(), "package-lock.json", format!("{begin}sha512-{}{}", "A".repeat(86), &end[86..]));
    let error = refusal(&installer, &handler).await;
    assert!(matches!(error, Error::Integrity { .. }), "{error}");

    write(handler.path(), "package-lock.json", lock.replace("aa-1.0.0.tgz", "aa-9.0.0.tgz"));
    let error = refusal(&installer, &handler).await;
    assert!(matches!(error, Error::NotFound { .. }), "{error}");

    write(handler.path(), "package-lock.json", lock.replace(&registry.address.port().to_string(), "1"));
    let error = refusal(&installer, &handler).await;
    assert!(matches!(error, Error::Network { .. }) && error.file().is_none(), "{error}");

    write(handler.path(), "package-lock.json", "nonsense");
    let error = Project::of(handler.path()).expect_err("is refused");
    assert_eq!(error.file(), Some("package-lock.json"), "{error}");

    write(handler.path(), "package-lock.json", &lock);
    let error = refusal(&installer.clone().with_env("PATH", "/nonexistent"), &handler).await;
    assert!(matches!(error, Error::NoManager { .. }), "{error}");
    assert!(fs::read_dir(cache.path()).unwrap().flatten().all(|entry| entry.file_name().to_string_lossy().starts_with("turn-")));
}

#[tokio::test]
async fn a_private_registry_is_reached_by_the_projects_own_settings() {
    let (registry, cache) = (Registry::start(), tempfile::tempdir().unwrap());
    registry.publish("aa", "1.0.0", json!({}), &[("index.js", "1")]);
    let handler = folder(&[("package.json", &manifest(r#""aa": "1.0.0""#))]);
    registry.lock(&handler);
    registry.demand("s3cret-token");
    let installer = registry.installer(cache.path());
    let settings = |token: &str| format!("//{}/:_authToken={token}\ngit=/tmp/evil\n", registry.address);

    write(handler.path(), ".npmrc", settings("wr0ng-token"));
    let error = refusal(&installer, &handler).await;
    assert!(matches!(error, Error::Denied { .. }), "{error}");
    assert!(!error.to_string().contains("wr0ng-token"), "{error}");

    // A variable of the host is not for a project, whose registry may be anybody's.
    write(handler.path(), ".npmrc", settings("${NPM_TOKEN}"));
    let error = refusal(&installer.clone().with_env("NPM_TOKEN", "s3cret-token"), &handler).await;
    assert!(matches!(error, Error::Denied { .. }), "{error}");
    write(handler.path(), ".npmrc", settings("s3cret-token"));
    let installed = installer.install(&project(&handler)).await.unwrap();
    assert_eq!(text(&installed, "node_modules/aa/index.js"), "1");
}

#[tokio::test]
async fn what_lies_outside_of_the_folder_is_refused() {
    let empty = r#"{ "lockfileVersion": 3, "packages": {} }"#;
    let escaped = "\\u0066ile:/etc/x.tgz";
    for required in [
        "file:../x",
        "link:../x",
        "file:/etc/x.tgz",
        "file:lib/../../x",
        "./../x.tgz",
        escaped,
        "portal:~/x",
        "git+file:///x",
        "git+https://h.example/x.git",
        "github:u/r",
        "u/r",
        "https://h.example/x.tgz",
        "exec:./x.js",
    ] {
        let handler = folder(&[("package.json", &manifest(&format!(r#""x": "{required}""#))), ("package-lock.json", empty)]);
        let error = Project::of(handler.path()).expect_err("is refused");
        assert!(matches!(&error, Error::Refused { file, .. } if file == "package.json"), "{required}: {error}");
    }
    for lock in [
        r#"{ "packages": { "node_modules/x": { "resolved": "file:/etc/x.tgz" } } }"#,
        r#"{ "packages": { "node_modules/x": { "resolved": "/etc/x.tgz" } } }"#,
        r#"{ "packages": { "node_modules/x": { "resolved": "git+https://h.example/x.git#a" } } }"#,
        r#"{ "packages": { "../x": {} } }"#,
    ] {
        let handler = folder(&[("package.json", &manifest(r#""x": "1""#)), ("package-lock.json", lock)]);
        let error = Project::of(handler.path()).expect_err("is refused");
        assert!(matches!(&error, Error::Refused { file, .. } if file == "package-lock.json"), "{lock}: {error}");
    }
}

#[tokio::test]
async fn time_and_room_are_bounded() {
    let (registry, cache, bin) = (Registry::start(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let handler = folder(&[("package.json", &manifest(r#""x": "1""#)), ("package-lock.json", "{}")]);
    let installer = registry.installer(cache.path());

    let path = program(bin.path(), "npm", "mkdir node_modules; head -c 100000 /dev/zero > node_modules/zeros");
    let small = installer.clone().with_env("PATH", &path).with_limits(Limits { bytes: 90_000, ..Limits::default() });
    let error = refusal(&small, &handler).await;
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    let few = installer.clone().with_env("PATH", path).with_limits(Limits { files: 3, ..Limits::default() });
    let error = refusal(&few, &handler).await;
    assert!(matches!(&error, Error::TooLarge { limit, .. } if limit == "3 files"), "{error}");

    let began = Instant::now();
    // What it has started ends with it.
    let pid = bin.path().join("pid");
    let script = format!("tail -f /dev/null & echo $! > {}; wait", pid.display());
    let endless = installer.with_env("PATH", program(bin.path(), "npm", &script));
    let error = refusal(&endless.with_limits(Limits { wall: Duration::from_millis(200), ..Limits::default() }), &handler).await;
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    assert!(began.elapsed() < Duration::from_secs(30));
    let of_child = format!("/proc/{}/stat", fs::read_to_string(pid).unwrap().trim());
    let lives = || fs::read_to_string(&of_child).is_ok_and(|stat| !stat.contains(") Z "));
    while lives() {
        assert!(began.elapsed() < Duration::from_secs(30), "it goes on");
        tokio::task::yield_now().await;
    }

    fs::write(handler.path().join("package-lock.json"), vec![b' '; 21 << 20]).unwrap();
    let error = Project::of(handler.path()).expect_err("is refused");
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}

/// pnpm and yarn are not everywhere: how they are called, and what they are shown, is looked at by a program in their place.
#[tokio::test]
async fn each_lock_is_installed_by_the_manager_that_wrote_it() {
    let cases = [
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n", "pnpm", "--frozen-lockfile --ignore-scripts --ignore-pnpmfile --prod"),
        ("yarn.lock", "# yarn lockfile v1\n", "yarn", "--frozen-lockfile --ignore-scripts --production"),
        ("yarn.lock", "__metadata:\n  version: 8\n", "yarn", "--immutable --mode=skip-build"),
    ];
    for (lock, content, manager, flags) in cases {
        let (cache, bin) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let version = if content.contains("__metadata") { "4.5.1" } else { "1.22.22" };
        let script = format!("test \"$*\" = --version && echo {version} && exit; git && exit 3; ")
            + "mkdir node_modules; echo \"$@\" > node_modules/args; env > node_modules/env; cat .yarnrc.yml > node_modules/settings; cp package.json node_modules/manifest";
        let path = program(bin.path(), manager, &script);
        let yarnrc = "yarnPath: evil.cjs\nnpmRegistryServer: https://r.example\n";
        let more = format!(r#"{{ "packageManager": "{manager}@9.0.0", "scripts": {{ "install": "x" }},"#);
        let package = manifest(r#""x": "1""#).replacen('{', &more, 1);
        let handler = folder(&[("package.json", &package), ("package-lock.json", "{}"), (lock, content), (".yarnrc.yml", yarnrc)]);
        let registry = Registry::start();
        let installer = registry.installer(cache.path()).with_env("PATH", path).with_env("AWS_SECRET_ACCESS_KEY", "s3cret");
        let installed = installer.install(&project(&handler)).await.unwrap();
        let args = text(&installed, "node_modules/args");
        assert!(args.starts_with("install ") && args.contains(flags), "{args}");
        let env = text(&installed, "node_modules/env");
        assert!(!env.contains("s3cret"), "{env}");
        assert_eq!(env.contains("YARN_NODE_LINKER=node-modules"), flags.contains("--immutable"));
        assert_eq!(text(&installed, "node_modules/settings"), r#"{"npmRegistryServer":"https://r.example"}"#);
        assert!(!text(&installed, "node_modules/manifest").contains("scripts"));
    }
}

/// The yarn of one time takes no notice of the flags of another, by which no script is run.
#[tokio::test]
async fn a_yarn_of_another_time_is_not_run() {
    for (content, version) in [("__metadata:\n  version: 8\n", "1.22.22"), ("# yarn lockfile v1\n# __metadata:\n", "4.5.1")] {
        let (cache, bin) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let marker = bin.path().join("ran");
        let script = format!("test \"$*\" = --version && echo {version} && exit; touch {}", marker.display());
        let path = program(bin.path(), "yarn", &script);
        let handler = folder(&[("package.json", &manifest(r#""x": "1""#)), ("yarn.lock", content)]);
        let error = refusal(&Registry::start().installer(cache.path()).with_env("PATH", path), &handler).await;
        assert!(matches!(error, Error::OtherVersion { .. }), "{error}");
        assert!(!marker.exists());
    }
}

/// Where there is only corepack, it is asked for pnpm and yarn.
#[tokio::test]
async fn corepack_has_the_managers_that_are_not_there() {
    let (cache, bin) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    program(bin.path(), "corepack", "/bin/mkdir node_modules; echo \"$@\" > node_modules/args");
    let handler = folder(&[("package.json", &manifest(r#""x": "1""#)), ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n")]);
    let installer = Registry::start().installer(cache.path()).with_env("PATH", bin.path());
    let installed = installer.install(&project(&handler)).await.unwrap();
    assert!(text(&installed, "node_modules/args").starts_with("pnpm install --frozen-lockfile"));
}
