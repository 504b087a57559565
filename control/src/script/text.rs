//! Source text, looked at without being parsed: where names stand that are neither in a comment nor in a text.

use std::sync::LazyLock;

use regex::Regex;

use super::source::Runtime;

/// A place in a file, both from 1; the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub line: u32,
    pub column: u32,
}

pub fn place(text: &str, offset: usize) -> Place {
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let from_1 = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).saturating_add(1);
    Place { line: from_1(before.matches('\n').count()), column: from_1(before[line_start..].chars().count()) }
}

/// The same text with spaces for every byte of a comment or a text, so that places stay what they are.
pub fn masked(runtime: Runtime, text: &str) -> String {
    // Texts of one line end with it, so that what only looks like the beginning of one hides no more than the rest of its line.
    static NODE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?s)//[^\n]*|/\*.*?(?:\*/|\z)|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`"#).ok());
    static PYTHON: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r##"(?s)#[^\n]*|""".*?(?:"""|\z)|'''.*?(?:'''|\z)|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*""##).ok());
    let hidden = match runtime {
        Runtime::Node => &NODE,
        Runtime::Python => &PYTHON,
    };
    let Some(hidden) = &**hidden else { return text.to_owned() };
    let blank = |found: &regex::Captures<'_>| found[0].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect::<String>();
    hidden.replace_all(text, blank).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_texts_are_hidden_and_places_stay() {
        let text = "a // mirra.x\n/* mirra.y\n*/ b 'mirra.z' \"é\\\"\" `t\n` mirra.w()";
        let masked = masked(Runtime::Node, text);
        assert_eq!(masked.len(), text.len());
        assert_eq!(masked.matches("mirra").count(), 1);
        let at = masked.find("mirra.w").unwrap();
        assert_eq!(place(text, at), Place { line: 4, column: 3 });
        assert!(!super::masked(Runtime::Python, "'''\nmirra\n''' # mirra").contains("mirra"));
    }
}
