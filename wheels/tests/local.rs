//! Resolution with pip and an index in a folder: what wheels may contain, and all that can go wrong, without a network.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use common::{Index, Phases, folder, paths, program, python, refusal, required, resolve, versions};
use mirra_wheels::{Engine, Error, Limits, Phase, Place, Requirements, Resolver};

fn line(line: u32) -> Option<Place> {
    Some(Place { file: "requirements.txt".into(), line })
}

#[tokio::test]
async fn a_wheel_becomes_what_belongs_into_site_packages() {
    let index = Index::new();
    let wheel = index.wheel("aa", "1.0", "py3-none-any", &[]).file("aa/__init__.py", b"x = 1\n").link("aa/link.py", "/etc/passwd");
    let wheel = wheel.file("aa-1.0.data/purelib/aa/more.py", b"").file("aa-1.0.data/platlib/aa/plat.py", b"");
    let wheel = wheel.file("aa-1.0.data/scripts/run", b"#!python\n").file("aa-1.0.data/data/etc/aa.conf", b"");
    wheel.file("aa-1.0.dist-info/entry_points.txt", b"[console_scripts]\nrun = aa:run\n").finish();
    let phases = Phases::default();
    let resolver = index.resolver();
    let packages = resolver.resolve(&required(&["aa"]), &python(), &|phase| phases.note(phase)).await.unwrap();
    let info = ["METADATA", "WHEEL", "entry_points.txt"].map(|name| format!("aa-1.0.dist-info/{name}"));
    let mut expected = info.to_vec();
    expected.extend(["aa/__init__.py", "aa/more.py", "aa/plat.py"].map(str::to_owned));
    assert_eq!(paths(&packages), expected);
    assert_eq!(versions(&packages), ["aa==1.0"]);
    let arrived = |done| Phase::Fetching { done, of: 1 };
    assert_eq!(phases.all(), [Phase::Resolving, arrived(0), arrived(1), Phase::Unpacking]);
}

#[tokio::test]
async fn wheels_that_reach_out_of_themselves_are_refused() {
    let index = Index::new();
    index.wheel("aa", "1", "py3-none-any", &[]).file("../evil.py", b"").finish();
    let error = refusal(&index.resolver(), &["aa"]).await;
    assert!(matches!(&error, Error::Wheel { reason, .. } if reason == "it has a file outside of itself: ../evil.py"), "{error}");
}

#[tokio::test]
async fn bombs_and_too_much_are_refused() {
    let index = Index::new();
    index.wheel("bomb", "1", "py3-none-any", &[]).file("bomb.py", &vec![b' '; 8_000_000]).finish();
    let error = refusal(&index.resolver(), &["bomb"]).await;
    assert!(matches!(&error, Error::Wheel { reason, .. } if reason.starts_with("8000000 bytes are said to be in ")), "{error}");

    index.add("aa", "1", &["bb"]).add("bb", "1", &[]);
    let small = |limits| index.resolver().with_limits(limits);
    let error = refusal(&small(Limits { bytes: 200, ..Limits::default() }), &["aa"]).await;
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    let error = refusal(&small(Limits { files: 5, ..Limits::default() }), &["aa"]).await;
    assert!(matches!(&error, Error::TooLarge { limit, .. } if limit == "5 files"), "{error}");
}

#[tokio::test]
async fn native_code_in_a_wheel_that_says_it_has_none_is_refused() {
    let index = Index::new();
    index.wheel("aa", "1", "py3-none-any", &[]).file("aa/fast.so", b"\x7fELF").finish();
    let error = refusal(&index.resolver(), &["aa"]).await;
    let expected = "aa 1 is native code, which cannot run in the sandbox: it contains aa/fast.so, although its name says otherwise";
    assert_eq!((error.to_string().as_str(), error.place().cloned()), (expected, line(1)));
}

#[tokio::test]
async fn a_file_that_is_a_folder_elsewhere_is_refused() {
    let index = Index::new();
    index.wheel("aa", "1", "py3-none-any", &["bb"]).file("shared", b"").finish();
    index.wheel("bb", "1", "py3-none-any", &[]).file("shared/x.py", b"").finish();
    let error = refusal(&index.resolver(), &["aa"]).await;
    assert!(matches!(&error, Error::Wheel { file, .. } if file == "shared"), "{error}");
}

#[tokio::test]
async fn what_is_native_is_replaced_or_refused_by_name() {
    let index = Index::new();
    let native = "cp314-cp314-manylinux_2_28_x86_64";
    // A pure wheel of the same version is better than the native one that pip prefers.
    index.add("twin", "2", &[]).wheel("twin", "2", native, &[]).file("twin.so", b"").finish();
    // Only older versions of `top` do without `core`, which is native.
    index.add("top", "1", &[]).add("top", "2", &["core"]).wheel("core", "5", native, &[]).finish();
    // `direct` was pure once, which is not what somebody wants who requires it now.
    index.add("direct", "1", &[]).wheel("direct", "2", native, &[]).finish();
    let packages = resolve(&index.resolver(), &["twin", "top"]).await.unwrap();
    assert_eq!(versions(&packages), ["top==1", "twin==2"]);
    assert_eq!(packages.notes, ["top 1 is taken instead of 2: native code, which cannot run in the sandbox, is in core"]);
    let error = refusal(&index.resolver(), &["twin", "direct"]).await;
    let expected = "direct 2 is native code, which cannot run in the sandbox: the newest version in pure Python is direct==1";
    assert_eq!((error.to_string().as_str(), error.place().cloned()), (expected, line(2)));
    let error = refusal(&index.resolver(), &["twin", "top>1"]).await;
    let expected = "core 5 (needed by top) is native code, which cannot run in the sandbox: use a package in pure Python instead";
    assert_eq!((error.to_string().as_str(), error.place().cloned()), (expected, line(2)));
    let engine = Engine { elsewhere: vec!["Core".into()], ..python() };
    let error = index.resolver().resolve(&required(&["top"]), &engine, &|_| {}).await.unwrap_err();
    assert!(matches!(&error, Error::Elsewhere(needed) if needed.what == "core" && needed.by.as_deref() == Some("top")), "{error}");
    assert_eq!(error.place().cloned(), line(1));
}

#[tokio::test]
async fn what_does_not_fit_together_is_told() {
    let index = Index::new();
    index.add("aa", "1", &["cc<2"]).add("bb", "1", &["cc>=2"]).add("cc", "1", &[]).add("cc", "2", &[]);
    index.add("dd", "1", &["missing>=2"]);
    let error = refusal(&index.resolver(), &["# list", "aa", "bb"]).await;
    assert_eq!(error.to_string(), "requirements contradict each other: aa 1 depends on cc<2; bb 1 depends on cc>=2");
    assert_eq!(error.place().cloned(), line(2));
    let error = refusal(&index.resolver(), &["aa", "cc==3"]).await;
    assert_eq!(error.to_string(), "no version fits cc==3: for this Python there are 1, 2");
    assert_eq!(error.place().cloned(), line(2));
    let error = refusal(&index.resolver(), &["aa", "dd"]).await;
    assert_eq!(error.to_string(), "there is no package missing>=2 (needed by dd): check how it is written");
    assert_eq!(error.place().cloned(), line(2));
}

#[tokio::test]
async fn the_engines_own_packages_are_neither_fetched_nor_changed() {
    let index = Index::new();
    index.add("aa", "1", &["numpy[extra]>=2,<=2.5.2", "six"]).add("bb", "1", &["numpy<2"]).add("six", "1.17.0", &[]);
    index.add("numpy", "1.0", &[]).add("numpy", "3.0", &[]);
    let engine = Engine { provided: vec![("NumPy".into(), "2.5.2".into()), ("six".into(), "1.16.0".into())], ..python() };
    let resolver = index.resolver();
    let packages = resolver.resolve(&required(&["aa", "numpy"]), &engine, &|_| {}).await.unwrap();
    assert_eq!(versions(&packages), ["aa==1"]);
    let error = resolver.resolve(&required(&["bb"]), &engine, &|_| {}).await.unwrap_err();
    let expected = "numpy<2 (needed by bb) does not fit numpy 2.5.2, which is part of the engine: allow that version";
    assert_eq!((error.to_string().as_str(), error.place().cloned()), (expected, line(1)));
    let error = resolver.resolve(&required(&["six", "numpy>2.5.2"]), &engine, &|_| {}).await.unwrap_err();
    assert_eq!(error.place().cloned(), line(2), "{error}");
}

#[tokio::test]
async fn pip_resolves_for_the_sandbox_and_not_for_itself() {
    let index = Index::new();
    let requires = ["new ; python_version >= '3.14'", "old ; python_version < '3.14'", "linux ; sys_platform == 'linux'"];
    index.add("aa", "1", &[&requires[..], &["wasi ; platform_machine == 'wasm32'"]].concat());
    index.add("new", "1", &[]).add("wasi", "1", &[]);
    assert_eq!(versions(&resolve(&index.resolver(), &["aa"]).await.unwrap()), ["aa==1", "new==1", "wasi==1"]);
}

#[tokio::test]
async fn no_code_of_a_package_runs() {
    let (index, traces) = (Index::new(), folder(&[]));
    let setup = format!("import setuptools\nopen({:?}, 'w')\nsetuptools.setup(name='evil', version='1')\n", traces.path().join("ran"));
    let source = folder(&[("evil-1/setup.py", &setup), ("evil-1/PKG-INFO", "Metadata-Version: 2.1\nName: evil\nVersion: 1\n")]);
    let archive = source.path().join("evil-1.tar.gz");
    let tar = std::process::Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(source.path()).arg("evil-1").status();
    assert!(tar.unwrap().success());
    index.add("aa", "1", &[&format!("evil @ file://{}", archive.display())]);
    let error = refusal(&index.resolver(), &["aa"]).await;
    assert!(error.to_string().contains("another one requires it by an address"), "{error}");
    index.add("bb", "1", &[]).add("cc", "1", &[&format!("bb @ file://{}/bb-1-py3-none-any.whl", index.path().display())]);
    let error = refusal(&index.resolver(), &["cc"]).await;
    assert!(error.to_string().starts_with("bb cannot be used: another one requires it by an address"), "{error}");
    fs::copy(&archive, index.path().join("evil-1.tar.gz")).unwrap();
    let error = refusal(&index.resolver(), &["evil"]).await;
    assert!(error.to_string().starts_with("evil cannot be used: it is published as source only"), "{error}");
    assert_eq!(fs::read_dir(traces.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn hashes_are_kept_to() {
    let index = Index::new();
    index.add("aa", "1", &["bb"]).add("bb", "1", &[]);
    let packages = resolve(&index.resolver(), &["aa"]).await.unwrap();
    let list: Vec<String> = packages
        .lock
        .packages
        .iter()
        .map(|locked| format!("{}=={} --hash=sha256:{}", locked.name, locked.version, locked.sha256))
        .collect();
    let all: Vec<&str> = list.iter().map(String::as_str).collect();
    assert_eq!(resolve(&index.resolver(), &all).await.unwrap().files, packages.files);
    let error = refusal(&index.resolver(), &all[..1]).await;
    assert!(error.to_string().contains("where one package has hashes, all need them"), "{error}");
    let wrong = format!("bb==1 --hash=sha256:{}", "0".repeat(64));
    let error = refusal(&index.resolver(), &[all[0], &wrong]).await;
    assert!(matches!(&error, Error::Hash { name, .. } if name == "bb"), "{error}");
    assert_eq!(error.place().cloned(), line(2));
}

#[tokio::test]
async fn the_required_python_is_checked() {
    let handler = folder(&[("handler.py", "# /// script\n# requires-python = '>=3.15'\n# ///\n")]);
    let requirements = Requirements::of(handler.path(), Path::new("handler.py")).unwrap();
    let resolver = Index::new().resolver();
    let error = resolver.resolve(&requirements, &python(), &|_| {}).await.unwrap_err();
    assert_eq!(error.to_string(), "the handler requires Python >=3.15, and runs on Python 3.14: change requires-python");
    assert_eq!(error.place().map(|place| place.line), Some(2));
    assert!(resolver.resolve(&requirements, &Engine::python("3.15"), &|_| {}).await.unwrap().files.is_empty());
}

#[tokio::test]
async fn an_index_that_cannot_be_reached_is_told_apart() {
    let unreachable = Resolver::from_env().with_env("PIP_CONFIG_FILE", "/dev/null").with_env("PIP_FIND_LINKS", "");
    let unreachable = unreachable.with_env("PIP_INDEX_URL", "http://me:secret@127.0.0.1:1/simple");
    // With a retry pip warns, without one it says nothing.
    for retries in ["1", "0"] {
        let error = refusal(&unreachable.clone().with_env("PIP_RETRIES", retries), &["six"]).await;
        assert!(matches!(error, Error::Network { .. }), "{error}");
        assert!(!error.is_authors());
        let text = error.to_string();
        assert!(text.contains("Connection refused") && !text.contains("secret") && !text.contains(" object at "), "{text}");
    }
}

#[tokio::test]
async fn a_python_without_a_usable_pip_is_told() {
    let (old_folder, bare_folder) = (folder(&[]), folder(&[]));
    let old = program(&old_folder, "echo 'no such option: --report' >&2; exit 2");
    let bare = program(&bare_folder, "echo \"mirra: no pip: No module named 'pip'\" >&2; exit 1");
    let resolver = Index::new().resolver();
    let missing = Path::new("/nonexistent/python").to_path_buf();
    for (python, expected) in [(missing, "No such file"), (old, "its pip is older"), (bare, "it has no pip")] {
        let error = refusal(&resolver.clone().with_python(python), &["aa"]).await;
        assert!(matches!(&error, Error::NoPip { detail } if detail.contains(expected)), "{error}");
        assert!(error.to_string().contains("install python3-pip, or set MIRRA_PYTHON"), "{error}");
    }
}

#[tokio::test]
async fn pip_ends_with_whoever_waits_for_it() {
    let folder = folder(&[]);
    let pid_file = folder.path().join("pid");
    let python = program(&folder, &format!("echo $$ > {0}.new; mv {0}.new {0}; exec sleep 60", pid_file.display()));
    let limits = Limits { wall: Duration::from_millis(500), ..Limits::default() };
    let error = refusal(&Index::new().resolver().with_python(python).with_limits(limits), &["aa"]).await;
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    let process = format!("/proc/{}", fs::read_to_string(pid_file).unwrap().trim());
    let deadline = Instant::now() + Duration::from_secs(10);
    while Path::new(&process).exists() && !fs::read_to_string(format!("{process}/stat")).unwrap_or_default().contains(") Z ") {
        assert!(Instant::now() < deadline, "pip is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_cache_that_is_damaged_is_made_anew() {
    let (index, cache) = (Index::new(), folder(&[]));
    index.add("aa", "1", &[]);
    let resolver = || index.resolver().with_cache(cache.path()).unwrap();
    let first = resolve(&resolver(), &["aa"]).await.unwrap();
    assert!(!first.is_cached);
    let entries: Vec<_> = fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(entries.len(), 1, "{entries:?}");
    let whole = fs::read(&entries[0]).unwrap();
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    for damaged in [&whole[..whole.len() / 2], &changed, b""] {
        fs::write(&entries[0], damaged).unwrap();
        let again = resolve(&resolver(), &["aa"]).await.unwrap();
        assert!(!again.is_cached);
        assert_eq!((&again.files, &again.lock), (&first.files, &first.lock));
        assert_eq!(fs::read(&entries[0]).unwrap(), whole);
    }
    // Without pip, and however the requirement is written.
    let without = resolver().with_python("/nonexistent");
    let cached = resolve(&without, &["# again", "AA  "]).await.unwrap();
    assert!(cached.is_cached);
    assert_eq!(cached.files, first.files);
    // Another index, another engine and other requirements are other packages.
    assert!(matches!(refusal(&without.clone().with_env("PIP_INDEX_URL", "http://127.0.0.1:1"), &["aa"]).await, Error::NoPip { .. }));
    assert!(matches!(refusal(&without, &["aa==1"]).await, Error::NoPip { .. }));
    let other = without.resolve(&required(&["aa"]), &Engine::python("3.15"), &|_| {}).await;
    assert!(matches!(other, Err(Error::NoPip { .. })));
}
