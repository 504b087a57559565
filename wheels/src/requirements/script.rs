//! The block of PEP 723 that a script says in what it requires.

use pep508_rs::pep440_rs::VersionSpecifiers;
use serde::Deserialize;
use toml::Spanned;

use super::{MAX_REQUIREMENTS, RequiredPython, Requirement, line_number, refused};
use crate::{Error, Place};

const BEGIN: &str = "# /// script";
const END: &str = "# ///";

#[derive(Debug, Default)]
pub(super) struct Block {
    pub list: Vec<Requirement>,
    pub python: Option<RequiredPython>,
}

/// What the block may say. Other tools' settings may stand beside it.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Fields {
    #[serde(default)]
    dependencies: Vec<Spanned<String>>,
    requires_python: Option<Spanned<String>>,
    tool: Option<toml::Table>,
}

/// Settings by which uv would take packages from elsewhere.
const STEERING: [&str; 5] = ["sources", "index", "index-url", "extra-index-url", "find-links"];

pub(super) fn parse(file: &str, source: &str) -> Result<Block, Error> {
    let Some((first, text)) = extract(file, source)? else { return Ok(Block::default()) };
    let place = |offset: usize| {
        let before = text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count();
        Place { file: file.to_owned(), line: line_number(first + before) }
    };
    let fields: Fields = toml::from_str(&text).map_err(|error| {
        let at = place(error.span().map_or(0, |span| span.start));
        Error::Malformed { place: at, reason: format!("the script block is not TOML as PEP 723 has it: {}", error.message()) }
    })?;
    let uv = fields.tool.as_ref().and_then(|tool| tool.get("uv")).and_then(toml::Value::as_table);
    if let Some(setting) = STEERING.iter().find(|setting| uv.is_some_and(|uv| uv.contains_key(**setting))) {
        let reason = "where packages come from is the host's to say, in pip's own configuration";
        return Err(refused(&place(0), &format!("tool.uv.{setting}"), reason));
    }
    if fields.dependencies.len() > MAX_REQUIREMENTS {
        return Err(Error::Malformed { place: place(0), reason: format!("more than {MAX_REQUIREMENTS} requirements") });
    }
    let dependencies = fields.dependencies.iter();
    let list = dependencies.map(|written| Requirement::parse(written.get_ref().trim(), &place(written.span().start)));
    let python = fields.requires_python.map(|written| required_python(written.get_ref(), place(written.span().start)));
    Ok(Block { list: list.collect::<Result<_, _>>()?, python: python.transpose()? })
}

fn required_python(written: &str, place: Place) -> Result<RequiredPython, Error> {
    match written.parse::<VersionSpecifiers>() {
        Ok(versions) => Ok(RequiredPython { versions, place }),
        Err(_) => Err(Error::Malformed { place, reason: format!("\"{written}\" is no range of Python versions: write as \">=3.12\"") }),
    }
}

/// The block's text without the comment signs, and how many lines stand before it.
fn extract(file: &str, source: &str) -> Result<Option<(usize, String)>, Error> {
    let lines: Vec<&str> = source.lines().map(str::trim_end).collect();
    let malformed = |index: usize, reason: &str| {
        let place = Place { file: file.to_owned(), line: line_number(index) };
        Error::Malformed { place, reason: reason.to_owned() }
    };
    let Some(begin) = lines.iter().position(|line| *line == BEGIN) else { return Ok(None) };
    let inside = lines[begin + 1..].iter().take_while(|line| **line == "#" || line.starts_with("# ")).count();
    let block = &lines[begin + 1..begin + 1 + inside];
    // By the PEP the last such line of the comment ends the block, and a block that nothing ends is a mere comment. That
    // would surprise somebody who forgot the end, so it is an error here.
    let Some(end) = block.iter().rposition(|line| *line == END) else {
        return Err(malformed(begin, "the script block has no end: put a line \"# ///\" after it"));
    };
    let after = begin + 1 + end + 1;
    if let Some(second) = lines[after..].iter().position(|line| *line == BEGIN) {
        return Err(malformed(after + second, "a second script block: PEP 723 allows one"));
    }
    let text = block[..end].iter().map(|line| line.strip_prefix("# ").unwrap_or("")).collect::<Vec<_>>().join("\n");
    Ok(Some((begin + 1, text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requirements with their lines, and the line of requires-python; else where it failed, and why.
    type Read = Result<(Vec<(String, u32)>, Option<u32>), (u32, String)>;

    fn read(source: &str) -> Read {
        let block = parse("handler.py", source).map_err(|error| (error.place().unwrap().line, error.to_string()))?;
        let list = block.list.iter().map(|requirement| (requirement.spec.to_string(), requirement.place.line)).collect();
        Ok((list, block.python.map(|python| python.place.line)))
    }

    #[test]
    fn a_block_is_read_with_its_lines() {
        let source = "#!/usr/bin/env python\n# /// script\n# requires-python = '>=3.12'\n# dependencies = [\n#   'six>=1',\n#\n#   \"jinja2\",\n# ]\n# ///\nimport six\n";
        assert_eq!(read(source), Ok((vec![("six>=1".into(), 5), ("jinja2".into(), 7)], Some(3))));
        assert_eq!(read("import six\n# /// other\n# ///\n"), Ok((vec![], None)));
    }

    #[test]
    fn what_is_wrong_has_a_line() {
        let line = |source: &str| read(source).unwrap_err().0;
        assert_eq!(line("\n# /// script\n# dependencies = ['six']\nimport six\n"), 2);
        assert_eq!(line("# /// script\n# dependencies = ['six',\n# 'a' 'b']\n# ///\n"), 3);
        assert_eq!(line("# /// script\n# dependencies = [\n#  'six>>1',\n# ]\n# ///\n"), 3);
        assert_eq!(line("# /// script\n# requires-python = 'three'\n# ///\n"), 2);
        assert_eq!(line("# /// script\n# ///\n\n# /// script\n# ///\n"), 4);
        let (_, message) = read("# /// script\n# dependencies = []\n# [tool.uv]\n# index-url = 'x'\n# ///\n").unwrap_err();
        assert!(message.starts_with("tool.uv.index-url is refused"), "{message}");
    }
}
