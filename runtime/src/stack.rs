//! Stack traces in the author's own lines.
//!
//! QuickJS names positions in the deployed code (`at f (handler.js:12:34)`); the bundler's source map leads from there to the
//! source. Frames of the engine's own layer and of native functions are nobody's lines and are left out.

use oxc_sourcemap::SourceMap;

/// The file that the engine knows the handler's code by; `realm::HANDLER_FILE` of the guest.
const HANDLER_FILE: &str = "handler.js";

/// Maps every frame; lines that are no frames (`Caused by: …`) stay.
pub fn map_stack(stack: &str, code: &str, source_map: &str) -> String {
    let Ok(map) = SourceMap::from_json_string(source_map) else { return String::new() };
    let table = map.generate_lookup_table();
    let lines: Vec<&str> = code.lines().collect();
    let mut mapped = String::new();
    for line in stack.lines() {
        let text = match Frame::parse(line) {
            Line::Text => line.to_owned(),
            Line::Foreign => continue,
            Line::Handler(frame) => {
                let column = utf16_column(lines.get(frame.line as usize).copied().unwrap_or_default(), frame.column);
                let Some(token) = map.lookup_source_view_token(&table, frame.line, column) else { continue };
                let Some(source) = token.get_source() else { continue };
                let position = format!("{source}:{}:{}", token.get_src_line() + 1, token.get_src_col() + 1);
                match frame.function {
                    "" | "<anonymous>" => format!("    at {position}"),
                    function => format!("    at {function} ({position})"),
                }
            }
        };
        mapped.push_str(&text);
        mapped.push('\n');
    }
    mapped.truncate(mapped.trim_end().len());
    mapped
}

enum Line<'a> {
    Handler(Frame<'a>),
    /// A frame in the engine.
    Foreign,
    /// No frame.
    Text,
}

/// Line and column from 0, the column in bytes of UTF-8, as QuickJS counts.
struct Frame<'a> {
    function: &'a str,
    line: u32,
    column: u32,
}

impl Frame<'_> {
    fn parse(line: &str) -> Line<'_> {
        let Some(call) = line.trim_start().strip_prefix("at ") else { return Line::Text };
        let (function, place) = match call.rsplit_once(" (") {
            Some((function, place)) => (function, place.trim_end_matches(')')),
            None => ("", call),
        };
        let parse = || -> Option<Frame<'_>> {
            let (rest, column) = place.rsplit_once(':')?;
            let (file, line) = rest.rsplit_once(':')?;
            let from_zero = |number: &str| number.parse::<u32>().ok()?.checked_sub(1);
            (file == HANDLER_FILE).then_some(Frame { function, line: from_zero(line)?, column: from_zero(column)? })
        };
        parse().map_or(Line::Foreign, Line::Handler)
    }
}

/// Source maps count columns in UTF-16 units.
fn utf16_column(line: &str, byte_column: u32) -> u32 {
    line.char_indices().take_while(|(at, _)| *at < byte_column as usize).map(|(_, character)| character.len_utf16() as u32).sum()
}
