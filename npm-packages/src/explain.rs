//! Makes sense of what package managers say. npm, pnpm and yarn give their errors codes, which have not changed for years.

use url::Url;

use crate::{Error, Manager};

/// What went wrong, in the order it is looked for: words of a manager, and what they mean.
const MEANINGS: [(&str, Meaning); 36] = [
    ("ERR_PNPM_OUTDATED_LOCKFILE", Meaning::OutOfStep),
    ("ERR_PNPM_LOCKFILE_CONFIG_MISMATCH", Meaning::OutOfStep),
    ("ERR_PNPM_NO_LOCKFILE", Meaning::OutOfStep),
    ("package.json and package-lock.json", Meaning::OutOfStep),
    ("package.json and npm-shrinkwrap.json", Meaning::OutOfStep),
    ("Your lockfile needs to be updated", Meaning::OutOfStep),
    ("YN0028", Meaning::OutOfStep),
    ("EINTEGRITY", Meaning::Integrity),
    ("ERR_PNPM_TARBALL_INTEGRITY", Meaning::Integrity),
    ("Integrity check failed", Meaning::Integrity),
    ("YN0018", Meaning::Integrity),
    ("E401", Meaning::Denied),
    ("E403", Meaning::Denied),
    ("ENEEDAUTH", Meaning::Denied),
    ("ERR_PNPM_FETCH_401", Meaning::Denied),
    ("ERR_PNPM_FETCH_403", Meaning::Denied),
    ("YN0041", Meaning::Denied),
    ("E404", Meaning::NotFound),
    ("ETARGET", Meaning::NotFound),
    ("ENOVERSIONS", Meaning::NotFound),
    ("ERR_PNPM_FETCH_404", Meaning::NotFound),
    ("ERR_PNPM_NO_MATCHING_VERSION", Meaning::NotFound),
    ("\"404 Not Found\"", Meaning::NotFound),
    ("Response Code: 404", Meaning::NotFound),
    ("ECONNREFUSED", Meaning::Network),
    ("ECONNRESET", Meaning::Network),
    ("ENOTFOUND", Meaning::Network),
    ("EAI_AGAIN", Meaning::Network),
    ("ETIMEDOUT", Meaning::Network),
    ("EHOSTUNREACH", Meaning::Network),
    ("ENETUNREACH", Meaning::Network),
    ("ENOTCACHED", Meaning::Network),
    ("ERR_SOCKET_TIMEOUT", Meaning::Network),
    ("ERR_PNPM_META_FETCH_FAIL", Meaning::Network),
    ("CERT_", Meaning::Network),
    ("There appears to be trouble with your network connection", Meaning::Network),
];

#[derive(Clone, Copy)]
enum Meaning {
    OutOfStep,
    Integrity,
    Denied,
    NotFound,
    Network,
}

/// What a manager that failed meant by what it said.
pub fn failure(manager: Manager, lock: &str, said: &str, secrets: &[String]) -> Error {
    let meant = MEANINGS.iter().find_map(|(words, meaning)| Some((said.find(words)?, *meaning)));
    // What comes before is how far it got.
    let start = meant.map_or(0, |(at, _)| said[..at].rfind('\n').map_or(0, |end| end + 1));
    let (file, detail) = (lock.to_owned(), clean(&telling(&said[start..]), secrets));
    let meaning = meant.map(|(_, meaning)| meaning);
    match meaning {
        Some(Meaning::OutOfStep) => Error::OutOfStep { file, manager, detail },
        Some(Meaning::Integrity) => Error::Integrity { file, manager, detail },
        Some(Meaning::NotFound) => Error::NotFound { file, detail },
        Some(Meaning::Denied) => Error::Denied { detail },
        Some(Meaning::Network) => Error::Network { detail },
        None => Error::Failed { file, manager, detail },
    }
}

/// The lines that say something: not where a log lies, nor how the manager is used.
fn telling(said: &str) -> String {
    const SILENT: [&str; 8] = [
        "A complete log",
        "npm help",
        "Usage:",
        "Clean install",
        "Options:",
        "aliases:",
        "Run \"npm",
        "package-lock.json with `npm install`",
    ];
    let plain = |line: &str| {
        let line =
            ["npm error", "npm ERR!", "ERROR", "error", "➤"].iter().fold(line.trim(), |line, mark| line.trim_start_matches(mark).trim());
        line.trim_start_matches("code ").trim_start_matches("404").trim().to_owned()
    };
    let is_telling = |line: &String| !line.is_empty() && !line.starts_with(['[', '-']) && !SILENT.iter().any(|words| line.contains(words));
    let mut lines: Vec<String> = Vec::new();
    for line in said.lines().map(plain).filter(is_telling) {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.truncate(LINES_MAX);
    lines.join("; ")
}

const LINES_MAX: usize = 4;
const CHARS_MAX: usize = 600;

/// Text for people: no secrets, nothing that a terminal obeys, not endless.
fn clean(text: &str, secrets: &[String]) -> String {
    let hidden = secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "…"));
    let words: Vec<String> = hidden.split(' ').map(without_user).collect();
    let cleaned = words.join(" ");
    let shown: String = cleaned.chars().take(CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if cleaned.chars().nth(CHARS_MAX).is_some() { shown + "…" } else { shown }
}

/// An address names nobody.
fn without_user(word: &str) -> String {
    match Url::parse(word) {
        Ok(mut url) if url.has_host() && (!url.username().is_empty() || url.password().is_some()) => {
            let _ = (url.set_username(""), url.set_password(None));
            url.to_string()
        }
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_managers_say_is_understood() {
        let kind = |said: &str| match failure(Manager::Npm, "package-lock.json", said, &[]) {
            Error::OutOfStep { .. } => "out of step",
            Error::Integrity { .. } => "integrity",
            Error::NotFound { .. } => "not found",
            Error::Denied { .. } => "denied",
            Error::Network { .. } => "network",
            _ => "other",
        };
        let cases = [
            ("npm error code EINTEGRITY", "integrity"),
            (" ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with \"frozen-lockfile\"", "out of step"),
            ("➤ YN0028: │ The lockfile would have been modified by this install, which is explicitly forbidden.", "out of step"),
            ("error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.", "out of step"),
            ("npm error code E401", "denied"),
            (" ERR_PNPM_FETCH_404  GET http://r.example/x: Not Found - 404", "not found"),
            ("npm error code ECONNREFUSED", "network"),
            ("something else", "other"),
        ];
        for (said, expected) in cases {
            assert_eq!(kind(said), expected, "{said}");
        }
    }

    #[test]
    fn no_message_shows_a_secret() {
        let secrets = ["s3cret".to_owned()];
        assert_eq!(clean("GET https://me:pw@r.example/x s3cret \u{1b}[1m", &secrets), "GET https://r.example/x …  [1m");
    }
}
