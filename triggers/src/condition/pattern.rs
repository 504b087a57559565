//! The regular expressions of a tree.

use regex::{Error, Regex, RegexBuilder};

use super::limits::PATTERNS_BYTES_MAX;

/// What a pattern may take, tried one after the other, as the crate does not say what one takes. Most fit the first.
const STEPS_BYTES: [usize; 4] = [4 * 1024, 32 * 1024, 128 * 1024, PATTERNS_BYTES_MAX];
/// What a thread may remember of a pattern's searches.
const CACHE_BYTES_MAX: usize = 128 * 1024;

/// Compiles the patterns of one tree, within what they may take together. Their searches are linear in the text, whatever the pattern.
pub struct Patterns {
    bytes_left: usize,
}

impl Patterns {
    pub fn new() -> Patterns {
        Patterns { bytes_left: PATTERNS_BYTES_MAX }
    }

    /// The error goes on where the name of the pattern ends.
    pub fn compile(&mut self, pattern: &str) -> Result<Regex, String> {
        for bytes in STEPS_BYTES.into_iter().filter(|bytes| *bytes <= self.bytes_left) {
            match RegexBuilder::new(pattern).size_limit(bytes).dfa_size_limit(CACHE_BYTES_MAX).build() {
                Ok(regex) => {
                    self.bytes_left -= bytes;
                    return Ok(regex);
                }
                Err(Error::CompiledTooBig(_)) => {}
                Err(error) => return Err(format!("is no regular expression: {}", reason(&error))),
            }
        }
        Err(format!("is a regular expression too large: all of a tree take at most {} KiB", PATTERNS_BYTES_MAX / 1024))
    }
}

/// The crate draws where the error is, over several lines, and then says what it is.
fn reason(error: &Error) -> String {
    let text = error.to_string();
    let line = text.lines().last().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}
