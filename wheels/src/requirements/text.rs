//! `requirements.txt`, as far as a handler may use it: names, versions, extras, markers, hashes and `-r`.

use super::{Folder, MAX_REQUIREMENTS, Requirement, line_number, refused};
use crate::{Error, Place};

/// Files that one list may consist of. Also what ends a list that includes itself.
const MAX_FILES: usize = 32;

pub(super) fn parse(folder: &mut Folder, file: &str, text: &str) -> Result<Vec<Requirement>, Error> {
    let mut reader = Reader { folder, files: 0, list: Vec::new() };
    reader.file(file, text)?;
    Ok(reader.list)
}

struct Reader<'a> {
    folder: &'a mut Folder,
    files: usize,
    list: Vec<Requirement>,
}

impl Reader<'_> {
    fn file(&mut self, file: &str, text: &str) -> Result<(), Error> {
        self.files += 1;
        for (line, entry) in entries(text) {
            let place = Place { file: file.to_owned(), line };
            if entry.starts_with('-') {
                self.option(&entry, &place)?;
            } else {
                self.list.push(requirement(&entry, &place)?);
            }
            if self.list.len() > MAX_REQUIREMENTS {
                return Err(Error::Malformed { place, reason: format!("more than {MAX_REQUIREMENTS} requirements") });
            }
        }
        Ok(())
    }

    fn option(&mut self, entry: &str, place: &Place) -> Result<(), Error> {
        let (name, value) = split_option(entry);
        if !matches!(name, "-r" | "--requirement") {
            return Err(refused(place, name, why_refused(name)));
        }
        let malformed = |reason: String| Error::Malformed { place: place.clone(), reason };
        if value.contains("://") {
            return Err(refused(place, entry, "a list is read from the handler's folder only"));
        }
        let Some(path) = below(&place.file, value) else {
            return Err(malformed(format!("{value} is not inside of the handler's folder")));
        };
        if self.files >= MAX_FILES {
            return Err(malformed(format!("more than {MAX_FILES} files, or files that include each other")));
        }
        let text = self.folder.read_list(&path)?.ok_or_else(|| malformed(format!("there is no file {path} in the handler's folder")))?;
        self.file(&path, &text)
    }
}

/// An option's name and what follows it. Short ones may be followed at once.
fn split_option(entry: &str) -> (&str, &str) {
    let end = entry.find(['=', ' ', '\t']).unwrap_or(entry.len());
    let end = if entry.starts_with("--") { end } else { end.min(2) };
    let (name, value) = entry.split_at(end);
    (name, value.trim_start_matches(['=', ' ', '\t']).trim_end())
}

fn why_refused(option: &str) -> &'static str {
    match option {
        "-i" | "--index-url" | "--extra-index-url" | "--no-index" | "-f" | "--find-links" | "--trusted-host" => {
            "where packages come from is the host's to say, in pip's own configuration"
        }
        "-e" | "--editable" => "a handler requires published packages; its own modules lie in its folder",
        "-c" | "--constraint" => "write the versions into the requirements themselves",
        "--no-binary" | "--only-binary" | "--prefer-binary" => {
            "packages are taken as wheels, always: building one would run its code on the host"
        }
        _ => "this file has names, versions, markers, hashes and -r",
    }
}

/// A path as seen from the root, relative to the file that names it.
fn below(file: &str, path: &str) -> Option<String> {
    if path.is_empty() || path.starts_with('/') || path.contains('\\') {
        return None;
    }
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// A requirement and the options of its own that follow it.
fn requirement(entry: &str, place: &Place) -> Result<Requirement, Error> {
    let start = entry.find(" -").or_else(|| entry.find("\t-")).unwrap_or(entry.len());
    let mut requirement = Requirement::parse(entry[..start].trim(), place)?;
    let mut words = entry[start..].split_whitespace().flat_map(|word| word.splitn(2, '='));
    while let Some(option) = words.next() {
        if option != "--hash" {
            return Err(refused(place, option, "this file has names, versions, markers, hashes and -r"));
        }
        requirement.hashes.push(hash(words.next().unwrap_or_default(), place)?);
    }
    Ok(requirement)
}

fn hash(written: &str, place: &Place) -> Result<String, Error> {
    let hex = written.strip_prefix("sha256:").map(str::to_ascii_lowercase);
    let is_hash = |hex: &String| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.filter(is_hash).ok_or_else(|| {
        let reason = format!("\"{written}\" is no hash that can be checked: expected sha256: and 64 digits");
        Error::Malformed { place: place.clone(), reason }
    })
}

/// What a file lists: lines joined where they end in a backslash, without comments, each with its first line's number.
fn entries(text: &str) -> Vec<(u32, String)> {
    let mut entries = Vec::new();
    let (mut joined, mut first) = (String::new(), None);
    for (index, line) in text.lines().enumerate() {
        let first_line = *first.get_or_insert(line_number(index));
        // A comment ends with its line, also after a backslash.
        let is_comment = line.trim_start().starts_with('#');
        match line.strip_suffix('\\') {
            Some(begun) if !is_comment => joined.push_str(begun),
            _ => {
                if is_comment {
                    joined.push(' ');
                }
                joined.push_str(line);
                entries.push((first_line, std::mem::take(&mut joined)));
                first = None;
            }
        }
    }
    entries.extend(first.map(|first| (first, joined)));
    entries
        .into_iter()
        .map(|(line, entry)| (line, without_comment(&entry).trim().to_owned()))
        .filter(|(_, entry)| !entry.is_empty())
        .collect()
}

fn without_comment(entry: &str) -> &str {
    let starts = |at: usize| entry[..at].chars().next_back().is_none_or(char::is_whitespace);
    entry.match_indices('#').find(|(at, _)| starts(*at)).map_or(entry, |(at, _)| &entry[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_comments_left_out() {
        let text = "# all\nsix==1.17.0 \\\n  --hash=sha256:ab # why\n\na#b\njinja2 \\\n# no\nyaml\\";
        let expected = [(2, "six==1.17.0   --hash=sha256:ab"), (5, "a#b"), (6, "jinja2"), (8, "yaml")];
        assert_eq!(entries(text), expected.map(|(line, entry)| (line, entry.to_owned())));
    }

    #[test]
    fn options_are_split_as_pip_does() {
        assert_eq!(split_option("-rmore.txt"), ("-r", "more.txt"));
        assert_eq!(split_option("-r more.txt"), ("-r", "more.txt"));
        assert_eq!(split_option("--requirement=more.txt"), ("--requirement", "more.txt"));
        assert_eq!(split_option("--no-index"), ("--no-index", ""));
    }

    #[test]
    fn included_files_stay_inside() {
        assert_eq!(below("a/b.txt", "../c.txt").as_deref(), Some("c.txt"));
        assert_eq!(below("a.txt", "./b/c.txt").as_deref(), Some("b/c.txt"));
        assert_eq!(below("a.txt", "../c.txt"), None);
        assert_eq!(below("a.txt", "/c.txt"), None);
    }

    #[test]
    fn hashes_belong_to_their_requirement() {
        let place = Place { file: "requirements.txt".into(), line: 1 };
        let hex = "AB".repeat(32);
        let read = requirement(&format!("six==1.17.0 --hash=sha256:{hex} --hash sha256:{hex}"), &place).unwrap();
        assert_eq!(read.hashes, [hex.to_ascii_lowercase(), hex.to_ascii_lowercase()]);
        assert!(matches!(requirement("six --hash=md5:ab", &place), Err(Error::Malformed { .. })));
        assert!(matches!(requirement("six --global-option=x", &place), Err(Error::Refused { .. })));
    }
}
