//! What is wrong with a handler, and where, in words its author can act on.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing to mend in a handler's files.
///
/// Plain text throughout: control characters from the source never reach a terminal. `Display` is
/// `file:line:column: message`, then the frame on lines of its own; absent parts are left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Path relative to the handler's folder, with `/` between its parts.
    pub file: Option<String>,
    /// Line, counted from 1.
    pub line: Option<u32>,
    /// Column, counted from 1 in UTF-16 code units, as editors count.
    pub column: Option<u32>,
    /// What is wrong, and where there is one, the remedy.
    pub message: String,
    /// The line in question with its number, and below it a caret under the column.
    pub frame: Option<String>,
}

impl Diagnostic {
    /// A problem of the handler as a whole.
    pub(crate) fn new(message: impl AsRef<str>) -> Self {
        Self { file: None, line: None, column: None, message: printable(message.as_ref()), frame: None }
    }

    /// A problem of one file as a whole.
    pub(crate) fn in_file(file: &str, message: impl AsRef<str>) -> Self {
        Self { file: Some(printable(file)), ..Self::new(message) }
    }

    /// A problem at one place of a file, whose text is `source`.
    pub(crate) fn at(file: &str, source: &str, position: Position, message: impl AsRef<str>) -> Self {
        Self { line: Some(position.line), column: Some(position.column), frame: frame(source, position), ..Self::in_file(file, message) }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
            if let (Some(line), Some(column)) = (self.line, self.column) {
                write!(f, "{line}:{column}:")?;
            }
            f.write_str(" ")?;
        }
        f.write_str(&self.message)?;
        match &self.frame {
            Some(frame) => write!(f, "\n{frame}"),
            None => Ok(()),
        }
    }
}

/// A place in a text: line and UTF-16 column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub line: u32,
    pub column: u32,
}

impl Position {
    /// The place of a byte offset; an offset beyond the text is its end.
    pub fn of_byte(source: &str, offset: usize) -> Self {
        let before = &source[..source.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: count(before.bytes().filter(|byte| *byte == b'\n').count()) + 1,
            column: count(before[line_start..].encode_utf16().count()) + 1,
        }
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX - 1)
}

/// How much of a long line (bundled or minified code) a frame shows before and after the column.
const FRAME_BEFORE: usize = 60;
const FRAME_AFTER: usize = 40;

fn frame(source: &str, position: Position) -> Option<String> {
    let line = source.split('\n').nth((position.line as usize).checked_sub(1)?)?;
    let caret = chars_before(line, position.column);
    let start = caret.saturating_sub(FRAME_BEFORE);
    let shown = line.chars().skip(start).take(caret - start + FRAME_AFTER);
    let text: String = shown.map(|c| if c.is_control() { ' ' } else { c }).collect();
    let cut = if start > 0 { "…" } else { "" };
    let number = position.line.to_string();
    Some(format!(
        "  {number} | {cut}{}\n  {:width$} | {:indent$}^",
        text.trim_end(),
        "",
        "",
        width = number.len(),
        indent = caret - start + cut.chars().count(),
    ))
}

/// How many characters of `line` stand before a UTF-16 column counted from 1.
fn chars_before(line: &str, column: u32) -> usize {
    let mut units = 0;
    line.chars()
        .take_while(|c| {
            units += c.len_utf16();
            units < column as usize
        })
        .count()
}

/// Names and specifiers come from the handler: they may hold terminal escapes.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_utf16_and_the_caret_stands_under_the_character() {
        let source = "ok\n\t\"é😀\" + ?";
        let position = Position::of_byte(source, source.len() - 1);
        assert_eq!(position, Position { line: 2, column: 10 });
        let diagnostic = Diagnostic::at("a.ts", source, position, "no");
        assert_eq!(diagnostic.to_string(), "a.ts:2:10: no\n  2 |  \"é😀\" + ?\n    |         ^");
    }

    #[test]
    fn a_long_line_is_cut_around_the_column() {
        let source = format!("{}?{}", "a".repeat(1_000), "b".repeat(1_000));
        let position = Position::of_byte(&source, 1_000);
        let frame = frame(&source, position).expect("line 1 exists");
        let (text, caret) = frame.split_once('\n').expect("two lines");
        assert!(text.chars().count() < 120, "{text}");
        assert_eq!(text.chars().position(|c| c == '?'), caret.chars().position(|c| c == '^'));
    }

    #[test]
    fn escapes_of_a_terminal_do_not_get_through() {
        let source = "x = \u{1b}[31m;";
        let position = Position { line: 1, column: 1 };
        let text = Diagnostic::at("a\u{1b}.ts", source, position, "bad \u{7}").to_string();
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    }

    #[test]
    fn positions_beyond_the_text_do_no_harm() {
        let position = Position::of_byte("é", 1);
        assert_eq!(position, Position { line: 1, column: 1 });
        assert_eq!(Position::of_byte("ab", 99), Position { line: 1, column: 3 });
        let beyond = Position { line: 9, column: 9 };
        assert_eq!(Diagnostic::at("a.ts", "x", beyond, "m").frame, None);
    }
}
