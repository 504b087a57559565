//! Makes sense of what pip says. Its wording of these few lines has not changed from 22.2 to 26.3.

use crate::{pip::Output, report::name_in};

/// A requirement that nothing fits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unsatisfied {
    pub requirement: String,
    /// The package that requires it; nobody if the handler itself does.
    pub needed_by: Option<String>,
    /// What there is instead, oldest first.
    pub versions: Vec<String>,
}

/// Stands in the version of the engine's own packages, and is not for people.
pub(crate) const STAND_IN_MARK: &str = "+mirra";

pub(crate) fn unsatisfied(output: &Output) -> Option<Unsatisfied> {
    let begin = "ERROR: Could not find a version that satisfies the requirement ";
    let rest = output.err.lines().rev().find_map(|line| line.strip_prefix(begin))?;
    let (head, versions) = rest.rsplit_once(" (from versions: ")?;
    let (requirement, parents) = head.split_once(" (from ").map_or((head, None), |(requirement, parents)| (requirement, Some(parents)));
    // Either `parent)` or `parent->its parent)`; the file given on the command line is nobody's package.
    let needed_by = parents.map(name_in).filter(|parent| !parent.is_empty() && !head.contains(" (from -r "));
    let versions = versions.trim_end_matches(')').split(", ").filter(|version| *version != "none" && !version.is_empty());
    Some(Unsatisfied { requirement: requirement.trim().to_owned(), needed_by, versions: versions.map(str::to_owned).collect() })
}

/// Who contradicts whom, in pip's words: `The user requested six<2`, `bb 1 depends on six>=2`.
pub(crate) fn conflict(output: &Output) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    for text in [&output.out, &output.err] {
        let after = text.lines().skip_while(|line| line.trim() != "The conflict is caused by:").skip(1);
        for line in after.map(str::trim).take_while(|line| !line.is_empty()) {
            let cause = clean(line);
            if !causes.contains(&cause) {
                causes.push(cause);
            }
        }
    }
    causes
}

/// A cause of a conflict in parts: who requires what.
pub(crate) fn cause(line: &str) -> Option<(Option<String>, &str)> {
    if let Some(requirement) = line.strip_prefix("The user requested ") {
        return (!requirement.starts_with('(')).then_some((None, requirement));
    }
    let (who, requirement) = line.split_once(" depends on ")?;
    Some((Some(name_in(who)), requirement))
}

/// What pip writes when it cannot reach an index. It goes on as if the index had nothing.
const UNREACHED: [&str; 9] = [
    "after connection broken by",
    "Max retries exceeded",
    "is not a trusted or secure host",
    "There was a problem confirming the ssl certificate",
    "Connection error",
    "connection error",
    "connection timed out",
    "Read timed out",
    "ERROR: HTTP error",
];

pub(crate) fn unreached(output: &Output) -> Option<String> {
    let line = output.err.lines().rev().find(|line| UNREACHED.iter().any(|words| line.contains(words)))?;
    Some(cause_of_failure(line))
}

/// A failure without what says nothing to anybody: the state of the retry, and objects by their address in memory.
pub(crate) fn cause_of_failure(line: &str) -> String {
    let mut cause = line.split_once("after connection broken by ").map_or(line, |(_, cause)| cause).to_owned();
    while let Some(begin) = cause.find("<pip.") {
        let Some(length) = cause[begin..].find(">: ") else { break };
        cause.replace_range(begin..begin + length + ">: ".len(), "");
    }
    clean(&cause)
}

/// Why pages of an index could not be had, of `pip -vv`.
pub(crate) fn failed_pages(output: &Output) -> Vec<String> {
    let lines = output.out.lines().chain(output.err.lines());
    let failures = lines.filter_map(|line| line.trim_start().strip_prefix("Could not fetch URL "));
    failures.map(|failure| failure.split_once(": ").map_or(failure, |(_, reason)| reason).to_owned()).collect()
}

/// Why there is nothing usable of a package that the index has, of `pip -vv`.
pub(crate) fn why_unusable(output: &Output) -> Option<&'static str> {
    let has = |words: &str| output.out.contains(words) || output.err.contains(words);
    if has("none of the wheel's tags") {
        return Some("it has wheels for other machines or versions of Python only");
    }
    if has("No sources permitted") {
        return Some("it is published as source only, and building it would run its code on the host: use another package");
    }
    has("requires a different Python").then_some("it is for other versions of Python")
}

/// Whether pip wanted to start a program and was not allowed to, by our driver's words or by those pip has for git and others.
pub(crate) fn wanted_a_program(output: &Output) -> bool {
    ["pip may not run", "No permission to execute"].iter().any(|words| output.err.contains(words))
}

/// pip's own last lines, for whatever has no better explanation.
pub(crate) fn last_words(output: &Output) -> String {
    let lines: Vec<&str> = output.err.lines().chain(output.out.lines()).filter(|line| line.starts_with("ERROR:")).collect();
    let all = || output.err.lines().rev().take(3).collect::<Vec<_>>().into_iter().rev().collect();
    let said: Vec<&str> = if lines.is_empty() { all() } else { lines };
    clean(&said.join("; "))
}

const MAX_CHARS: usize = 600;

/// Text for people: no secrets in addresses, nothing that a terminal obeys, not endless.
pub(crate) fn clean(text: &str) -> String {
    let cleaned = without_secrets(text).replace(STAND_IN_MARK, "");
    let shown: String = cleaned.chars().take(MAX_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if cleaned.chars().nth(MAX_CHARS).is_some() { shown + "…" } else { shown }
}

/// Text whose addresses name nobody.
pub(crate) fn without_secrets(text: &str) -> String {
    let mut cleaned = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        let end = after.find(|c: char| c == '/' || c.is_whitespace() || "'\"()<>".contains(c)).unwrap_or(after.len());
        let host = after[..end].rfind('@').map_or(0, |at| at + 1);
        cleaned.push_str(before);
        rest = &after[host..];
    }
    cleaned.push_str(rest);
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(out: &str, err: &str) -> Output {
        Output { is_success: false, out: out.to_owned(), err: err.to_owned() }
    }

    #[test]
    fn an_unsatisfied_requirement_is_understood() {
        let read = |line: &str| {
            unsatisfied(&output("", &format!("WARNING: x\nERROR: Could not find a version that satisfies the requirement {line}\nERROR: No matching distribution found for x\n"))).unwrap()
        };
        let plain = read("six==99 (from versions: 1.5.0, 1.17.0)");
        assert_eq!(plain, Unsatisfied { requirement: "six==99".into(), needed_by: None, versions: vec!["1.5.0".into(), "1.17.0".into()] });
        let needed = read("nosuch>=2 (from Aa_b->-r requirements.txt (line 1)) (from versions: none)");
        assert_eq!(needed.requirement, "nosuch>=2");
        assert_eq!(needed.needed_by, Some("aa-b".into()));
        assert_eq!(needed.versions, [""; 0]);
        assert_eq!(read("nosuch (from -r requirements.txt (line 1)) (from versions: none)").needed_by, None);
    }

    #[test]
    fn a_conflict_is_understood() {
        let out = "Collecting x\n\nThe conflict is caused by:\n    The user requested six\n    bb 2 depends on six<1.4\n    The user requested six\n\nTo fix this\n";
        let causes = conflict(&output(out, "ERROR: ResolutionImpossible\n"));
        assert_eq!(causes, ["The user requested six", "bb 2 depends on six<1.4"]);
        assert_eq!(cause(&causes[0]), Some((None, "six")));
        assert_eq!(cause(&causes[1]), Some((Some("bb".into()), "six<1.4")));
        assert_eq!(cause("The user requested (constraint) six==1"), None);
    }

    #[test]
    fn secrets_in_addresses_are_not_passed_on() {
        assert_eq!(clean("at https://me:pa@ss@a.example/simple, 'http://t@b.example'"), "at https://a.example/simple, 'http://b.example'");
        assert_eq!(clean("\u{1b}[31mx\n"), " [31mx ");
        assert_eq!(clean(&"x".repeat(700)).chars().count(), MAX_CHARS + 1);
    }
}
