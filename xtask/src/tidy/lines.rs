//! Rules that look at one text file, line by line.

use super::Finding;

/// More than a person reads in one go.
const LINES_MAX: usize = 500;

const SOURCE_EXTENSIONS: [&str; 7] = ["rs", "ts", "js", "mjs", "cjs", "py", "tsx"];

/// What is made by a program has no length that a person chose.
const GENERATED: [&str; 3] = ["dist", "generated", "prebuilt"];

// Written in two halves, so that this file keeps its own rules.
const REMINDERS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];
const UNFINISHED_RUST: [&str; 3] = [concat!("to", "do!"), concat!("unimple", "mented!"), concat!("db", "g!")];
const MACHINE_FOLDERS: [&str; 2] = [concat!("/ro", "ot/"), concat!("/wo", "rk/")];
const PERSONAL_FOLDERS: [&str; 2] = [concat!("/ho", "me/"), concat!("/tm", "p/")];

/// All that is wrong with a file.
pub fn check(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut report = |line: usize, reason: String| findings.push(Finding { path: path.into(), line, reason });
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_source = SOURCE_EXTENSIONS.contains(&extension);
    let is_generated = path.split('/').any(|part| GENERATED.contains(&part));

    let lines = text.lines().count();
    if is_source && !is_generated && lines > LINES_MAX {
        report(LINES_MAX + 1, format!("{lines} lines; at most {LINES_MAX}, so split the file"));
    }
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if is_source && let Some(leftover) = leftover(line, extension) {
            report(number, format!("{leftover} is left over: do it, or open an issue"));
        }
        if let Some(folder) = machine_path(line, extension == "md") {
            report(number, format!("a path of somebody's machine: {folder}"));
        }
        if name == "package-lock.json" && line.contains("\"resolved\"") && line.contains("://") {
            report(number, "names a registry's host; write the lock file with omit-lockfile-registry-resolved=true".into());
        }
    }
    findings
}

fn leftover(line: &str, extension: &str) -> Option<&'static str> {
    let is_word = |start: usize, word: &str| {
        let is_part = |character: char| character.is_alphanumeric() || character == '_';
        !line[..start].ends_with(is_part) && !line[start + word.len()..].starts_with(is_part)
    };
    let is_left = |word: &&&'static str| line.match_indices(**word).any(|(start, word)| is_word(start, word));
    let unfinished = if extension == "rs" { &UNFINISHED_RUST[..] } else { &[] };
    REMINDERS.iter().chain(unfinished).find(is_left).copied()
}

/// A folder that exists on one machine only. Documentation may show a home or a temporary folder.
fn machine_path(line: &str, is_document: bool) -> Option<&'static str> {
    // What stands before the path may make it a part of a longer one: of an address, of a variable's value.
    let begins = |start: usize| !line[..start].ends_with(|before: char| before.is_alphanumeric() || "._-/*~})>".contains(before));
    let named = |rest: &str| {
        let name = rest.chars().take_while(|character| character.is_alphanumeric() || "._-".contains(*character)).count();
        (name > 0).then(|| rest.chars().nth(name))
    };
    let is_found = |folder: &&str, is_enough: &dyn Fn(&str) -> bool| {
        line.match_indices(*folder).any(|(start, _)| begins(start) && is_enough(&line[start + folder.len()..]))
    };
    let machine = MACHINE_FOLDERS.into_iter().find(|folder| is_found(folder, &|_| true));
    let personal = || PERSONAL_FOLDERS.into_iter().find(|folder| is_found(folder, &|rest| named(rest) == Some(Some('/'))));
    machine.or_else(|| if is_document { None } else { personal() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(path: &str, text: &str) -> Vec<(usize, String)> {
        check(path, text).into_iter().map(|finding| (finding.line, finding.reason)).collect()
    }

    #[test]
    fn long_sources_are_found() {
        let long = "x\n".repeat(LINES_MAX + 1);
        assert_eq!(reasons("a/b.rs", &long), [(LINES_MAX + 1, "501 lines; at most 500, so split the file".to_owned())]);
        assert_eq!(reasons("a/b.rs", &"x\n".repeat(LINES_MAX)), []);
        assert_eq!(reasons("layer/dist/b.js", &long), []);
        assert_eq!(reasons("Cargo.lock", &long), []);
    }

    #[test]
    fn leftovers_are_found_as_whole_words() {
        for left in REMINDERS.into_iter().chain(UNFINISHED_RUST) {
            assert_eq!(
                check("a.rs", &format!("fine\n    {left}(x) // soon")).iter().map(|finding| finding.line).collect::<Vec<_>>(),
                [2],
                "{left}"
            );
            assert_eq!(check("a.rs", &format!("un{left}")), []);
        }
        assert_eq!(check("a.ts", &format!("// {}: later", REMINDERS[0])).len(), 1);
        assert_eq!(check("a.ts", &format!("{}(x)", UNFINISHED_RUST[0])), []);
        assert_eq!(check("event.json", &format!("{{\"title\": \"{}\"}}", REMINDERS[0])), []);
        assert_eq!(check("a.ts", "const todos = [];"), []);
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        let [root, work] = MACHINE_FOLDERS;
        let [home, temporary] = PERSONAL_FOLDERS;
        let found = |path: &str, line: String| check(path, &line).len();
        assert_eq!(found("a.rs", format!("let x = \"{root}x\";")), 1);
        assert_eq!(found("README.md", format!("cd {work}main")), 1);
        assert_eq!(found("ci.sh", format!("cd {home}jane/mirra")), 1);
        assert_eq!(found("ci.sh", format!("cat {temporary}jane/mirra")), 1);
        assert_eq!(found("README.md", format!("cat {temporary}jane/mirra")), 0);
        assert_eq!(found("a.rs", format!("\"https://example.com{work}a\"")), 0);
        assert_eq!(found("a.rs", format!("\"{{dir}}{root}a\", \"..{work}\", \"{temporary}x\"")), 0);
    }

    #[test]
    fn lock_files_name_no_registry() {
        let line = "      \"resolved\": \"https://registry.example/esbuild.tgz\",";
        assert_eq!(check("a/package-lock.json", &format!("{{\n{line}\n}}")).iter().map(|finding| finding.line).collect::<Vec<_>>(), [2]);
        assert_eq!(check("a/package-lock.json", "\"integrity\": \"sha512-x\""), []);
    }
}
