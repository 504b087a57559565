//! How a handler may say what it requires. Nothing here needs pip.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::Path;

use common::folder;
use mirra_wheels::{Error, Requirements};
use tempfile::TempDir;

fn of(handler: &TempDir) -> Result<Requirements, Error> {
    Requirements::of(handler.path(), Path::new("handler.py"))
}

/// File, line and text of what is wrong.
fn wrong(files: &[(&str, &str)]) -> String {
    let error = of(&folder(files)).expect_err("is refused");
    assert!(error.is_authors(), "{error}");
    format!("{}: {error}", error.place().expect("has a place"))
}

#[test]
fn requirements_txt_is_read_with_what_it_includes() {
    let handler = folder(&[
        ("requirements.txt", "\u{feff}# all\nSix==1.17.0\n-r more/web.txt\nrequests[socks] >= 2 ; python_version > '3.8'  # why\n"),
        ("more/web.txt", "-r ../last.txt\nJinja2\\\n  ==3.1.6\n"),
        ("last.txt", "zope.interface\n"),
        ("handler.py", "import six\n"),
    ]);
    let requirements = of(&handler).unwrap();
    assert_eq!(requirements.names().collect::<Vec<_>>(), ["six", "zope-interface", "jinja2", "requests"]);
    let inputs = ["handler.py", "last.txt", "more/web.txt", "requirements.txt"].map(|name| handler.path().join(name));
    assert_eq!(requirements.inputs().collect::<Vec<_>>(), inputs);
    assert_eq!(requirements.requires_any(["numpy", "Zope_Interface"]), Some("zope-interface"));
    assert_eq!(requirements.requires_any(["numpy"]), None);
}

#[test]
fn a_script_block_is_read() {
    let handler = folder(&[("handler.py", "# /// script\n# dependencies = ['six', \"jinja2>=3\"]\n# ///\nimport six\n")]);
    let requirements = Requirements::of(handler.path(), &handler.path().join("handler.py")).unwrap();
    assert_eq!(requirements.names().collect::<Vec<_>>(), ["six", "jinja2"]);
}

#[test]
fn a_handler_may_require_nothing() {
    for files in [&[][..], &[("handler.py", "import json\n")], &[("requirements.txt", "\n# nothing\n")]] {
        let requirements = of(&folder(files)).unwrap();
        assert!(requirements.is_empty());
        assert_eq!(requirements.inputs().count(), files.len());
    }
}

#[test]
fn two_lists_are_one_too_many() {
    let block = "import os\n\n# /// script\n# dependencies = [\n#   'six',\n# ]\n# ///\n";
    let message = wrong(&[("requirements.txt", "six\n"), ("handler.py", block)]);
    assert_eq!(message, "handler.py:5: packages are listed both here and in requirements.txt: keep one of the lists");
    // One that lists nothing does no harm.
    assert!(of(&folder(&[("requirements.txt", "# none\n"), ("handler.py", block)])).is_ok());
}

#[test]
fn whatever_steers_the_host_is_refused() {
    let index = "where packages come from is the host's to say, in pip's own configuration";
    for (line, what, reason) in [
        ("--index-url https://a.example/simple", "--index-url", index),
        ("-i https://a.example/simple", "-i", index),
        ("--extra-index-url=https://a.example", "--extra-index-url", index),
        ("-f ./wheels", "-f", index),
        ("--find-links ./wheels", "--find-links", index),
        ("--trusted-host a.example", "--trusted-host", index),
        ("--no-binary :all:", "--no-binary", "packages are taken as wheels"),
        ("-c constraints.txt", "-c", "write the versions into the requirements"),
        ("-e .", "-e", "a handler requires published packages"),
        ("--pre", "--pre", "this file has names"),
        ("git+https://a.example/six.git", "git+https://a.example/six.git", "a handler names packages and versions"),
        ("six @ https://a.example/six.whl", "six @ https://a.example/six.whl", "a handler names packages and versions"),
        ("./six.whl", "./six.whl", "a handler names packages and versions"),
        ("-r https://a.example/requirements.txt", "-r https://a.example/requirements.txt", "a list is read from the handler's folder"),
        ("six==${VERSION}", "six==${VERSION}", "variables are not replaced"),
    ] {
        let message = wrong(&[("requirements.txt", &format!("six\n{line}\n"))]);
        assert!(message.starts_with(&format!("requirements.txt:2: {what} is refused: {reason}")), "{message}");
    }
}

#[test]
fn what_is_malformed_has_its_line() {
    let line = |text: &str, expected: &str| {
        let message = wrong(&[("requirements.txt", text)]);
        assert!(message.starts_with(expected), "{message}");
    };
    line("six\n\njinja2 >>= 3\n", "requirements.txt:3: \"jinja2 >>= 3\" is no requirement: ");
    line("six \\\n ==\n", "requirements.txt:1: \"six  ==\" is no requirement: ");
    line("six ; python_vers > '3'\n", "requirements.txt:1: ");
    line("-r missing.txt\n", "requirements.txt:1: there is no file missing.txt in the handler's folder");
    line("-r ../other.txt\n", "requirements.txt:1: ../other.txt is not inside of the handler's folder");
    line("six\n-r requirements.txt\n", "requirements.txt:2: more than 32 files");
    line("six --hash=md5:00\n", "requirements.txt:1: \"md5:00\" is no hash that can be checked");
    let message = wrong(&[("handler.py", "# /// script\n# dependencies = ['six'\n# ///\n")]);
    assert!(message.starts_with("handler.py:2: the script block is not TOML as PEP 723 has it: "), "{message}");
    let message = wrong(&[("handler.py", "# /// script\n# dependencies = ['a b c']\n# ///\n")]);
    assert!(message.starts_with("handler.py:2: \"a b c\" is no requirement: "), "{message}");
}

#[test]
fn text_in_another_encoding_is_not_guessed_at() {
    let handler = folder(&[]);
    std::fs::write(handler.path().join("requirements.txt"), b"six\n\xe9\n").unwrap();
    let error = of(&handler).unwrap_err();
    assert_eq!(format!("{}: {error}", error.place().unwrap()), "requirements.txt:2: not UTF-8 text");
}

#[test]
fn links_out_of_the_folder_lead_nowhere() {
    let outside = folder(&[("secret.txt", "six\n")]);
    let handler = folder(&[("requirements.txt", "-r link.txt\n")]);
    std::os::unix::fs::symlink(outside.path().join("secret.txt"), handler.path().join("link.txt")).unwrap();
    let error = of(&handler).unwrap_err();
    assert!(error.to_string().starts_with("there is no file link.txt"), "{error}");
}
